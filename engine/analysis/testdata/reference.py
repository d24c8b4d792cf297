"""Writes reference.json beside this file: data, and what Elephant, SciPy, networkx, the Brain Connectivity Toolbox and
plain NumPy make of them. TestReference holds package analysis against it. `make analysis-reference` runs this."""
import datetime
import importlib.metadata
import json
import os
import platform
import warnings

warnings.filterwarnings('ignore')
import bct
import elephant.conversion
import elephant.spike_train_correlation
import elephant.spike_train_dissimilarity
import elephant.statistics
import networkx
import neo
import numpy
import quantities as pq
import scipy.signal

draw = numpy.random.default_rng(18)
DT, DURATION, N, BIN = 1e-4, 8.0, 6, 0.01

# Gamma processes of several irregularities; cells 0, 1 and 2 share events, with a jitter of 2 ms.
shared = draw.choice(int(DURATION/DT), 60, replace=False)
steps = []
for k in range(N):
    times = numpy.cumsum(draw.gamma(1 + k, 1/((1 + k)*(8 + 3*k)), 400))
    own = (times[times < DURATION]/DT).astype(int)
    if k < 3:
        own = numpy.concatenate([own, shared + draw.integers(-20, 20, len(shared))])
    own = numpy.unique(own[(own >= 0) & (own < DURATION/DT)])
    steps.append([int(s) for s in own])
trains = [neo.SpikeTrain(numpy.array(s)*DT, units='s', t_stop=DURATION) for s in steps]

# Two signals sampled at 1 kHz, in thousandths: 40 Hz in both, and noise.
t = numpy.arange(1500)/1000
common = numpy.sin(2*numpy.pi*40*t)
x = numpy.round(1000*(common + draw.normal(size=len(t)) + 2)).astype(int)
y = numpy.round(1000*(numpy.roll(common, 3) + 0.5*draw.normal(size=len(t)))).astype(int)


def values(a):
    return [float(v) for v in numpy.asarray(a).ravel()]


binned = elephant.conversion.BinnedSpikeTrain(trains, bin_size=BIN*pq.s)
counts = binned.to_array()
corr = elephant.spike_train_correlation.correlation_coefficient(binned)
cch, lags = elephant.spike_train_correlation.cross_correlation_histogram(binned[0], binned[1], window=[-5, 5])
vp = elephant.spike_train_dissimilarity.victor_purpura_distance(trains, 50*pq.Hz)
vr = elephant.spike_train_dissimilarity.van_rossum_distance(trains, 0.02*pq.s)
f, pxx = scipy.signal.welch(x/1000, fs=1000, window='hann', nperseg=250)
_, odd = scipy.signal.welch(x/1000, fs=1000, window='hann', nperseg=101)
_, cxy = scipy.signal.coherence(x/1000, y/1000, fs=1000, window='hann', nperseg=250)

# Of no library: the definitions, in NumPy.
v = numpy.array([(x if k % 2 else y)[k*50:k*50 + 1000]/1000 for k in range(6)])
synchrony = v.mean(0).var()/v.var(1).mean()
at = numpy.arange(0, DURATION, 0.05)
phases = []
for s in steps:
    own = numpy.array(s)*DT
    phases.append(numpy.interp(at, own, 2*numpy.pi*numpy.arange(len(own)), left=numpy.nan, right=numpy.nan))
kuramoto = numpy.abs(numpy.exp(1j*numpy.array(phases)).mean(0))
times = numpy.array(steps[0])*DT
breaks = numpy.flatnonzero(numpy.diff(times) > 0.02 + 1e-9)
runs = [r for r in numpy.split(times, breaks + 1) if len(r) >= 3]
active = counts.sum(0) > 0
edges = numpy.flatnonzero(numpy.diff(active.astype(int)))
avalanches = [(int(counts.sum(0)[a + 1:b + 1].sum()), int(b - a)) for a, b in zip(edges, edges[1:]) if active[a + 1]]

# Zachary's karate club with its weights, and a small world.
club = networkx.karate_club_graph()
halves = [0 if club.nodes[k]['club'] == 'Mr. Hi' else 1 for k in club]
w = networkx.to_numpy_array(club)
world = networkx.watts_strogatz_graph(60, 6, 0.1, seed=3)

reference = {
    'date': datetime.date.today().isoformat(),
    'versions': {'python': platform.python_version(), **{m: importlib.metadata.version(m) for m in ('elephant', 'scipy', 'networkx', 'bctpy', 'numpy')}},
    'spikes': dict(dt=DT, duration=DURATION, steps=steps),
    'signals': dict(rate=1000, unit=0.001, x=x.tolist(), y=y.tolist()),
    'bin': BIN,
    'rates': [float(elephant.statistics.mean_firing_rate(s).rescale('Hz')) for s in trains],
    'isi': values(elephant.statistics.isi(trains[5])),
    'cv': [float(elephant.statistics.cv(elephant.statistics.isi(s))) for s in trains],
    'cv2': [float(elephant.statistics.cv2(elephant.statistics.isi(s))) for s in trains],
    'fano': float(elephant.statistics.fanofactor(trains)),
    'counts': [int(c) for c in counts[2]],
    'correlation_matrix': values(corr),
    'correlation': float(corr[numpy.triu_indices(N, 1)].mean()),
    'cross_correlogram': dict(lags=values(lags*BIN), counts=values(cch.magnitude)),
    'victor_purpura': values(vp),
    'van_rossum': values(vr),
    'spectrum': dict(frequencies=values(f), power=values(pxx), power_odd=values(odd)),
    'coherence': values(cxy),
    'synchrony': float(synchrony),
    'kuramoto': dict(times=values(at), r=[None if numpy.isnan(r) else float(r) for r in kuramoto]),
    'bursts': [[float(r[0]), float(r[-1]), len(r)] for r in runs],
    'avalanches': avalanches,
    'club': dict(weights=[int(z) for z in w.ravel()], halves=halves,
                 clustering=[float(c) for c in networkx.clustering(club).values()],
                 path_length=float(networkx.average_shortest_path_length(club)),
                 modularity=float(networkx.community.modularity(club, [[k for k in club if halves[k] == h] for h in (0, 1)])),
                 louvain=float(networkx.community.modularity(club, networkx.community.louvain_communities(club, seed=1))),
                 participation=values(bct.participation_coef(w, numpy.array(halves) + 1)),
                 within_module_z=values(bct.module_degree_zscore(w, numpy.array(halves) + 1))),
    'world': dict(links=[[int(a), int(b)] for a, b in world.edges], nodes=60,
                  clustering=float(networkx.average_clustering(world)),
                  path_length=float(networkx.average_shortest_path_length(world))),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'reference.json'), 'w') as out:
    out.write('{\n' + ',\n'.join(json.dumps(k) + ': ' + json.dumps(v) for k, v in reference.items()) + '\n}\n')
print('reference.json:', ', '.join(f'{k} {v}' for k, v in reference['versions'].items()))
