"""Forked workers have engines of their own."""
import multiprocessing
import os

import numpy as np
import pytest
from brian2 import *
from brian2synfire import SynfireFault, synfire_device

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
def test_a_network_that_has_run_is_the_parents():
    net, G = model()
    net.run(10*ms)
    other, H = model()

    def work():
        values = list(G.v[:])  # can be read
        try:
            net.run(10*ms)
        except SynfireFault as e:
            said = str(e)
        other.run(10*ms)
        return values, said, list(H.v[:])
    values, said, fresh = in_child(work)
    assert np.allclose(values, np.exp(-1)) and "parent process" in said and np.allclose(fresh, np.exp(-1))
    net.run(10*ms)  # the parent's engine is as it was
    assert np.allclose(G.v, np.exp(-2)) and os.path.isdir(synfire_device.last.engine.folder)


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
