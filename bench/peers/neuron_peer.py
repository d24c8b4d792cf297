"""Runs one workload of `synfire bench` on NEURON and prints one line of JSON.

usage: neuron_peer.py '{"workload": "hh", "size": 20000, "duration_s": 0.1, "threads": 2, "seed": 1}'

Cells are sections of one segment with a mechanism of our own; CoreNEURON solves them, which is NEURON's fast way.
"""
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from shared import TRAUB, peak_memory

CASE = json.loads(sys.argv[1])
SIZE, MODEL_MS, THREADS, SEED = int(CASE["size"]), CASE["duration_s"] * 1e3, CASE["threads"], int(CASE["seed"])
STEP_MS = 0.1

MECHANISM = TRAUB % dict(neuron="THREADSAFE", over="/exprel", more="""
ASSIGNED {
    v (mV)
    i (mA/cm2)
}
FUNCTION exprel(x) {
    if (fabs(x) < 1e-6) {
        exprel = 1 + x/2
    } else {
        exprel = (exp(x) - 1)/x
    }
}
""")


def compile_mechanisms():
    """Compiles into the current folder, where NEURON finds mechanisms when it is imported."""
    os.mkdir("mod")
    with open("mod/traub.mod", "w") as f:
        f.write(MECHANISM)
    done = subprocess.run([os.path.join(os.path.dirname(sys.executable), "nrnivmodl"), "-coreneuron", "mod"], capture_output=True, text=True)
    if done.returncode:
        sys.exit("nrnivmodl (it needs make and a C++ compiler): " + done.stderr.strip().split("\n")[-1])


def cells(h, pc, v):
    """Sections whose side is 20,000 um2, with initial potentials; cell k has the gid k.

    All are made before anything refers to them: NEURON sorts all cells anew when one is added after that."""
    somas = [h.Section(name="soma%d" % k) for k in range(SIZE)]
    for k, soma in enumerate(somas):
        soma.L = soma.diam = math.sqrt(20000 / math.pi)
        soma.cm, soma.v = 1, v[k]
        soma.insert("traub")
    for k, soma in enumerate(somas):
        spike = h.NetCon(soma(0.5)._ref_v, None, sec=soma)
        spike.threshold = -20
        pc.set_gid2node(k, pc.id())
        pc.cell(k, spike)
    return somas


def hh(h, pc):
    """Cells without synapses, each with its own current.

    Like the other it returns what must live, the synapses' initial conductances in uS, and the number of synapses."""
    rng = np.random.default_rng(SEED)
    somas, clamps = cells(h, pc, rng.normal(-60.0, 5.0, SIZE)), []
    for soma, current in zip(somas, rng.uniform(0.0, 0.7, SIZE)):
        clamp = h.IClamp(soma(0.5))
        clamp.delay, clamp.dur, clamp.amp = 0, 1e9, current
        clamps.append(clamp)
    return (somas, clamps), [], 0


def cobahh(h, pc):
    """The Hodgkin-Huxley network of Brette et al. (2007): 80 inputs to each cell on average, a fifth of them inhibitory."""
    rng = np.random.default_rng(SEED)
    somas, connections, conductances = cells(h, pc, rng.normal(-65.0, 5.0, SIZE)), [], []
    g_exc, g_inh = rng.normal(0.04, 0.015, SIZE), rng.normal(0.2, 0.12, SIZE)
    for k, soma in enumerate(somas):
        exc, inh = h.ExpSyn(soma(0.5)), h.ExpSyn(soma(0.5))
        exc.tau, exc.e, inh.tau, inh.e = 5, 0, 10, -80
        conductances += [(exc, g_exc[k]), (inh, g_inh[k])]
        for source in rng.choice(SIZE, rng.binomial(SIZE, 80 / SIZE), replace=False).tolist():
            target, weight = (exc, 0.006) if source < 4 * SIZE // 5 else (inh, 0.067)
            c = pc.gid_connect(source, target)
            c.weight[0], c.delay = weight, 2 * STEP_MS  # threads do not do with one step
            connections.append(c)
    return (somas, connections), conductances, len(connections)


MODELS = dict(hh=hh, cobahh=cobahh)


def main():
    t = time.perf_counter()
    compile_mechanisms()
    import neuron
    from neuron import coreneuron, h
    compiled = time.perf_counter() - t
    t = time.perf_counter()
    pc = h.ParallelContext()
    pc.nthread(THREADS)
    coreneuron.enable = True
    coreneuron.verbose = 0
    objects, conductances, synapses = MODELS[CASE["workload"]](h, pc)
    times, gids = h.Vector(), h.Vector()
    pc.spike_record(-1, times, gids)
    h.dt = STEP_MS
    pc.set_maxstep(10)
    h.finitialize()
    for synapse, g in conductances:
        synapse.g = g
    build = time.perf_counter() - t
    t = time.perf_counter()
    pc.psolve(MODEL_MS)
    run = time.perf_counter() - t
    print(json.dumps({
        "version": neuron.__version__, "compile_s": compiled, "build_s": build, "run_s": run, "model_s": MODEL_MS / 1e3,
        "steps": round(MODEL_MS / STEP_MS), "neurons": SIZE, "synapses": synapses, "spikes": len(times),
        "rates_hz": {"P": len(times) / SIZE / MODEL_MS * 1e3}, "peak_bytes": peak_memory()}))


with tempfile.TemporaryDirectory(prefix="neuron-") as folder:
    os.chdir(folder)
    main()
