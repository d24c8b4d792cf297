"""Forked workers have engines of their own."""
import multiprocessing
import os

import numpy as np
import pytest
from brian2 import *
from brian2synfire import synfire_device

fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def in_child(f):
    """What f returns, or raises, in a forked process."""
    here, there = multiprocessing.Pipe()

    def child():
        try:
            there.send(f())
        except BaseException as e:
            there.send(e)
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    assert here.poll(60), "the worker hangs"
    got = here.recv()
    process.join(20)
    assert process.exitcode == 0
    return got


def model():
    G = NeuronGroup(3, "dv/dt = -v/(10*ms) : 1", method="exact")
    G.v = 1
    return Network(G), G


@fork
def test_a_network_that_was_built_before_the_fork_runs_in_the_worker():
    net, G = model()

    def work():
        net.run(10*ms)
        return list(G.v[:])
    assert np.allclose(in_child(work), np.exp(-1))
    net.run(10*ms)  # and in the parent
    assert np.allclose(G.v, np.exp(-1))


@fork
def test_a_network_that_has_run_goes_on_in_the_worker():
    net, G = model()
    net.run(10*ms)
    G.v[2] = 2
    other, H = model()

    def work():
        values = list(G.v[:])
        G.v[1] = 3
        net.run(10*ms)
        other.run(10*ms)
        return values, list(G.v[:]), net.t/ms, list(H.v[:])
    for _ in range(2):
        values, later, t, fresh = in_child(work)
        assert np.allclose(values, [np.exp(-1), np.exp(-1), 2]) and np.allclose(later, np.array([np.exp(-1), 3, 2])*np.exp(-1)) and t == 20 and np.allclose(fresh, np.exp(-1))
    net.run(10*ms)  # the parent's engine is as it was
    assert np.allclose(G.v, np.array([np.exp(-1), np.exp(-1), 2])*np.exp(-1)) and os.path.isdir(synfire_device.last.engine.folder)


@fork
def test_a_worker_has_the_state_at_its_own_fork():
    net, G = model()

    def work():
        net.run(10*ms)
        return list(G.v[:])
    net.run(10*ms)
    net.store()
    assert np.allclose(in_child(work), np.exp(-2))
    G.v[1] = 2
    net.store("changed")
    assert np.allclose(in_child(work), [np.exp(-2), 2*np.exp(-1), np.exp(-2)])
    net.run(10*ms)
    assert np.allclose(in_child(work), [np.exp(-3), 2*np.exp(-2), np.exp(-3)])
    net.restore()
    assert np.allclose(in_child(work), np.exp(-2))


@fork
def test_a_fork_leaves_export_as_it_was(tmp_path):
    net, G = model()
    net.run(10*ms)
    G.v[1] = 2
    assert in_child(lambda: 1) == 1
    net.run(10*ms)
    assert os.path.exists(synfire_device.export(tmp_path, net))


@fork
def test_spikes_in_flight_and_noise_go_on_in_the_worker():
    seed(5)
    G = NeuronGroup(50, "dv/dt = (1.2 - v)/(10*ms) + 0.1*xi/sqrt(10*ms) : 1", threshold="v > 1", reset="v = 0", method="euler")
    S = Synapses(G, G, "w : 1", on_pre="v_post += w; w = clip(w + 0.001, 0, 1)", delay=7*ms)
    S.connect(p=0.2)
    M = SpikeMonitor(G)
    net = Network(G, S, M)
    net.run(30*ms)

    def work():
        net.run(30*ms)
        return np.array(M.t/ms), np.array(M.i), np.array(S.w[:]), np.array(G.v[:])
    there = in_child(work)
    for here, got in zip(work(), there):
        assert len(here) and (here == got).all()


@fork
def test_a_network_that_was_restored_before_the_fork_runs_in_the_worker(tmp_path):
    net, G = model()
    net.run(10*ms)
    net.store(filename=tmp_path/"state")
    net.run(10*ms)
    net.restore(filename=tmp_path/"state")

    def work():
        net.run(10*ms)
        return list(G.v[:])
    assert np.allclose(in_child(work), np.exp(-2)) and np.allclose(work(), np.exp(-2))
    assert np.allclose(in_child(lambda: in_child(work)), np.exp(-3))  # a worker of a worker


def test_a_state_from_a_file_is_older_than_what_is_assigned_after_it(tmp_path):
    net, G = model()
    net.run(10*ms)
    net.store(filename=tmp_path/"state")
    net.run(10*ms)
    net.restore(filename=tmp_path/"state")
    G.v[1] = 3
    net.run(10*ms)
    assert np.allclose(G.v, np.array([np.exp(-1), 3, np.exp(-1)])*np.exp(-1))


@fork
def test_a_pool_of_workers():
    model()[0].run(1*ms)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        got = pool.map(task, [5, 10, 20])
    assert np.allclose(got, np.exp([-0.5, -1, -2]))


def task(tau):
    start_scope()
    net, G = model()
    net.run(tau*ms)
    return float(G.v[0])
