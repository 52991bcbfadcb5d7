"""Vector fields of couplings, and what they do.

Names are loaded when they are first asked for: torch only with the learned fields.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
