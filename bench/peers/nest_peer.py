"""Runs one workload of `synfire bench` on NEST and prints one line of JSON.

usage: nest_peer.py '{"workload": "cuba", "size": 4000, "duration_s": 1, "threads": 2, "seed": 1}'

The simulation kernel is used as its documentation recommends for speed: threads, connection rules of the kernel,
spike recorders in memory, preparation outside the timed part.
"""
import json
import math
import sys
import time

import numpy as np
import nest
from shared import peak_memory, save_spikes

CASE = json.loads(sys.argv[1])
SIZE, MODEL_MS, THREADS = CASE["size"], CASE["duration_s"] * 1e3, CASE["threads"]
PARAMS = CASE.get("set", {})
SEED = int(CASE["seed"]) + 1  # with 2, the transient of coba lives for a second


def kernel():
    """A fresh kernel with the case's resolution, threads and seed."""
    nest.ResetKernel()
    nest.set(resolution=0.1, local_num_threads=THREADS, rng_seed=SEED + 1, print_time=False, overwrite_files=True)


def vogels_abbott(model, params, w_exc, w_inh, initial):
    """The three networks of Brette et al. (2007): 80 inputs to each cell on average, a fifth of them inhibitory.

    Like the others it returns the populations, the milliseconds not to be counted, and the number of connections that are no synapses."""
    n = int(SIZE)
    cells = nest.Create(model, n, params=params)
    for name, value in initial.items():
        setattr(cells, name, value)
    n_exc = 4 * n // 5
    for source, w in ((cells[:n_exc], w_exc), (cells[n_exc:], w_inh)):
        nest.Connect(source, cells, {"rule": "pairwise_bernoulli", "p": 80 / n}, {"weight": w, "delay": 0.1})
    return {"P": cells}, 0.0, 0


def cuba():
    # Weights in mV times the leak conductance of 10 nS.
    # NEST holds one step longer than Brian2 for the same number.
    params = dict(C_m=200.0, tau_m=20.0, E_L=-49.0, V_th=-50.0, V_reset=-60.0, t_ref=4.9, tau_syn_ex=5.0, tau_syn_in=10.0)
    return vogels_abbott("iaf_psc_exp", params, 16.2, -90.0, {"V_m": nest.random.uniform(-60.0, -50.0)})


def conductances():
    """Initial conductances of 40 +- 15 and 200 +- 120 nS, never negative."""
    n, rng = int(SIZE), np.random.default_rng(SEED)
    return {"g_ex": np.clip(rng.normal(40.0, 15.0, n), 0, None), "g_in": np.clip(rng.normal(200.0, 120.0, n), 0, None)}


def coba():
    params = dict(C_m=200.0, g_L=10.0, E_L=-60.0, E_ex=0.0, E_in=-80.0, V_th=-50.0, V_reset=-60.0, t_ref=4.9, tau_syn_ex=5.0, tau_syn_in=10.0)
    return vogels_abbott("iaf_cond_exp", params, 6.0, -67.0, {"V_m": nest.random.normal(-65.0, 5.0), **conductances()})


def cobahh():
    params = dict(C_m=200.0, g_L=10.0, g_Na=20000.0, g_K=6000.0, E_L=-60.0, E_Na=50.0, E_K=-90.0, V_T=-63.0,
                  E_ex=0.0, E_in=-80.0, tau_syn_ex=5.0, tau_syn_in=10.0, t_ref=3.0)
    # The gates start closed, as Brian2's do.
    initial = {"V_m": nest.random.normal(-65.0, 5.0), "Act_m": 0.0, "Inact_h": 0.0, "Act_n": 0.0}
    pops, warmup, others = vogels_abbott("hh_cond_exp_traub", params, 6.0, -67.0, initial)
    # This model does not take initial conductances: a first spike to each cell brings them.
    cells, first, g = pops["P"], nest.Create("spike_generator", params={"spike_times": [0.1]}), conductances()
    for w in (g["g_ex"], -g["g_in"]):
        nest.Connect(first, cells, "all_to_all", {"weight": w[:, np.newaxis], "delay": 0.1})
    return pops, warmup, others + 2 * len(cells)


def brunel():
    """Brunel (2000), model A, g = 5, eta = 2, efficacy inverse to the number of inputs."""
    n, indegree = int(PARAMS.get("n", SIZE)), int(PARAMS.get("indegree", 1250))
    n_exc, c_exc = 4 * n // 5, 4 * indegree // 5
    J, delay = 100.0 / c_exc, 1.5
    cells = nest.Create("iaf_psc_delta", n, params=dict(C_m=1.0, tau_m=20.0, t_ref=2.0, E_L=0.0, V_reset=10.0, V_m=0.0, V_th=20.0))
    rate = 1e3 * 2 * 20.0 / (J * 20.0)  # of all external inputs to a cell
    drive = nest.Create("poisson_generator", params={"rate": rate})
    nest.Connect(drive, cells, syn_spec={"weight": J, "delay": delay})
    nest.Connect(cells[:n_exc], cells, {"rule": "fixed_indegree", "indegree": c_exc}, {"weight": J, "delay": delay})
    nest.Connect(cells[n_exc:], cells, {"rule": "fixed_indegree", "indegree": indegree - c_exc}, {"weight": -5 * J, "delay": delay})
    return {"P": cells}, 100.0, n


def brunel_stdp():
    """Brunel's network, additive STDP on every synapse from excitatory to excitatory cells.

    NEST tests a cell's potential behind the input of a step, Brian2 and ours before it, one decay later: hence a threshold higher by that decay, and
    delays that are a step longer. And NEST holds the whole delay of a plastic synapse to be dendritic, that is, the synapse sees its postsynaptic
    spikes late, where theirs see the presynaptic ones late. Where spikes are compared, parrots carry those to the synapse, but for a last step;
    where time is measured, which they would cost, the delay stays dendritic."""
    n_exc, n_inh = int(10000 * SIZE), int(2500 * SIZE)
    c_exc, c_inh = min(1000, n_exc // 10), min(250, n_inh // 10)
    J, delay = 100.0 / c_exc, 1.6
    params = dict(C_m=1.0, tau_m=20.0, t_ref=2.0, E_L=0.0, V_reset=10.0, V_m=0.0, V_th=20.0 * math.exp(0.1 / 20.0), tau_minus=20.0)
    cells = nest.Create("iaf_psc_delta", n_exc + n_inh, params=params)
    exc, inh = cells[:n_exc], cells[n_exc:]
    drive = nest.Create("poisson_generator", params={"rate": 1e3 * 1.1 * 20.0 / (J * 20.0)})
    nest.Connect(drive, cells, syn_spec={"weight": J, "delay": delay})
    nest.CopyModel("stdp_synapse_hom", "plastic", {"tau_plus": 20.0, "lambda": 0.002, "alpha": 1.2, "mu_plus": 0.0, "mu_minus": 0.0, "Wmax": 2 * J})
    axons, others, last = exc, n_exc + n_inh, delay
    if "spikes" in CASE:
        axons, others, last = nest.Create("parrot_neuron", n_exc), others + n_exc, 0.1
        nest.Connect(exc, axons, "one_to_one", {"delay": delay - last})
    nest.Connect(axons, exc, {"rule": "pairwise_bernoulli", "p": c_exc / n_exc}, {"synapse_model": "plastic", "weight": J, "delay": last})
    nest.Connect(exc, inh, {"rule": "pairwise_bernoulli", "p": c_exc / n_exc}, {"weight": J, "delay": delay})
    nest.Connect(inh, cells, {"rule": "pairwise_bernoulli", "p": c_inh / n_inh}, {"weight": -6 * J, "delay": delay})
    return {"P": cells}, 100.0, others


def learned(pops):
    """Mean and spread of the plastic weights of some cells, in volts."""
    if CASE["workload"] != "brunel_stdp":
        return {}
    w = np.asarray(nest.GetConnections(target=pops["P"][:50], synapse_model="plastic").weight) * 1e-3
    return {"ee": [float(w.mean()), float(w.std())]}


def potjans_diesmann():
    """Potjans and Diesmann (2014) with Poisson drive; scaled down as NEST's own example does."""
    names = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]
    full = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]
    k_ext = [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]
    v_mean = [-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43]
    v_sd = [5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48]
    rates = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829]
    prob = [[.1009, .1689, .0437, .0818, .0323, 0, .0076, 0], [.1346, .1371, .0316, .0515, .0755, 0, .0042, 0],
            [.0077, .0059, .0497, .1350, .0067, .0003, .0453, 0], [.0691, .0029, .0794, .1597, .0033, 0, .1057, 0],
            [.1004, .0622, .0505, .0057, .0831, .3726, .0204, 0], [.0548, .0269, .0257, .0022, .0600, .3158, .0086, 0],
            [.0156, .0066, .0211, .0166, .0572, .0197, .0396, .2252], [.0364, .0010, .0034, .0005, .0277, .0080, .0658, .1443]]
    w0, tau_syn, scale = 87.81, 0.5, SIZE
    weaker = 1 - math.sqrt(scale)

    def weight(post, pre):
        if pre % 2:
            return -4 * w0
        return 2 * w0 if (post, pre) == (0, 2) else w0

    def synapses(post, pre):
        p = prob[post][pre]
        return math.log(1 - p) / math.log1p(-1 / (full[post] * full[pre])) if p else 0.0

    # One synapse model holds at most 2^27 connections a thread.
    nest.CopyModel("static_synapse", "excitatory")
    nest.CopyModel("static_synapse", "inhibitory")
    pops = {}
    for k, name in enumerate(names):
        missing = sum(weight(k, s) * synapses(k, s) / full[k] * rates[s] for s in range(8)) + w0 * k_ext[k] * 8
        cells = nest.Create("iaf_psc_exp", round(full[k] * scale), params=dict(
            E_L=-65.0, V_th=-50.0, V_reset=-65.0, tau_m=10.0, C_m=250.0, t_ref=2.0, tau_syn_ex=tau_syn, tau_syn_in=tau_syn,
            I_e=1e-3 * tau_syn * weaker * missing))
        cells.V_m = nest.random.normal(v_mean[k], v_sd[k])
        drive = nest.Create("poisson_generator", params={"rate": 8.0 * round(k_ext[k] * scale)})
        nest.Connect(drive, cells, syn_spec={"weight": w0 / math.sqrt(scale), "delay": 1.5})
        pops[name] = cells
    for k, post in enumerate(names):
        for s, pre in enumerate(names):
            count = round(synapses(k, s) * scale * scale)
            if not count:
                continue
            mean = weight(k, s) / math.sqrt(scale)
            delay = 0.75 if s % 2 else 1.5
            low, high = (0.0, math.inf) if mean > 0 else (-math.inf, 0.0)
            nest.Connect(pops[pre], pops[post], {"rule": "fixed_total_number", "N": count}, {
                "synapse_model": "inhibitory" if s % 2 else "excitatory",
                "weight": nest.math.redraw(nest.random.normal(mean, 0.1 * abs(mean)), min=low, max=high),
                "delay": nest.math.redraw(nest.random.normal(delay, delay / 2), min=0.05, max=math.inf)})
    return pops, 100.0, sum(len(cells) for cells in pops.values())


MODELS = dict(cuba=cuba, coba=coba, cobahh=cobahh, brunel=brunel, brunel100=brunel, brunel1000=brunel, indegree=brunel,
              brunel_stdp=brunel_stdp, potjans_diesmann=potjans_diesmann)


def main():
    nest.verbosity = nest.VerbosityLevel.ERROR
    kernel()
    t = time.perf_counter()
    pops, warmup, others = MODELS[CASE["workload"]]()
    recorders = {}
    for name, cells in pops.items():
        recorders[name] = nest.Create("spike_recorder", params={"record_to": "memory", "start": warmup})
        nest.Connect(cells, recorders[name])
    nest.Prepare()
    build = time.perf_counter() - t
    if warmup:
        nest.Run(warmup)
    t = time.perf_counter()
    nest.Run(MODEL_MS)
    run = time.perf_counter() - t
    nest.Cleanup()
    spikes = {name: int(r.n_events) for name, r in recorders.items()}
    if "spikes" in CASE:
        for name, cells in pops.items():
            events = recorders[name].events
            # NEST's time is that of the end of a step.
            save_spikes(CASE["spikes"], name, events["senders"] - cells[0].global_id, (events["times"] - warmup - 0.1)*1e-3, CASE["duration_s"])
    neurons = sum(len(cells) for cells in pops.values())
    others += neurons  # connections from generators and to recorders are no synapses
    print(json.dumps({
        "version": nest.__version__, "build_s": build, "run_s": run, "model_s": MODEL_MS / 1e3, "steps": round(MODEL_MS * 10),
        "neurons": neurons, "synapses": int(nest.num_connections) - others, "spikes": sum(spikes.values()),
        "rates_hz": {name: n / len(pops[name]) / MODEL_MS * 1e3 for name, n in spikes.items()},
        "weights": learned(pops), "peak_bytes": peak_memory()}))


main()
