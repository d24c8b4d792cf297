import brian2
import brian2synfire
import pytest
from brian2 import prefs
from brian2.devices.device import reset_device


@pytest.fixture(autouse=True)
def on_synfire():
    """Each test begins with a fresh device that refuses rather than falls back."""
    brian2.start_scope()
    brian2.Network._globally_running = False
    brian2.set_device("synfire", fallback="error", backend="cpu")
    prefs.codegen.target = "numpy"
    yield
    brian2.device.reinit()
    reset_device()
    brian2.defaultclock.dt = 0.1*brian2.ms


@pytest.fixture
def engine():
    """The engine of the last run."""
    return lambda: brian2synfire.synfire_device.last.engine
