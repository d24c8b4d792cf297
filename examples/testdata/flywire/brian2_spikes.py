"""Brian2's spikes of the brain of make.py, the model written as Shiu et al.'s model.py has it: spikes.csv. Every driven neuron is kicked in every step, so that nothing is drawn.

pip install brian2 pandas pyarrow; python brian2_spikes.py
"""
import re

import numpy as np
import pandas as pd
from brian2 import Hz, Network, NeuronGroup, PoissonInput, SpikeMonitor, Synapses, mV, ms, prefs

prefs.codegen.target = "numpy"
index = {number: k for k, number in enumerate(pd.read_csv("cells.csv", index_col=0).index)}
edges = pd.read_parquet("edges.parquet")
published = re.search(r"param\('driven', \[(.*?)\]", open("../../flywire.star").read(), re.S).group(1)
driven = [int(x) for x in published.split(",")]
names = dict(v_0=-52*mV, v_rst=-52*mV, v_th=-45*mV, t_mbr=20*ms, tau=5*ms)
neurons = NeuronGroup(len(index), """dv/dt = (v_0 - v + g)/t_mbr : volt (unless refractory)
                                     dg/dt = -g/tau : volt (unless refractory)
                                     rfc : second""", method="linear", threshold="v > v_th", reset="v = v_rst; g = 0*mV", refractory="rfc", namespace=names)
neurons.v = -52*mV
neurons.rfc = 2.2*ms
synapses = Synapses(neurons, neurons, "w : volt", on_pre="g += w", delay=1.8*ms)
synapses.connect(i=edges["Presynaptic_Index"].values, j=edges["Postsynaptic_Index"].values)
synapses.w = edges["Excitatory x Connectivity"].values*0.275*mV
inputs = []
for number in driven:
    k = index[number]
    inputs.append(PoissonInput(neurons[k:k + 1], "v", 1, 10000*Hz, weight=250*0.275*mV))
    neurons[k:k + 1].rfc = 0*ms
spikes = SpikeMonitor(neurons)
Network(neurons, synapses, spikes, inputs).run(30*ms)
pd.DataFrame({"step": np.round(np.asarray(spikes.t/ms)*10).astype(int), "i": np.asarray(spikes.i)}).sort_values(["step", "i"]).to_csv("spikes.csv", index=False)
