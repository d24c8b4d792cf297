"""What a script that runs on the device can rely on."""
import gc
import os
import pickle
import subprocess
import weakref

import numpy as np
import pytest
import synfire
from brian2 import *
from brian2.devices.device import reset_device
from brian2.units.fundamentalunits import DIMENSIONLESS
from brian2synfire import Refused, SynfireFault, supported, synfire_device
from synfire.engine import binary


def on_brian2(script):
    """The same function on Brian2's own loop."""
    reset_device()
    prefs.codegen.target = "numpy"
    try:
        return script()
    finally:
        set_device("synfire", fallback="error", backend="cpu")


def same(script, rtol=2e-5):
    """What a script returns is what Brian2 gives, and it ran on the engine."""
    here = script()
    assert synfire_device.last is not None
    start_scope()
    there = on_brian2(script)
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=rtol, atol=1e-12)


def cuba(n=400):
    P = NeuronGroup(n, """dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
                          dge/dt = -ge/taue : volt
                          dgi/dt = -gi/taui : volt""", threshold="v > Vt", reset="v = Vr", refractory=5*ms, method="euler",
                    namespace=dict(taum=20*ms, taue=5*ms, taui=10*ms, Vt=-50*mV, Vr=-60*mV, El=-49*mV))
    P.v = np.linspace(-60.3, -50.1, n)*mV
    Ce, Ci = Synapses(P, P, on_pre="ge += 16.2*mV"), Synapses(P, P, on_pre="gi += -90*mV")
    Ce.connect("i < 0.8*N_pre and (i*7 + j*13) % 50 == 0")
    Ci.connect("i >= 0.8*N_pre and (i*7 + j*13) % 50 == 0")
    return P, Ce, Ci


def test_several_runs_with_assignments_between():
    def script():
        P, Ce, Ci = cuba()
        M, S, R = StateMonitor(P, "v", record=[0, 5]), SpikeMonitor(P), PopulationRateMonitor(P)
        run(20*ms)
        P.v[:10] = -60*mV
        P.v["i > 390"] = "-55*mV + i*0.001*mV"
        run(20*ms)
        assert P.t == 40*ms and defaultclock.t == 40*ms and len(M.t) == 400
        return M.v/mV, S.t/ms, S.i, R.rate/Hz, P.v[:]/mV, P.ge[:]/mV, S.count[:]
    same(script, rtol=2e-3)


def test_hash_is_that_of_the_exported_script(tmp_path):
    P, Ce, Ci = cuba()
    S = SpikeMonitor(P)
    seed(4)
    run(20*ms)
    P.v[:10] = -60*mV
    run(10*ms)
    model = device.export(tmp_path)
    r = synfire.run(model, backend="ref")
    assert r.hash == device.hash and len(device.hash["state"]) == 64
    assert len(r.manifest["runs"]) == 2


def test_info(capsys):
    P, Ce, Ci = cuba(20)
    run(1*ms)
    device.info()
    assert f"{P.name}: 20 neurons" in capsys.readouterr().out


def test_plain_run_of_a_script(tmp_path):
    model = tmp_path/"model.star"
    model.write_text("T = param('duration', 10*ms)\nn = param('n', 3)\nG = NeuronGroup(n, 'dv/dt = (2 - v)/(10*ms) : 1', threshold='v > 1', reset='v = 0', method='exact')\n"
                     "S = SpikeMonitor(G)\nM = StateMonitor(G, 'v', record=0)\nrun(T)\nprint('done')\n")
    r = synfire.run(model, duration=0.02, n=5, backend="cpu", threads=1, seed=3)
    assert r.manifest["populations"] == {"G": 5} and r.manifest["seed"] == 3 and r["M"].v.shape == (1, 200) and "done" in r.printed
    assert len(r["S"].i) == r.manifest["monitors"]["S"]["events"] > 0
    with pytest.raises(SynfireFault, match="did you mean 'duration'"):
        synfire.run(model, durations=1)
    kept = synfire.run(model, out=tmp_path/"out")
    assert (tmp_path/"out"/"run.json").exists() and kept.hash == synfire.run(model).hash


def test_learning_pathways_and_delays():
    def script():
        P = SpikeGeneratorGroup(3, [0, 1, 2, 0, 1], [1, 2, 3, 9, 11]*ms)
        G = NeuronGroup(3, "dv/dt = -v/(10*ms) : 1", threshold="v > 0.5", reset="v = 0", method="exact")
        S = Synapses(P, G, """w : 1
                              dApre/dt = -Apre/(20*ms) : 1 (event-driven)
                              dApost/dt = -Apost/(20*ms) : 1 (event-driven)""",
                     on_pre={"up": "v_post += w", "learn": "Apre += 0.1; w = clip(w + Apost, 0, 1)"}, on_post="Apost -= 0.12; w = clip(w + Apre, 0, 1)",
                     delay={"learn": 0.5*ms})
        S.connect()
        S.w = "0.3 + 0.1*i"
        S.up.delay = "1*ms + j*0.5*ms"
        M = SpikeMonitor(G)
        run(15*ms)
        S.w[0, :] = 0.4
        run(15*ms)
        return [np.array(x) for x in (S.w, S.Apre, S.up.delay/ms, M.t/ms, M.i, S.lastupdate/ms)]  # Brian2's views of synapses end with them
    same(script)


def test_summed_linked_timed_and_run_regularly():
    def script():
        stim = TimedArray([0, 1, 3, 2]*mV, dt=2*ms)
        drive = NeuronGroup(1, "x = sin(2*pi*50*Hz*t) : 1")
        G = NeuronGroup(4, """dv/dt = (stim(t) + I + x*mV - v)/(5*ms) : volt
                              I : volt
                              x : 1 (linked)
                              k : integer""", method="euler")
        G.x = linked_var(drive, "x")
        G.run_regularly("k += 1", dt=1*ms)
        J = Synapses(G, G, "I_post = 0.1*(v_pre - v_post) : volt (summed)")
        J.connect("i != j")
        G.v = "i*mV"
        M = StateMonitor(G[1:3], "v", record=True)
        run(8*ms)
        return M.v/mV, G.k[:], G.I[:]/mV
    same(script, rtol=1e-4)


def test_poisson_inputs_follow_their_rates():
    P = PoissonGroup(200, rates=50*Hz)
    Q = PoissonGroup(200, rates="(1 + i)*Hz")
    G = NeuronGroup(50, "dv/dt = -v/(10*ms) : 1", method="exact")
    X = PoissonInput(G, "v", N=100, rate=20*Hz, weight=0.1)
    a, b = SpikeMonitor(P), SpikeMonitor(Q)
    run(1*second)
    assert abs(a.num_spikes - 10000) < 500 and abs(b.num_spikes - 20100) < 700
    assert abs(np.mean(G.v) - 2) < 0.2
    P.rates = 0*Hz
    before = a.num_spikes
    run(0.1*second)
    assert a.num_spikes == before


def test_constants_that_change_between_runs():
    def script():
        tau = 10*ms
        G = NeuronGroup(2, "dv/dt = -v/tau : 1", method="exact")
        G.v = 1
        run(5*ms)
        first = G.v[:]
        tau = 2*ms
        run(5*ms)
        return first, G.v[:]
    same(script)


def test_network_operation():
    def script():
        G = NeuronGroup(2, "dv/dt = (I - v)/(10*ms) : 1\nI : 1", method="exact")
        S = SpikeMonitor(PoissonGroup(1, 0*Hz))
        seen = []

        @network_operation(dt=1*ms)
        def control(t):
            seen.append(float(G.v[0]))
            if t >= 3*ms:
                G.I[1] = 2*float(t/ms)
        net = Network(G, control)
        net.run(10*ms)
        return seen, G.v[:], G.I[:]
    same(script)


def test_exception_in_a_network_operation():
    G = NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    op = NetworkOperation(lambda t: 1/0 if t > 1*ms else None, dt=0.5*ms)
    net = Network(G, op)
    with pytest.raises(ZeroDivisionError):
        net.run(5*ms)
    with pytest.raises(SynfireFault, match="exception in a network_operation"):
        net.run(1*ms)


def test_weight_of_an_input_to_a_part_of_a_group():
    weight = TimedArray([0, 1]*mV, dt=1*ms)
    G = NeuronGroup(5, "v : volt")
    P = PoissonInput(G[2:4], "v", 1, 10*kHz, "weight(t)")
    run(2*ms)
    assert np.allclose(G.v/mV, [0, 0, 10, 10, 0])


def test_comments_name_nothing():
    G = NeuronGroup(2, "v : 1")
    G.run_regularly("""# these words are no names; x = 3
                       v += 0.5  # nor those""", dt=1*ms)
    run(2*ms)
    assert np.allclose(G.v, 1)


def test_stop_and_report():
    G = NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    op = NetworkOperation(lambda t: stop() if t >= 2*ms else None, dt=1*ms)
    net = Network(G, op)
    net.run(10*ms)
    assert net.t < 3*ms and abs(G.v[0] - net.t/ms) < 1e-6
    told = []
    G = NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    net = Network(G)
    net.run(10*ms, report=lambda elapsed, completed, start, duration: told.append((completed, start, duration)), profile=True)
    assert told[0] == (0.0, 0*ms, 10*ms) and told[-1][0] == 1.0
    assert profiling_summary(net) and device._last_run_time > 0 and device._last_run_completed_fraction == 1


@pytest.mark.parametrize("backend", ["cpu", "ref"])
def test_a_profile_is_of_objects(backend):
    set_device("synfire", fallback="error", backend=backend)
    seed(1)
    G = NeuronGroup(200, "dv/dt = (2 - v)/(10*ms) : 1\nx : 1", threshold="v > 1", reset="v = 0", events={"late": "v > 0.9"}, name="G")
    G.run_on_event("late", "x += 1")
    G.run_regularly("x += 1", dt=1*ms, name="often")
    E = Synapses(G[:150], G, on_pre="v_post += 0.01", name="E")  # E and I add to one sum
    I = Synapses(G[150:], G, on_pre="v_post -= 0.01", name="I")
    L = Synapses(G, G, "w : 1\nda/dt = -a/(10*ms) : 1 (event-driven)", on_pre="a += 1", on_post="w = clip(w + a, 0, 10)", name="L")
    for S in E, I, L:
        S.connect(p=0.1)
    P = PoissonInput(G, "v", 10, 100*Hz, 0.01)
    M, spikes = StateMonitor(G, "v", record=True), SpikeMonitor(G)
    op = NetworkOperation(lambda: None, dt=10*ms, name="asked")
    net = Network(collect(), op)
    net.run(100*ms, profile=True)
    hashed, info = device.hash, dict(net.profiling_info)
    busy = ["G_stateupdater", "G_spike_thresholder", "G_spike_resetter", "G_late_thresholder", "G_late_resetter", "often", "E_pre", "I_pre", "L_pre", "L_post", P.name, M.name, "asked"]
    assert {n: t for n, t in info.items() if n in busy and t <= 0*second} == {} and set(busy) <= set(info)
    assert set(info) == {o.name for o in net.sorted_objects if o.active}
    start_scope()
    seed(1)
    with pytest.raises(ValueError):
        net.run(0*ms)
        net.profiling_info


def test_store_and_restore():
    seed(3)
    G = NeuronGroup(10, "dv/dt = (1.2 - v)/(10*ms) + 0.1*xi/sqrt(10*ms) : 1", threshold="v > 1", reset="v = 0", method="euler")
    S = Synapses(G, G, "w : 1", on_pre="v_post += w", delay=2*ms)
    S.connect(p=0.5)
    S.w = "0.02*rand()"
    M = SpikeMonitor(G)
    store()
    run(20*ms)
    store("later")
    counts = []
    for name, exact in (("later", True), ("later", True), ("later", False), ("default", False)):
        restore(name, restore_random_state=exact)
        run(20*ms)
        counts.append((M.num_spikes, float(magic_network.t/ms), list(G.v[:])))
    assert counts[0] == counts[1] != counts[2] and counts[0][1] == 40 and counts[3][1] == 20


def test_a_state_in_a_file_goes_on_in_another_session(tmp_path):
    def build():
        start_scope()
        G = NeuronGroup(5, "dv/dt = (1.2 - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact", name="G")
        G.v = "0.1*i"
        S = Synapses(G, G, on_pre="v_post += 0.05", delay=3*ms, name="S")
        S.connect("i != j")
        M = SpikeMonitor(G, name="M")
        return Network(G, S, M), G, M
    net, G, M = build()
    net.run(19.5*ms)
    net.store(filename=str(tmp_path/"state"))
    net.run(20*ms)
    expected = (list(M.t), list(M.i), list(G.v[:]))
    net2, G2, M2 = build()
    net2.restore(filename=str(tmp_path/"state"))
    assert net2.t == 19.5*ms
    net2.run(20*ms)
    assert (list(M2.t), list(M2.i), list(G2.v[:])) == expected


def test_seed():
    def noise():
        start_scope()
        G = NeuronGroup(3, "dv/dt = xi/sqrt(ms) : 1", method="euler")
        run(1*ms)
        return list(G.v[:])
    seed(1)
    a, b = noise(), noise()
    seed(1)
    assert noise() == a != b
    G = NeuronGroup(3, "dv/dt = xi/sqrt(ms) : 1", method="euler")
    runs = []
    for _ in range(2):
        seed(7)
        G.v = 0
        run(1*ms)
        runs.append(list(G.v[:]))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("options", [{}, {"build_on_run": False}, {"defer": 1}])
def test_nothing_stays_of_a_network_that_is_gone(options):
    set_device("synfire", fallback="error", backend="cpu", **options)

    def simulation():
        scale = 0.1
        G = NeuronGroup(20, "dv/dt = -v/(10*ms) : 1", threshold="v > 0.9", reset="v = 0", method="exact")
        G.v = "rand()"
        S = Synapses(G, G, "w : 1", on_pre="v_post += w*scale")
        S.connect(p=0.5)
        S.w = "scale*rand()"
        P, M, T = PoissonInput(G, "v", 10, 10*Hz, "scale"), SpikeMonitor(G), StateMonitor(G, "v", record=True)
        net = Network(G, S, P, M, T)
        net.run(1*ms)
        return M, weakref.finalize(device.sessions[net].engine, lambda: None), weakref.ref(net), weakref.ref(G), weakref.ref(S)
    M, engine, *made = simulation()
    assert len(M.t) == M.num_spikes
    del M
    synfire_device.last = None
    gc.collect()
    assert not engine.alive and [o() for o in made] == [None]*3


def test_deferred_synapses():
    set_device("synfire", fallback="error", backend="cpu", defer=1)
    seed(2)
    G = NeuronGroup(300, "dv/dt = (1.1 - v)/(10*ms) : 1\nx : 1", threshold="v > 1", reset="v = 0", method="exact")
    G.x = "i/N"
    G.v = "0.9 + 0.1*x"
    near = 0.1
    S = Synapses(G, G, "w : 1", on_pre="v_post += w")
    S.connect("abs(x_pre - x_post) < near and i != j", p=0.5)
    S.w = "0.001*(1 + rand())*near"
    S.delay = "1*ms + rand()*ms"
    S.delay = 2*ms
    G.x = 0  # what connect() saw is what counts
    assert S in synfire_device.deferred
    run(5*ms)
    hash = device.hash
    assert S in synfire_device.deferred
    i, j, w = S.i[:], S.j[:], S.w[:]
    assert S not in synfire_device.deferred and len(S) == len(i) > 1000
    assert (abs(i - j) < 30.001).all() and (i != j).all() and (w >= 1e-4).all() and (w <= 2e-4).all() and (S.delay[:] == 2*ms).all()
    assert S.N_incoming[0] == np.sum(j == j[0])
    S.w[0] = 0.5
    run(1*ms)
    assert S.w[0] == 0.5 and hash != device.hash


def test_deferred_synapses_that_are_read_before_a_run():
    set_device("synfire", fallback="error", backend="cpu", defer=1)
    G, H = NeuronGroup(10, "v : 1", threshold="v > 1", reset="v = 0"), NeuronGroup(20, "v : 1", threshold="v > 1", reset="v = 0")
    S = Synapses(G[2:], H[5:], "w : 1", on_pre="v_post += w")
    S.connect(j="k for k in range(i, i + 2)")
    S.w = "i + 10*j"
    assert list(S.w[:]) == [i + 10*j for i in range(8) for j in (i, i + 1)]
    with pytest.raises(DimensionMismatchError):
        T = Synapses(G, H, "w : 1", on_pre="v_post += w")
        T.connect(p=0.5)
        T.w = "1*mV"
    with pytest.raises(TypeError):
        Synapses(G, H, on_pre="v_post += 1").connect("i + j")
    with pytest.raises(KeyError):
        Synapses(G, H, on_pre="v_post += 1").connect("i < nowhere")
    run(1*ms)
    assert list(S.w[:3]) == [0, 10, 11]


def test_active():
    P = PoissonGroup(100, 1000*Hz)
    M, N = SpikeMonitor(P), SpikeMonitor(P)
    M.active = False
    run(10*ms)
    M.active, N.active = True, False
    n = N.num_spikes
    assert M.num_spikes == 0 and n > 0
    run(10*ms)
    assert M.num_spikes > 0 and N.num_spikes == n


def test_what_belongs_to_other_devices_is_taken():
    set_device("synfire", directory=None, with_output=False, build_on_run=False, debug=False, fallback="error")
    G = NeuronGroup(2, "dv/dt = -v/tau : 1\ntau : second (constant)", method="exact")
    G.v = 1
    G.tau = 10*ms
    stim = TimedArray([0.0, 0.0], dt=5*ms)
    H = NeuronGroup(1, "dx/dt = stim(t)/ms : 1", method="euler")
    run(10*ms)
    device.build(directory=None, compile=True, run=True, debug=False)
    a = G.v[0]
    device.run(run_args={G.tau: 5*ms, stim: [1.0, 0.0]})
    assert abs(a - np.exp(-1)) < 1e-5 and abs(G.v[0] - np.exp(-2)) < 1e-5 and abs(H.x[0] - 5) < 1e-4 and G.t == 10*ms
    with pytest.raises(KeyError):
        device.run(run_args={"nowhere.v": 1})
    device.reinit()
    device.activate()
    with pytest.raises(TypeError):
        device.build(nonsense=1)


def test_ten_thousand_reads():
    G = NeuronGroup(2, "dv/dt = -v/ms : 1", method="exact")
    G.v = 1
    run(1*ms)
    for _ in range(10000):
        assert 0 < G.v_[0] < 1


# What is wrong, and how it is told.

def test_faults_leave_arrays_as_they_were():
    G = NeuronGroup(2, "dv/dt = v/(0.1*ms) : 1\nw : 1", method="euler", name="grows")
    G.v = [0, 1]
    G.w = 3
    M = StateMonitor(G, "v", record=True)
    with pytest.raises(SynfireFault, match="grows"):
        run(1*second)
    assert list(G.v[:]) == [0, 1] and G.t == 0*ms and len(M.t) == 0
    with pytest.raises(SynfireFault, match="ended with an error"):
        run(1*ms)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_values_that_cannot_be(value):
    G = NeuronGroup(3, "dv/dt = -v/ms : 1", method="exact")
    G.v = [0, value, 0]
    with pytest.raises(Refused, match="finite"):
        run(1*ms)
    assert np.array_equal(G.v[:], [0, value, 0], equal_nan=True)


def test_arrays_of_another_type():
    engine = synfire_device.engine()
    with pytest.raises(TypeError, match="array of numbers"):
        engine.exec("x = a", {"a": (np.array(["b"]), DIMENSIONLESS)})
    np.save(os.path.join(engine.folder, "z.npy"), np.array([1 + 2j]*100))
    from synfire.errors import Answered
    with pytest.raises(Answered) as e:
        engine.ask("exec", text="x = a", arrays={"a": {"npy": "z.npy"}})
    assert e.value.kind in ("value", "protocol")
    engine.exec("y = 1")
    engine.close()


def test_brian2_reports_errors_of_scripts():
    G = NeuronGroup(1, "dv/dt = -v/tau : 1", method="exact")
    with pytest.raises(BrianObjectException) as e:
        run(1*ms)
    assert isinstance(e.value.__cause__, KeyError)
    start_scope()
    tau = 1*mV
    G = NeuronGroup(1, "dv/dt = -v/tau : 1", method="exact")
    with pytest.raises(BrianObjectException) as e:
        run(1*ms)
    assert isinstance(e.value.__cause__, DimensionMismatchError)
    with pytest.raises(DimensionMismatchError):
        run(3*mV)
    with pytest.raises(ValueError):
        run(-1*ms)


def test_supported_versions():
    assert supported("2.10.1") and supported("2.11") and not supported("2.9.0") and not supported("2.12") and not supported("3.0")
    code = "import brian2; brian2.__version__ = '2.9.0'; import brian2synfire"
    import sys
    r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert r.returncode and "ImportError" in r.stderr and "2.9.0" in r.stderr


def test_a_program_that_is_not_there(monkeypatch):
    monkeypatch.setenv("SYNFIRE", "/nowhere/synfire")
    with pytest.raises(FileNotFoundError, match="/nowhere/synfire"):
        binary()
    device.reinit()
    G = NeuronGroup(1, "v : 1")
    with pytest.raises(FileNotFoundError):
        run(1*ms)
    assert G.t == 0*ms


def test_networks_can_be_pickled_after_a_run():
    G = NeuronGroup(3, "dv/dt = -v/ms : 1", method="exact")
    G.v = 1
    run(1*ms)
    assert np.allclose(pickle.loads(pickle.dumps(G.get_states()))["v"], np.exp(-1))


def test_seed_repeats_while_older_objects_live():
    def model():
        seed(1)
        G = NeuronGroup(20, "dv/dt = -v/(10*ms) + 0.2*xi/sqrt(ms) : 1", threshold="v > 1", reset="v = 0", method="euler")
        G.v = "rand()"
        P = PoissonGroup(30, 100*Hz)
        C = Synapses(P, G, "w : 1", on_pre="v += w*rand()", delay=1*ms)
        C.connect(p=0.3)
        C.w = "rand()"
        G.run_regularly("v += 0.01*randn()", dt=1*ms)
        M = SpikeMonitor(G)
        net = Network(G, P, C, M)
        net.run(50*ms)
        return net, M, G.name

    kept = []
    for _ in range(3):
        net, M, name = model()
        kept.append((name, np.array(M.i), np.array(M.t), device.hash["state"], net))
    assert kept[0][0] != kept[1][0]
    for name, i, t, state, net in kept[1:]:
        assert len(i) > 10 and state == kept[0][3]
        np.testing.assert_array_equal(i, kept[0][1])
        np.testing.assert_array_equal(t, kept[0][2])
