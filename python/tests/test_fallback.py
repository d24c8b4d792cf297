"""What Synfire refuses runs in Brian2's own loop, and says so once."""
import numpy as np
import pytest
from brian2 import *
from brian2.core.base import BrianObjectException
from brian2.utils.logger import catch_logs
from brian2synfire import Refused, SynfireFault, synfire_device


@check_units(x=1, result=1)
def double(x):
    return 2*x


def refused():
    """A network with a function of Python."""
    G = NeuronGroup(3, "dv/dt = double(v)/(10*ms) : 1", method="euler", name="G")
    G.v = 1
    return G


def warnings(logs):
    return [text for level, name, text in logs if "synfire" in name]


def test_warn_names_object_and_reason_once():
    set_device("synfire", fallback="warn")
    G = refused()
    M = StateMonitor(G, "v", record=0)
    with catch_logs() as logs:
        run(1*ms)
        run(1*ms)
    said = warnings(logs)
    assert len(said) == 1 and "'G': double() is a function of Python" in said[0] and "from-brian2.md" in said[0]
    assert np.allclose(G.v, 1.02**20) and len(M.t) == 20 and G.t == 2*ms
    assert "double()" in device.ran_on()


def test_silent_and_error():
    set_device("synfire", fallback="silent")
    G = refused()
    with catch_logs() as logs:
        run(1*ms)
    assert not warnings(logs) and np.allclose(G.v, 1.02**10)
    start_scope()
    set_device("synfire", fallback="error")
    G = refused()
    with pytest.raises(Refused, match="function of Python"):
        run(1*ms)
    assert isinstance(Refused("x"), NotImplementedError) and list(G.v[:]) == [1, 1, 1] and G.t == 0*ms
    with pytest.raises(ValueError):
        set_device("synfire", fallback="sometimes")


def test_a_first_run_that_breaks_down_is_made_again():
    set_device("synfire", fallback="warn")
    G = NeuronGroup(3, "x : 1\nq = log(x) : 1\ndv/dt = 1/ms : 1", method="euler", name="broken")
    G.x = [1, 0, 2]
    M = StateMonitor(G, ["q", "v"], record=True)
    with catch_logs() as logs:
        run(0.3*ms)
    assert "broken[1]" in warnings(logs)[0]
    assert M.q[1][0] == -np.inf and np.allclose(M.v, [[0, 0.1, 0.2]]*3)
    start_scope()
    G = NeuronGroup(1, "x : 1\nq = log(x) : 1")
    G.x = 1
    M = StateMonitor(G, "q", record=True)
    run(0.1*ms)
    G.x = 0
    with pytest.raises(SynfireFault):  # Brian2 could not go on from there
        run(0.1*ms)


def test_networks_are_judged_one_by_one():
    set_device("synfire", fallback="silent")
    G, H = refused(), NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    one, two = Network(G), Network(H)
    one.run(1*ms)
    two.run(1*ms)
    assert device.ran_on(two) == "synfire" and "double" in device.ran_on(one)
    assert synfire_device.last.net() is two


def test_the_engines_own_refusals_fall_back_before_the_first_step():
    set_device("synfire", fallback="warn")
    G = NeuronGroup(3, "dv/dt = -v/ms : 1", method="euler")
    G.v = [0, inf, 1]
    H = SpikeMonitor(PoissonGroup(1, 0*Hz))
    with catch_logs() as logs:
        run(0.1*ms)
    assert len(warnings(logs)) == 1 and "finite" in warnings(logs)[0]
    assert G.v[2] == pytest.approx(0.9)


def test_errors_of_the_script_are_no_reason_to_fall_back():
    set_device("synfire", fallback="warn")
    G = NeuronGroup(1, "dv/dt = -v/nowhere : 1", method="euler")
    with catch_logs() as logs, pytest.raises(BrianObjectException):
        run(1*ms)
    assert not warnings(logs)


def test_deferred_synapses_fall_back():
    set_device("synfire", fallback="silent", defer=1)
    G = refused()
    H = NeuronGroup(4, "v : 1", threshold="v > 1", reset="v = 0")
    S = Synapses(H, G, "w : 1", on_pre="v_post += w")
    S.connect("i != j")
    S.w = "i + j"
    H.v = [2, 0, 0, 0]
    run(0.2*ms)
    assert len(S) == 9 and "double" in device.ran_on()
    assert G.v[2] > G.v[1] > G.v[0]


@check_units(t=second, result=1)
def one(t):
    return np.ones_like(t)


def test_a_network_that_cannot_go_on_moves_with_its_state():
    set_device("synfire", fallback="warn")
    f = TimedArray([1.0], dt=1*ms)
    G = NeuronGroup(2, "dv/dt = f(t)/ms : 1", method="euler")
    run(1*ms)
    f = one
    with catch_logs() as logs:
        run(1*ms)
    assert np.allclose(G.v, 2) and len(warnings(logs)) == 1 and "f() is a function of Python" in warnings(logs)[0]


def test_a_run_beyond_the_engines_last_step_is_brian2s():
    set_device("synfire", fallback="warn")
    G = NeuronGroup(1, "x : 1")
    G.run_regularly("x += 1")
    first = (2**31 - 5)*0.1*ms
    defaultclock.dt = first
    run(first)
    assert device.ran_on() == "synfire"
    defaultclock.dt = 0.1*ms
    with catch_logs() as logs:
        run(6*defaultclock.dt)
    assert G.x == 7 and len(warnings(logs)) == 1


def test_run_args_after_a_fallback():
    set_device("synfire", fallback="silent", build_on_run=False)
    G = refused()
    H = NeuronGroup(1, "dv/dt = -v/tau : 1\ntau : second (shared, constant)", method="exact", name="H")
    H.v, H.tau = 1, 10*ms
    run(5*ms)
    run(5*ms)
    first = G.v[0], H.v[0]
    with pytest.raises(KeyError):
        device.run(run_args={"nowhere.v": 1})
    for tau in 5*ms, 10*ms:
        device.run(run_args={H.tau: tau})
        assert G.v[0] == first[0] and np.allclose(H.v, np.exp(-10*ms/tau)) and G.t == 10*ms
    assert H.v[0] == first[1] and "double" in device.ran_on()


def test_run_args_repeat_what_has_run_of_this_simulation():
    set_device("synfire", fallback="error", build_on_run=False)

    def simulation():
        start_scope()
        G = NeuronGroup(1, "dv/dt = -v/tau : 1", method="exact")
        with pytest.raises(BrianObjectException):
            run(5*ms)  # no tau yet
        G.v = 2
        tau = 10*ms
        run(5*ms)
        device.run(run_args={G.v: 4})
        return G.v[0], G.t
    for _ in range(2):
        v, t = simulation()
        assert np.isclose(v, 4*np.exp(-0.5)) and t == 5*ms


def test_spikes_in_flight_do_not_move():
    set_device("synfire", fallback="warn")
    f = TimedArray([1.0], dt=1*ms)
    G = NeuronGroup(2, "dv/dt = f(t)/ms : 1", threshold="v > 0.5", reset="v = 0", method="euler")
    S = Synapses(G, G, on_pre="v_post += 0", delay=3*ms)
    S.connect()
    run(1*ms)
    v = list(G.v[:])
    f = one
    with pytest.raises(Refused, match="function of Python"):
        run(1*ms)
    assert list(G.v[:]) == v
