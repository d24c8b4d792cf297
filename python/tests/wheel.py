"""An installed package runs a network with the program that came with it (make wheel-test)."""
import shutil

from brian2 import *
import brian2synfire

set_device("synfire", fallback="error", backend="cpu")
assert not shutil.which("go"), "this is to be tried without Go"
G = NeuronGroup(100, "dv/dt = (1.1 - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
G.v = "i/100.0"
S = SpikeMonitor(G)
run(100*ms)
engine = brian2synfire.synfire_device.last.engine
print(S.num_spikes, "spikes,", device.hash["state"][:16], engine.process.args[0])
assert "site-packages" in engine.process.args[0] and S.num_spikes > 100
