"""The same prox by independent routes that know a potential, and certificates that bound its error.

Names are loaded when they are first asked for: cvxpy only with `ConicProx`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
