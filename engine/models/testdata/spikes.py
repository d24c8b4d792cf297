"""What NEST's neurons do with a step of current, a train of spikes, and two trains
at random: spike times (ms), written to nest.json. Run with a Python that has NEST."""
import json
import os

import nest
import numpy as np

nest.set_verbosity("M_ERROR")
T = 500.0
# name: current of the step (pA), weight above 0, weight below 0, unit of the weights
MODELS = {
    "iaf_psc_delta": (380.0, 9.0, -3.0, "mV"),
    "iaf_psc_exp": (500.0, 900.0, -300.0, "pA"),
    "iaf_psc_alpha": (500.0, 500.0, -150.0, "pA"),
    "iaf_cond_exp": (400.0, 120.0, -20.0, "nS"),
    "iaf_cond_alpha": (400.0, 50.0, -8.0, "nS"),
    "iaf_psc_exp_multisynapse": (500.0, 900.0, 0.0, "pA"),
    "aeif_cond_exp": (800.0, 250.0, -40.0, "nS"),
    "aeif_cond_alpha": (800.0, 100.0, -16.0, "nS"),
    "aeif_psc_exp": (800.0, 15000.0, -600.0, "pA"),
    "izhikevich": (10.0, 9.0, -3.0, "mV"),
    "hh_psc_alpha": (650.0, 2000.0, -60.0, "pA"),
    "hh_cond_exp_traub": (500.0, 4.0, -4.0, "nS"),
    "mat2_psc_exp": (2400.0, 2800.0, -200.0, "pA"),
    "glif_psc": (300.0, 250.0, -80.0, "pA"),
}
FLAGS = ["spike_dependent_threshold", "after_spike_currents", "adapting_threshold"]
rng = np.random.default_rng(1)
train = np.unique(np.round(np.concatenate([np.arange(20, 420, 4.3), [100.1, 100.2, 100.3, 250.0, 250.5]]), 1))
noise = [np.unique(np.round(rng.uniform(1, T - 5, int(rate * T / 1000)), 1)) for rate in (900.0, 300.0)]


def spikes(model, stimulus, flags):
    nest.ResetKernel()
    nest.resolution = 0.1
    n = nest.Create(model, params={f: True for f in flags})
    r = nest.Create("spike_recorder")
    nest.Connect(n, r)
    current, up, down, _ = MODELS[model]
    syn = {"receptor_type": 1} if model in ("iaf_psc_exp_multisynapse", "glif_psc") else {}
    if stimulus == "step" and model == "glif_psc":  # which has no I_e
        g = nest.Create("step_current_generator", params={"amplitude_times": [0.1], "amplitude_values": [current]})
        nest.Connect(g, n, syn_spec={"delay": 0.1})
    elif stimulus == "step":
        n.I_e = current
    else:
        for times, w in [(train, up)] if stimulus == "train" else zip(noise, (up, down)):
            if w:
                g = nest.Create("spike_generator", params={"spike_times": times})
                nest.Connect(g, n, syn_spec=dict(syn, weight=w, delay=1.0))
    nest.Simulate(T)
    return [round(float(t), 1) for t in r.events["times"]]


cells = []
for model, (current, up, down, unit) in MODELS.items():
    forms = [[], FLAGS[:1], FLAGS[1:2], FLAGS[:2], FLAGS] if model == "glif_psc" else [[]]
    for flags in forms:
        cells.append({"model": model, "flags": flags, "current": current, "up": up, "down": down, "unit": unit,
                      "spikes": {s: spikes(model, s, flags) for s in ("step", "train", "noise")}})
out = {"nest": nest.__version__, "train": list(train), "noise": [list(n) for n in noise], "cells": cells}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "nest.json"), "w") as f:
    f.write(json.dumps(out, separators=(",", ":")).replace('{"model"', '\n{"model"').replace('"noise":', '\n"noise":') + "\n")
