"""load_nir() and python -m synfire.nir beside the package nir: round trips of files, and the spikes of a graph against
Euler's method in NumPy. `make nir` runs it; with --write it makes engine/nir/testdata anew."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nir
import numpy as np

from synfire.nir import from_json, to_json

HERE = Path(__file__).resolve().parents[2]
STEPS = 200


def example():
    """A graph with every type of node that load_nir() takes."""
    r = np.random.default_rng(1)

    def random(scale, *shape):
        return (scale*r.normal(size=shape)).astype(np.float32)
    return nir.NIRGraph(nodes={
        "input": nir.Input(input_type={"input": np.array([2, 2])}),
        "flat": nir.Flatten(input_type={"input": np.array([2, 2])}, start_dim=0, end_dim=1),
        "fc1": nir.Affine(weight=random(8, 6, 4), bias=np.abs(random(0.5, 6))),
        "lif": nir.LIF(tau=np.linspace(0.005, 0.02, 6), r=np.ones(6), v_leak=np.zeros(6), v_threshold=np.ones(6), v_reset=np.full(6, -0.1)),
        "rec": nir.Linear(weight=random(2, 6, 6)),
        "delay": nir.Delay(delay=np.full(6, 0.003)),
        "fc2": nir.Linear(weight=random(15, 3, 6)),
        "cuba": nir.CubaLIF(tau_syn=np.full(3, 0.004), tau_mem=np.full(3, 0.02), r=np.full(3, 2.0), v_leak=np.full(3, 0.1),
                            v_threshold=np.full(3, 0.8), w_in=np.array([1.0, 1.5, 2.0])),
        "scale": nir.Scale(scale=np.array([1.5, 2.0, 3.0])),
        "if": nir.IF(r=np.full(3, 400.0), v_threshold=np.ones(3)),
        "fc3": nir.Linear(weight=random(20, 2, 3)),
        "li": nir.LI(tau=np.full(2, 0.02), r=np.ones(2), v_leak=np.zeros(2)),
        "fc4": nir.Linear(weight=random(20, 2, 3)),
        "cubali": nir.CubaLI(tau_syn=np.full(2, 0.004), tau_mem=np.full(2, 0.02), r=np.ones(2), v_leak=np.zeros(2)),
        "fc5": nir.Linear(weight=random(1, 1, 3)),
        "i": nir.I(r=np.full(1, 5.0)),
        "output": nir.Output(output_type={"output": np.array([2])}),
        "output2": nir.Output(output_type={"output": np.array([2])}),
        "output3": nir.Output(output_type={"output": np.array([1])}),
    }, edges=[("input", "flat"), ("flat", "fc1"), ("fc1", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "delay"), ("delay", "fc2"), ("fc2", "cuba"),
              ("cuba", "scale"), ("scale", "if"), ("if", "fc3"), ("fc3", "li"), ("li", "output"), ("if", "fc4"), ("fc4", "cubali"),
              ("cubali", "output2"), ("if", "fc5"), ("fc5", "i"), ("i", "output3")])


def spikes_in():
    r = np.random.default_rng(2)
    return r.random((STEPS, 4)) < 0.1


def euler(g, given, dt=1e-3):
    """Spikes and values of the example by Euler's method: what a step sends arrives in the next."""
    n = g.nodes
    v = {k: np.zeros(np.shape(n[k].r)) for k in ("lif", "cuba", "if", "li", "cubali", "i")}
    cur = {k: np.zeros_like(v[k]) for k in ("cuba", "cubali")}
    x = {k: np.zeros_like(v[k]) for k in v}
    late = [np.zeros(6)]*3
    fired = {k: [] for k in ("lif", "cuba", "if")}
    for t in range(STEPS):
        x["lif"] = x["lif"] + n["fc1"].bias
        new = {}
        for k in ("lif", "li"):
            new[k] = v[k] + dt/n[k].tau*(n[k].v_leak - v[k] + n[k].r*x[k])
        for k in ("if", "i"):
            new[k] = v[k] + dt*n[k].r*x[k]
        for k in ("cuba", "cubali"):
            new[k] = v[k] + dt/n[k].tau_mem*(n[k].v_leak - v[k] + n[k].r*cur[k])
            cur[k] = cur[k] + dt/n[k].tau_syn*(n[k].w_in*x[k] - cur[k])
        v = new
        s = {}
        for k in fired:
            s[k] = v[k] > n[k].v_threshold
            fired[k] += [[t, int(i)] for i in np.flatnonzero(s[k])]
            v[k] = np.where(s[k], n[k].v_reset, v[k])
        late.append(s["lif"])
        x = {"lif": n["fc1"].weight @ given[t] + n["rec"].weight @ s["lif"], "cuba": n["fc2"].weight @ late[-4], "if": n["scale"].scale*s["cuba"],
             "li": n["fc3"].weight @ s["if"], "cubali": n["fc4"].weight @ s["if"], "i": n["fc5"].weight @ s["if"]}
    return fired, {k: v[k].tolist() for k in ("li", "cubali", "i")}


def same(a, b):
    assert a.nodes.keys() == b.nodes.keys() and sorted(map(tuple, a.edges)) == sorted(map(tuple, b.edges))
    for k in a.nodes:
        x, y = a.nodes[k].to_dict(), b.nodes[k].to_dict()
        assert x.keys() == y.keys(), (k, x, y)
        for p in x:
            assert x[p] == y[p] if isinstance(x[p], (str, dict)) else np.array_equal(x[p], y[p]), (k, p, x[p], y[p])


SCRIPT = """
defaultclock.dt = 1*ms
G = load_nir('net.json')
at, who = load_array('at.npy'), load_array('who.npy')
G['input'].set_spikes(who, at*ms)
M = {k: SpikeMonitor(G[k], name='spikes_' + k) for k in ['lif', 'cuba', 'if']}
run(%d*ms)
for k in ['li', 'cubali', 'i']:
    save_array('v_' + k, G[k].v)
save_array('done', [1])
print(G.json())
""" % STEPS


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        nir.write(folder/"net.nir", example())
        g = nir.read(folder/"net.nir")
        text = to_json(g)
        same(g, from_json(text))
        print(f"round trip of a file with {len(g.nodes)} nodes: equal")
        given = spikes_in()
        fired, values = euler(g, given)
        print("spikes by NumPy:", {k: len(x) for k, x in fired.items()})
        if "--write" in sys.argv:
            data = HERE/"engine/nir/testdata"
            (data/"net.json").write_text(text + "\n")
            (data/"expected.json").write_text(json.dumps({"input": np.argwhere(given).tolist(), "spikes": fired, "values": values}) + "\n")
        at, who = np.nonzero(given)
        np.save(folder/"at.npy", at)
        np.save(folder/"who.npy", who)
        (folder/"net.json").write_text(text)
        (folder/"net.star").write_text(SCRIPT)
        out = subprocess.run([os.environ.get("SYNFIRE", HERE/"bin/synfire"), "run", folder/"net.star", "--quiet", "--out", folder/"out", "--backend", "cpu"],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
        for k, want in fired.items():
            t, i = (np.load(folder/f"out/spikes_{k}/{c}.npy") for c in "ti")
            assert [[round(a*1000), int(b)] for a, b in zip(t, i)] == want, k
        for k, want in values.items():
            got = np.load(folder/f"out/v_{k}.npy")
            assert np.allclose(got, want, rtol=1e-5, atol=1e-6), (k, got, want)
        print("the same spikes in Synfire, values within 1e-5")
        (folder/"back.json").write_text(out)
        subprocess.run([sys.executable, "-m", "synfire.nir", folder/"back.json", folder/"back.nir"], check=True)
        same(g, nir.read(folder/"back.nir"))
        print("written back by Synfire: the file says the same")


if __name__ == "__main__":
    main()
