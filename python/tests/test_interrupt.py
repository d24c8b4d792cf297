"""Ctrl-C, and an engine that goes: a Python exception, arrays as before the run, nothing that hangs."""
import os
import signal
import struct
import threading
import time

import numpy as np
import pytest
from brian2 import *
from brian2synfire import EngineLost, SynfireFault, synfire_device


def long_network(v=1):
    G = NeuronGroup(1000, "dv/dt = -v/(1e6*second) + 0.1*randn()/second : 1", method="euler")
    G.v = v
    return Network(G), G


def when_running(f):
    """Calls f when a run has been going on for a moment."""
    def wait():
        for _ in range(2000):
            time.sleep(0.01)
            if Network._globally_running:
                time.sleep(0.4)
                f()
                return
    t = threading.Thread(target=wait)
    t.start()
    return t


def test_ctrl_c_stops_a_run_and_keeps_what_it_has():
    P = PoissonGroup(1000, 10*Hz)
    M = SpikeMonitor(P)
    net = Network(P, M)
    thread = when_running(lambda: os.kill(os.getpid(), signal.SIGINT))
    began = time.time()
    net.run(100000*second)
    thread.join()
    assert time.time() - began < 20 and 0 < net.t/second < 100000
    assert M.num_spikes > 0 and M.t[-1] <= net.t
    t = net.t
    net.run(1*ms)
    assert abs(float(net.t - t) - 1e-3) < 1e-6


def test_ctrl_c_twice_breaks_off():
    net, G = long_network()
    old = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a second Ctrl-C meets
    thread = when_running(lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        with pytest.raises(KeyboardInterrupt):
            net.run(100000*second)
    finally:
        signal.signal(signal.SIGINT, old)
        thread.join()
    assert (np.asarray(G.v) == 1).all() and net.t == 0*second
    with pytest.raises(SynfireFault, match="broken off"):
        net.run(1*ms)
    fresh, H = long_network(2)
    fresh.run(1*ms)


def test_killed_engine_in_a_run():
    net, G = long_network()
    net.run(1*ms)
    v = np.array(G.v)
    process = synfire_device.last.engine.process
    thread = when_running(process.kill)
    with pytest.raises(EngineLost, match="signal 9"):
        net.run(100000*second)
    thread.join()
    assert (np.asarray(G.v) == v).all() and net.t == 1*ms
    with pytest.raises(SynfireFault):
        net.run(1*ms)
    fresh, H = long_network(2)
    fresh.run(1*ms)


def test_killed_engine_between_runs():
    net, G = long_network()
    net.run(1*ms)
    v = np.array(G.v)
    synfire_device.last.engine.process.kill()
    synfire_device.last.engine.process.wait()
    G.v[0] = 5
    with pytest.raises(EngineLost):
        net.run(1*ms)
    assert G.v[0] == 5 and (np.asarray(G.v)[1:] == v[1:]).all() and net.t == 1*ms


@pytest.mark.parametrize("sent", [struct.pack("<I", 100) + b"{}", b"\x02\x00", struct.pack("<I", 3) + b"abc", struct.pack("<I", 2**31 - 1)])
def test_frames_that_are_cut_short_or_no_json(sent, monkeypatch):
    engine = synfire_device.engine()
    read, write = os.pipe()
    os.write(write, sent)
    os.close(write)
    real = engine.process.stdout
    engine.process.stdout = os.fdopen(read, "rb", 0)
    real.close()
    with pytest.raises(EngineLost):
        engine.ask("hello")
    assert not engine.alive and not os.path.exists(engine.folder)


def test_a_broken_pipe():
    engine = synfire_device.engine()
    engine.process.kill()
    engine.process.wait()
    with pytest.raises(EngineLost):
        for _ in range(3):
            engine.exec("x = 1" + " "*100000)
    assert not engine.alive


def test_nothing_is_left_behind():
    net, G = long_network()
    net.run(1*ms)
    engine = synfire_device.last.engine
    folder, process = engine.folder, engine.process
    device.reinit()
    assert process.poll() is not None and not os.path.exists(folder)
