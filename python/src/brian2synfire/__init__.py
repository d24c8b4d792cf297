"""Synfire for Python: a device of Brian2, and runs of Synfire's own scripts.

    from brian2 import *
    import brian2synfire; set_device('synfire')

runs an unchanged Brian2 script on Synfire.
"""
import gc
import os
from importlib.metadata import PackageNotFoundError, version

import brian2
from brian2.core.base import BrianObject
from brian2.devices.device import all_devices

from .errors import EngineLost, Refused, SynfireFault

try:
    __version__ = version("brian2synfire")
except PackageNotFoundError:
    __version__ = "0"

OLDEST, BEYOND = (2, 10), (2, 12)


def supported(brian2_version):
    numbers = tuple(int(n) for n in brian2_version.split(".")[:2])
    return OLDEST <= numbers < BEYOND


if not supported(brian2.__version__):
    raise ImportError(f"brian2synfire {__version__} works with Brian2 {OLDEST[0]}.{OLDEST[1]} up to, but not with, {BEYOND[0]}.{BEYOND[1]}; this is Brian2 {brian2.__version__}")

from .device import SynfireDevice  # noqa: E402: after the version is known to be right

if not BrianObject.__instances__():
    gc.freeze()  # what is imported stays: Brian2 collects garbage after each run() and need not look through all of it

synfire_device = SynfireDevice()
all_devices["synfire"] = synfire_device
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=synfire_device.before_fork, after_in_child=synfire_device.forget)

__all__ = ["EngineLost", "Refused", "SynfireDevice", "SynfireFault", "synfire_device"]
