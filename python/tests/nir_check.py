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


def layers():
    """Convolutions, pooling, graphs within the graph, values that are no spikes, and maps that follow each other."""
    r = np.random.default_rng(3)

    def random(scale, *shape):
        return (scale*r.normal(size=shape)).astype(np.float32)

    def lif(*shape):
        return nir.LIF(tau=np.full(shape, 0.01), r=np.full(shape, 10.0), v_leak=np.zeros(shape), v_threshold=np.ones(shape))
    inner = nir.NIRGraph(nodes={"input": nir.Input(input_type=np.array([6])), "lif": lif(6), "w_rec": nir.Linear(weight=random(0.3, 6, 6)),
                                "output": nir.Output(output_type=np.array([6]))},
                         edges=[("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")])
    return nir.NIRGraph(nodes={
        "picture": nir.Input(input_type=np.array([2, 8, 7])),
        "conv1": nir.Conv2d(input_shape=None, weight=random(0.5, 4, 2, 3, 3), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=1, bias=np.abs(random(0.05, 4))),
        "if1": nir.IF(r=np.full((4, 4, 3), 1000.0), v_threshold=np.ones((4, 4, 3))),
        "sum": nir.SumPool2d(kernel_size=np.array([2, 2]), stride=np.array([2, 1]), padding=np.array([0, 1])),
        "conv2": nir.Conv2d(input_shape=None, weight=random(0.3, 3, 4, 2, 3), stride=1, padding="same", dilation=1, groups=1, bias=np.zeros(3)),
        "lif2": lif(3, 2, 4),
        "average": nir.AvgPool2d(kernel_size=np.array([1, 2]), stride=np.array([1, 2]), padding=np.array([0, 0])),
        "flat": nir.Flatten(input_type=None, start_dim=0),
        "fc": nir.Affine(weight=random(0.8, 6, 12), bias=np.abs(random(0.1, 6))),
        "block": inner,
        "line": nir.Input(input_type=np.array([2, 9])),
        "conv3": nir.Conv1d(input_shape=9, weight=random(0.8, 3, 2, 3), stride=2, padding=2, dilation=2, groups=1, bias=np.abs(random(0.1, 3))),
        "threshold": nir.Threshold(threshold=np.full((3, 5), 0.5)),
        "late": nir.Delay(delay=np.tile([0.0, 0.001, 0.002, 0.001, 0.004], (3, 1))),
        "scale": nir.Scale(scale=random(1, 3, 5)),
        "flat3": nir.Flatten(input_type=None, start_dim=0),
        "fc3": nir.Linear(weight=random(0.8, 6, 15)),
        "li": nir.LI(tau=np.full(6, 0.02), r=np.full(6, 20.0), v_leak=np.zeros(6)),
        "both": nir.Affine(weight=random(0.3, 4, 6), bias=np.full(4, 0.05)),
        "last": lif(4),
        "out": nir.Linear(weight=random(1, 2, 4)),
        "output": nir.Output(output_type=np.array([2])),
        "output2": nir.Output(output_type=np.array([6])),
    }, edges=[("picture", "conv1"), ("conv1", "if1"), ("if1", "sum"), ("sum", "conv2"), ("conv2", "lif2"), ("lif2", "average"), ("average", "flat"), ("flat", "fc"),
              ("fc", "block"), ("line", "conv3"), ("conv3", "threshold"), ("threshold", "late"), ("late", "scale"), ("scale", "flat3"), ("flat3", "fc3"), ("fc3", "li"),
              ("li", "both"), ("block", "both"), ("both", "last"), ("last", "out"), ("out", "output"), ("li", "output2")])


def flatten(g, within=""):
    """Nodes and edges of a graph and of those within it; an edge to or from one of these is one to its Input or from its Output."""
    nodes, edges, ends = {}, [], {}
    for k, n in g.nodes.items():
        if isinstance(n, nir.NIRGraph):
            more, between = flatten(n, within + k + ".")
            nodes, edges = {**nodes, **more}, edges + between
            ends[k] = tuple(next(within + k + "." + name for name, x in n.nodes.items() if isinstance(x, kind)) for kind in (nir.Output, nir.Input))
        else:
            nodes[within + k] = n
    return nodes, edges + [(ends[a][0] if a in ends else within + a, ends[b][1] if b in ends else within + b) for a, b in g.edges]


def convolve(x, weight, stride, padding, dilation, groups):
    """NIR's and PyTorch's Conv2d of x, (channels, height, width), by the definition."""
    kernel = np.array(weight.shape[2:])
    spread = dilation*(kernel - 1)
    pad = [(int(s//2), int(s - s//2)) for s in spread] if isinstance(padding, str) and padding == "same" else \
        [(0, 0)]*2 if isinstance(padding, str) else [(int(p), int(p)) for p in padding]
    x = np.pad(x, [(0, 0), *pad])
    height, width = (np.array(x.shape[1:]) - spread - 1)//stride + 1
    out = np.zeros((len(weight), height, width))
    each, channels = len(weight)//groups, weight.shape[1]
    for c in range(len(weight)):
        first = c//each*channels
        for a in range(height):
            for b in range(width):
                part = x[first:first + channels, a*stride[0]:a*stride[0] + spread[0] + 1:dilation[0], b*stride[1]:b*stride[1] + spread[1] + 1:dilation[1]]
                out[c, a, b] = np.sum(part*weight[c])
    return out


def pair(x):
    return np.broadcast_to(x, 2)


def apply(n, x):
    """What a node without a state makes of x."""
    match type(n).__name__:
        case "Linear":
            return n.weight @ x
        case "Affine":
            return n.weight @ x + n.bias
        case "Scale":
            return n.scale*x
        case "Flatten" | "Input" | "Output":
            return x.reshape(n.output_type["output"]) if isinstance(n, nir.Flatten) else x
        case "Conv2d":
            return convolve(x, n.weight, pair(n.stride), n.padding if isinstance(n.padding, str) else pair(n.padding), pair(n.dilation), n.groups) + n.bias[:, None, None]
        case "Conv1d":
            return convolve(x[:, None], n.weight[:, :, None], np.array([1, n.stride]), (0, n.padding), np.array([1, n.dilation]), n.groups)[:, 0] + n.bias[:, None]
        case "SumPool2d" | "AvgPool2d":
            one = np.ones((1, 1, *n.kernel_size))
            if isinstance(n, nir.AvgPool2d):
                one = one/one.size
            return np.concatenate([convolve(c[None], one, n.stride, n.padding, np.ones(2, int), 1) for c in x])
    raise ValueError(type(n))


def given(g):
    """Spikes into each input of a graph."""
    r = np.random.default_rng(2)
    return {k: r.random((STEPS, *n.input_type["input"])) < 0.1 for k, n in g.nodes.items() if isinstance(n, nir.Input)}


def euler(g, given, dt=1e-3):
    """Spikes and values of a graph by Euler's method: what a step sends arrives in the next."""
    nodes, edges = flatten(g)
    before = {k: [a for a, b in edges if b == k] for k in nodes}
    neurons = {k: n for k, n in nodes.items() if hasattr(n, "r") or isinstance(n, nir.Threshold)}
    v = {k: np.zeros(n.output_type["output"]) for k, n in neurons.items()}
    cur = {k: np.zeros_like(x) for k, x in v.items()}
    sent = {k: [np.zeros(n.output_type["output"])] for k, n in nodes.items() if k in neurons or k in given}  # by step, one before the first
    passed = {k: [] for k, n in nodes.items() if isinstance(n, nir.Delay)}
    fired = {k: [] for k, n in neurons.items() if hasattr(n, "v_threshold") or isinstance(n, nir.Threshold)}

    def gives(k):
        n = nodes[k]
        if k in sent:
            return sent[k][-1]
        if isinstance(n, nir.Delay):
            steps = np.round(n.delay/dt).astype(int)
            return np.array([passed[k][-1 - d].flat[i] if d < len(passed[k]) else 0 for i, d in enumerate(steps.flat)]).reshape(steps.shape)
        return apply(n, arrives(k))

    def arrives(k):
        return sum(gives(a) for a in before[k])
    for t in range(STEPS):
        for k in passed:
            passed[k].append(arrives(k))
        x = {k: np.zeros_like(v[k]) + arrives(k) for k in neurons}
        out = {k: given[k][t].astype(float) for k in given}
        for k, n in neurons.items():
            match type(n).__name__:
                case "LIF" | "LI":
                    v[k] = v[k] + dt/n.tau*(n.v_leak - v[k] + n.r*x[k])
                case "IF" | "I":
                    v[k] = v[k] + dt*n.r*x[k]
                case "CubaLIF" | "CubaLI":
                    v[k], cur[k] = v[k] + dt/n.tau_mem*(n.v_leak - v[k] + n.r*cur[k]), cur[k] + dt/n.tau_syn*(n.w_in*x[k] - cur[k])
                case "Threshold":
                    v[k] = x[k]
            if k in fired:
                s = v[k] > (n.threshold if isinstance(n, nir.Threshold) else n.v_threshold)
                fired[k] += [[t, int(i)] for i in np.flatnonzero(s)]
                if not isinstance(n, nir.Threshold):
                    v[k] = np.where(s, n.v_reset, v[k])
            out[k] = s if k in fired else v[k]
        for k in sent:
            sent[k].append(out[k])
    return fired, {k: v[k].ravel().tolist() for k in neurons if k not in fired}


def same(a, b):
    assert a.nodes.keys() == b.nodes.keys() and sorted(map(tuple, a.edges)) == sorted(map(tuple, b.edges))
    for k in a.nodes:
        if isinstance(a.nodes[k], nir.NIRGraph):
            same(a.nodes[k], b.nodes[k])
            continue
        x, y = a.nodes[k].to_dict(), b.nodes[k].to_dict()
        assert x.keys() == y.keys(), (k, x, y)
        for p in x:
            assert x[p] == y[p] if isinstance(x[p], (str, dict)) else np.array_equal(x[p], y[p]), (k, p, x[p], y[p])


SCRIPT = """
defaultclock.dt = 1*ms
G = load_nir('net.json')
for k in %(inputs)s:
    G[k].set_spikes(load_array(k + '_who.npy'), load_array(k + '_at.npy')*ms)
M = {k: SpikeMonitor(G[k], name='spikes_' + k.replace('.', '_')) for k in %(fired)s}
run(%(steps)d*ms)
for k in %(values)s:
    save_array('v_' + k, G[k].v)
save_array('done', [1])
print(G.json())
"""


def check(name, graph, folder, write):
    nir.write(folder/"net.nir", graph)
    g = nir.read(folder/"net.nir")
    text = to_json(g)
    same(g, from_json(text))
    print(f"{name}: round trip of a file with {len(g.nodes)} nodes: equal")
    into = given(g)
    fired, values = euler(g, into)
    print("spikes by NumPy:", {k: len(x) for k, x in fired.items()})
    assert all(fired.values())
    if write:
        data = HERE/"engine/nir/testdata"
        (data/f"{name}.json").write_text(text + "\n")
        inputs = {k: [[int(t), int(np.ravel_multi_index(at, x.shape[1:]))] for t, *at in np.argwhere(x)] for k, x in into.items()}
        (data/f"{name}_expected.json").write_text(json.dumps({"inputs": inputs, "spikes": fired, "values": values}) + "\n")
    for k, x in into.items():
        at, who = np.nonzero(x.reshape(STEPS, -1))
        np.save(folder/f"{k}_at.npy", at)
        np.save(folder/f"{k}_who.npy", who)
    (folder/"net.json").write_text(text)
    (folder/"net.star").write_text(SCRIPT % dict(inputs=list(into), fired=list(fired), values=list(values), steps=STEPS))
    out = subprocess.run([os.environ.get("SYNFIRE", HERE/"bin/synfire"), "run", folder/"net.star", "--quiet", "--out", folder/"out", "--backend", "cpu"],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    for k, want in fired.items():
        t, i = (np.load(folder/f"out/spikes_{k.replace('.', '_')}/{c}.npy") for c in "ti")
        assert [[round(a*1000), int(b)] for a, b in zip(t, i)] == want, k
    for k, want in values.items():
        got = np.load(folder/f"out/v_{k}.npy")
        assert np.allclose(got, want, rtol=1e-5, atol=1e-6), (k, got, want)
    print("the same spikes in Synfire, values within 1e-5")
    (folder/"back.json").write_text(out)
    subprocess.run([sys.executable, "-m", "synfire.nir", folder/"back.json", folder/"back.nir"], check=True)
    same(g, nir.read(folder/"back.nir"))
    print("written back by Synfire: the file says the same")


OWN = """
P = SpikeGeneratorGroup(5, [], []*ms)
G = NeuronGroup(4, 'dv/dt = (-65*mV - v + drive)/(20*ms) : volt\\ndrive : volt', threshold='v > -50*mV', reset='v = -65*mV', method='euler')
H = NeuronGroup(3, 'dv/dt = 20*Hz : 1', threshold='v > 1', reset='v = 0', method='euler')
C = NeuronGroup(2, 'dv/dt = (i_syn - v)/(10*ms) : 1\\ndi_syn/dt = -i_syn/(5*ms) : 1', method='euler')
G.drive = 'i*mV'
links = [Synapses(P, G, on_pre='v += 2*mV'), Synapses(G, G, 'w : volt', on_pre='v -= w', delay=1.5*ms), Synapses(G, H, on_pre='v += 0.1'), Synapses(H, C, on_pre='i_syn += 1')]
for S in links:
    S.connect(p=0.7)
links[1].w = 'rand()*mV'
links[2].delay = 'i*0.1*ms + j*ms'
print(export_nir())
"""


def own():
    """A network in its own words: the file of what export_nir() gives says the same."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder)/"own.star").write_text(OWN)
        text = subprocess.run([os.environ.get("SYNFIRE", HERE/"bin/synfire"), "run", Path(folder)/"own.star", "--quiet"], check=True, stdout=subprocess.PIPE, text=True).stdout
        g = from_json(text)
        nir.write(Path(folder)/"own.nir", g)
        same(g, nir.read(Path(folder)/"own.nir"))
        kinds = sorted({type(n).__name__ for n in g.nodes.values()})
        assert kinds == ["Affine", "CubaLI", "Delay", "IF", "Input", "LIF", "Linear", "Output"], kinds
        print(f"export_nir(): a file of {len(g.nodes)} nodes")


def main():
    own()
    for name, graph in [("net", example()), ("layers", layers())]:
        with tempfile.TemporaryDirectory() as folder:
            check(name, graph, Path(folder), "--write" in sys.argv)


if __name__ == "__main__":
    main()
