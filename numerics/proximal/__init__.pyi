__all__ = [
    "Certificate",
    "ConicProx",
    "certify",
    "fenchel_young",
    "smallest",
    "subdifferential",
    "transport",
]

from .certificate import Certificate, certify, fenchel_young, smallest, subdifferential, transport
from .conic import ConicProx
