"""train() beside snnTorch: the same network, the same spikes into it, the same surrogate (`make snntorch`).

Two layers of leaky integrators, beta 0.9, threshold 1, from which 1 is subtracted in the step after a spike; a spike arrives in the
next step. In snnTorch, Leaky(beta, reset_mechanism='subtract') with cur = 0.9*W @ (spikes of the step before); here, net.star.
Fast sigmoid of slope 25, the reset detached, cross entropy of the spike counts, all samples as one batch. Compared are every spike at
the first weights, the gradients there, and the loss of each epoch of Adam; snnTorch in float64 is what both it in float32 and Synfire
are held against. Prints a table of Markdown, and with --write writes it to results.md.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import snntorch
import torch
from snntorch import surrogate

HERE = Path(__file__).resolve().parent
STEPS, EPOCHS, BETA = 40, 60, 0.9
SAMPLES, INPUTS, HIDDEN, CLASSES = 60, 30, 40, 4


def data():
    r = np.random.default_rng(1)
    rates = r.random((CLASSES, INPUTS))**3*0.3
    labels = np.arange(SAMPLES) % CLASSES
    return r.random((SAMPLES, STEPS, INPUTS)) < rates[labels][:, None], labels, 0.3*r.normal(size=(HIDDEN, INPUTS)), 0.2*r.normal(size=(CLASSES, HIDDEN)) + 0.05


class Net:
    def __init__(self, x, labels, W, V, dtype):
        self.x, self.labels = torch.tensor(x, dtype=dtype), torch.tensor(labels)
        self.W, self.V = (torch.tensor(w, dtype=dtype, requires_grad=True) for w in (W, V))
        self.layers = [snntorch.Leaky(beta=BETA, threshold=1.0, spike_grad=surrogate.fast_sigmoid(slope=25), reset_mechanism="subtract") for _ in range(2)]
        for layer in self.layers:
            layer.to(dtype)

    def spikes(self):
        mem = [torch.zeros(SAMPLES, n, dtype=self.W.dtype) for n in (HIDDEN, CLASSES)]
        before, fired = torch.zeros(SAMPLES, HIDDEN, dtype=self.W.dtype), ([], [])
        given = torch.zeros_like(self.x[:, 0])
        for t in range(STEPS):
            h, mem[0] = self.layers[0](BETA*(given @ self.W.T), mem[0])
            o, mem[1] = self.layers[1](BETA*(before @ self.V.T), mem[1])
            before, given = h.to(self.W.dtype), self.x[:, t]
            fired[0].append(h)
            fired[1].append(o)
        return [torch.stack(f, 1) for f in fired]

    def loss(self):
        counts = self.spikes()[1].to(self.W.dtype).sum(1)
        return torch.nn.functional.cross_entropy(counts, self.labels), (counts.argmax(1) == self.labels).double().mean().item()

    def gradients(self):
        self.loss()[0].backward()
        out = [p.grad.detach().double().numpy().copy() for p in (self.W, self.V)]
        self.W.grad = self.V.grad = None
        return out

    def fit(self):
        adam, losses = torch.optim.Adam([self.W, self.V], lr=0.005), []
        for _ in range(EPOCHS):
            adam.zero_grad()
            loss, accuracy = self.loss()
            loss.backward()
            adam.step()
            losses.append(loss.item())
        return np.array(losses), accuracy


def raster(spikes):
    return {(int(k), layer, int(t), int(i)) for layer, s in enumerate(spikes) for k, t, i in s.nonzero()}


def synfire(x, labels, W, V):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, a in {"W": W, "V": V, "labels": labels, **dict(zip(("sample", "when", "who"), np.nonzero(x)))}.items():
            np.save(folder/f"{name}.npy", a)
        (folder/"net.star").write_text((HERE/"net.star").read_text())
        subprocess.run([os.environ.get("SYNFIRE", HERE/"../../bin/synfire"), "run", folder/"net.star", "--quiet", "--out", folder/"out", "--backend", "cpu",
                        "--set", f"steps={STEPS}", "--set", f"epochs={EPOCHS}"], check=True)
        found = {}
        for name in ("counts", "spikes", "dW", "dV", "loss", "accuracy"):
            found[name] = np.load(next((folder/"out").rglob(f"{name}.npy")))
        return found


def main():
    torch.set_num_threads(1)
    x, labels, W, V = data()
    W, V = W.astype(np.float32).astype(float), V.astype(np.float32).astype(float)
    ours = synfire(x, labels, W, V)
    spikes = {tuple(int(a) for a in row) for row in ours["spikes"]}
    exact, single = Net(x, labels, W, V, torch.float64), Net(x, labels, W, V, torch.float32)
    want = raster(exact.spikes())
    assert np.array_equal(exact.spikes()[1].sum(1).detach().numpy(), ours["counts"]), "evaluate() counts other spikes"
    off_spikes = len(raster(single.spikes()) ^ want)
    grads, grads32 = exact.gradients(), single.gradients()
    own = [ours["dW"].reshape(INPUTS, HIDDEN).T, ours["dV"].reshape(HIDDEN, CLASSES).T]
    (loss, accuracy), (loss32, accuracy32) = exact.fit(), single.fit()

    def off(a, b):
        return f"{np.linalg.norm(a - b)/np.linalg.norm(b):.1e}"
    epochs = [0, 1, 2, 9, 19, EPOCHS - 1]
    rows = [
        ("spikes, of which not the same", f"{len(want)}", f"{off_spikes}", f"{len(spikes ^ want)}"),
        ("gradient of the first matrix: distance, of its length", "", off(grads32[0], grads[0]), off(own[0], grads[0])),
        ("gradient of the second", "", off(grads32[1], grads[1]), off(own[1], grads[1])),
        *((f"loss in epoch {k + 1}", f"{loss[k]:.6f}", f"{loss32[k]:.6f}", f"{ours['loss'][k]:.6f}") for k in epochs),
        ("largest difference of the loss in 10 epochs", "", f"{np.abs(loss32 - loss)[:10].max():.1e}", f"{np.abs(ours['loss'] - loss)[:10].max():.1e}"),
        (f"largest in {EPOCHS}", "", f"{np.abs(loss32 - loss).max():.1e}", f"{np.abs(ours['loss'] - loss).max():.1e}"),
        ("told right in the last epoch", *(f"{100*a:.1f} %" for a in (accuracy, accuracy32, ours["accuracy"][-1]))),
    ]
    version = subprocess.run([os.environ.get("SYNFIRE", HERE/"../../bin/synfire"), "version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    text = f"snnTorch {snntorch.__version__}, torch {torch.__version__.split('+')[0]}, {version}: {SAMPLES} samples of {STEPS} steps, {INPUTS} inputs, {HIDDEN} and {CLASSES} cells, {EPOCHS} epochs.\n\n"
    text += "| | snnTorch, float64 | snnTorch, float32 | Synfire |\n|---|---|---|---|\n" + "".join(f"| {' | '.join(r)} |\n" for r in rows)
    print(text, end="")
    if "--write" in sys.argv:
        (HERE/"results.md").write_text(text)
    assert spikes == want, "not the same spikes"
    assert all(np.linalg.norm(a - b) < 1e-4*np.linalg.norm(b) for a, b in zip(own, grads)), "not the same gradients"
    assert np.abs(ours["loss"] - loss)[:2].max() < 1e-5 and np.abs(ours["loss"] - loss).max() < 0.01*loss[0], "not the same loss"


if __name__ == "__main__":
    main()
