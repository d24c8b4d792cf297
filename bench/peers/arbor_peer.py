"""Runs one workload of `synfire bench` on Arbor and prints one line of JSON.

usage: arbor_peer.py '{"workload": "hh", "size": 20000, "duration_s": 0.1, "threads": 2, "seed": 1}'

Hodgkin-Huxley cells are cable cells of one control volume with a catalogue of our own; Brunel's network is made of Arbor's
LIF cells, which jump from event to event without a time step.
"""
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import arbor
from arbor import units as U
from shared import TRAUB, peak_memory

CASE = json.loads(sys.argv[1])
SIZE, MODEL_MS, THREADS, SEED = int(CASE["size"]), CASE["duration_s"] * 1e3, CASE["threads"], int(CASE["seed"])
PARAMS = CASE.get("set", {})
STEP_MS = 0.1
GROUP = 1000  # cells that are advanced together by one thread: enough for vectors, few enough for the cache

# Arbor has x/(exp(x) - 1) as a function.
MECHANISM = TRAUB % dict(neuron="", over="*exprelr", more="")


def compile_catalogue():
    """Arbor's mechanisms and MECHANISM. The tool that builds catalogues finds Python on the path."""
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    with tempfile.TemporaryDirectory(prefix="arbor-") as folder:
        os.mkdir(os.path.join(folder, "mod"))
        with open(os.path.join(folder, "mod", "traub.mod"), "w") as f:
            f.write(MECHANISM)
        done = subprocess.run(["arbor-build-catalogue", "peer", "mod"], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True)
        if done.returncode:
            sys.exit("arbor-build-catalogue (it needs CMake, make and a C++ compiler): " + done.stderr.strip().split("\n")[-1])
        catalogue = arbor.default_catalogue()
        catalogue.extend(arbor.load_catalogue(os.path.join(folder, "peer-catalogue.so")), "")
    return catalogue


def labels(n):
    """The cells as sources of connections, made once for all connections."""
    return [arbor.cell_global_label(gid, "spike") for gid in range(n)]


class Cells(arbor.recipe):
    """Hodgkin-Huxley cells without synapses, each with its own current."""
    kind, warmup_ms, synapses = arbor.cell_kind.cable, 0.0, 0

    def __init__(self):
        arbor.recipe.__init__(self)
        self.properties = arbor.neuron_cable_properties()
        self.properties.catalogue = compile_catalogue()
        self.properties.set_property(cm=0.01 * U.F / U.m2)
        rng = np.random.default_rng(SEED)
        self.v, self.i = rng.normal(-60.0, 5.0, SIZE), rng.uniform(0.0, 0.7, SIZE)
        edge = math.sqrt(20000 / math.pi)  # of a cylinder as long as wide whose side is 20,000 um2
        self.shape = arbor.segment_tree()
        self.shape.append(arbor.mnpos, arbor.mpoint(0, 0, 0, edge / 2), arbor.mpoint(edge, 0, 0, edge / 2), tag=1)

    def num_cells(self):
        return SIZE

    def cell_kind(self, gid):
        return self.kind

    def global_properties(self, kind):
        return self.properties

    def decor(self, gid):
        decor = arbor.decor().set_property(Vm=self.v[gid] * U.mV).paint("(all)", arbor.density("traub"))
        return decor.place("(location 0 0.5)", arbor.threshold_detector(-20 * U.mV), "spike")

    def cell_description(self, gid):
        decor = self.decor(gid).place("(location 0 0.5)", arbor.i_clamp(self.i[gid] * U.nA))
        return arbor.cable_cell(self.shape, decor, discretization=arbor.cv_policy_single())


class Cobahh(Cells):
    """The Hodgkin-Huxley network of Brette et al. (2007): 80 inputs to each cell on average, a fifth of them inhibitory."""

    def __init__(self):
        Cells.__init__(self)
        rng = np.random.default_rng(SEED)
        self.v = rng.normal(-65.0, 5.0, SIZE)
        self.labels, self.targets = labels(SIZE), {name: arbor.cell_local_label(name) for name in ("exc", "inh")}
        # Initial conductances in uS come as events at the beginning.
        self.first = {"exc": rng.normal(0.04, 0.015, SIZE), "inh": rng.normal(0.2, 0.12, SIZE)}

    def cell_description(self, gid):
        decor = self.decor(gid).place("(location 0 0.5)", arbor.synapse("expsyn", {"tau": 5.0, "e": 0.0}), "exc")
        decor = decor.place("(location 0 0.5)", arbor.synapse("expsyn", {"tau": 10.0, "e": -80.0}), "inh")
        return arbor.cable_cell(self.shape, decor, discretization=arbor.cv_policy_single())

    def event_generators(self, gid):
        return [arbor.event_generator(target, g[gid], arbor.explicit_schedule([0 * U.ms])) for target, g in self.first.items()]

    def connections_on(self, gid):
        rng = np.random.default_rng((SEED, gid))
        sources = rng.choice(SIZE, rng.binomial(SIZE, 80 / SIZE), replace=False)
        self.synapses += len(sources)
        # Arbor does without delays shorter than two steps.
        exc, inh, delay, n_exc = self.targets["exc"], self.targets["inh"], 2 * STEP_MS * U.ms, 4 * SIZE // 5
        return [arbor.connection(self.labels[s], exc if s < n_exc else inh, 0.006 if s < n_exc else 0.067, delay) for s in sources.tolist()]


class Brunel(arbor.recipe):
    """Brunel (2000), model A, g = 5, eta = 2, efficacy inverse to the number of inputs."""
    kind, warmup_ms = arbor.cell_kind.lif, 100.0

    def __init__(self):
        arbor.recipe.__init__(self)
        self.n, self.indegree = int(PARAMS.get("n", SIZE)), int(PARAMS.get("indegree", 1250))
        self.c_exc = 4 * self.indegree // 5
        self.J = 100.0 / self.c_exc
        self.synapses, self.labels = self.n * self.indegree, labels(self.n)

    def num_cells(self):
        return self.n

    def cell_kind(self, gid):
        return self.kind

    def cell_description(self, gid):
        # Of 1 pF, so that weights are millivolts.
        return arbor.lif_cell("spike", "in", tau_m=20 * U.ms, V_th=20 * U.mV, C_m=1 * U.pF, E_L=0 * U.mV, E_R=10 * U.mV, V_m=0 * U.mV, t_ref=2 * U.ms)

    def event_generators(self, gid):
        rate = 2 * 20.0 / (self.J * 20.0)  # in kHz, of all external inputs to a cell
        return [arbor.event_generator("in", self.J, arbor.poisson_schedule(freq=rate * U.kHz, seed=SEED * self.n + gid))]

    def connections_on(self, gid):
        rng = np.random.default_rng((SEED, gid))
        n_exc, target, delay = 4 * self.n // 5, arbor.cell_local_label("in"), 1.5 * U.ms
        exc, inh = rng.integers(0, n_exc, self.c_exc), rng.integers(n_exc, self.n, self.indegree - self.c_exc)
        return [arbor.connection(self.labels[s], target, w, delay) for sources, w in ((exc, self.J), (inh, -5 * self.J)) for s in sources.tolist()]


MODELS = dict(hh=Cells, cobahh=Cobahh, brunel=Brunel, brunel100=Brunel, brunel1000=Brunel, indegree=Brunel)


def main():
    t = time.perf_counter()
    recipe = MODELS[CASE["workload"]]()
    compiled = time.perf_counter() - t
    t = time.perf_counter()
    context = arbor.context(threads=THREADS)
    hint = arbor.partition_hint(cpu_group_size=min(GROUP, -(-recipe.num_cells() // THREADS)))
    domains = arbor.partition_load_balance(recipe, context, {recipe.kind: hint})
    sim = arbor.simulation(recipe, context, domains, SEED)
    build = time.perf_counter() - t
    if recipe.warmup_ms:
        sim.run(recipe.warmup_ms * U.ms, STEP_MS * U.ms)
    sim.record(arbor.spike_recording.local)  # "all" records nothing where there are no connections (0.12.2)
    t = time.perf_counter()
    sim.run((recipe.warmup_ms + MODEL_MS) * U.ms, STEP_MS * U.ms)
    run = time.perf_counter() - t
    spikes, neurons = len(sim.spikes()), recipe.num_cells()
    print(json.dumps({
        "version": arbor.__version__, "compile_s": compiled, "build_s": build, "run_s": run, "model_s": MODEL_MS / 1e3,
        "steps": round(MODEL_MS / STEP_MS), "neurons": neurons, "synapses": recipe.synapses, "spikes": spikes, "rates_hz": {"P": spikes / neurons / MODEL_MS * 1e3},
        "peak_bytes": peak_memory()}))


main()
