"""Couplings between Gaussian noise and data: semidiscrete transport, minibatch laws.

Names are loaded when they are first asked for, so that no import pays for what it does not use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
