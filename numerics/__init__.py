"""The mathematics of OT-CFM as a library: schedules, potentials, proximal maps, transport, flows."""

from importlib.metadata import version

import lazy_loader

__version__ = version("otcfm-theorems")
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["accuracy", "flows", "intervals", "potentials", "proximal", "schedules", "transport"],
)
