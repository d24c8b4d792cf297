"""Brian2's side: what a script shows, how far that is determined, and how far rounding may move it.

A script runs several times in one process: once as it is (float64) and several times with every rounding that Synfire's contract allows made many times
larger and pushed to one side (see README.md here). These runs answer two questions. Until when are the spikes, events, integers and conditions of all runs
the same? Only until then the network says what a simulator must show. And how far do the values part? That much, and little more, they may differ.
"""
import gc
import re
import zlib

import numpy as np
import brian2
from brian2 import Network, NeuronGroup, Synapses, defaultclock, ms, start_scope
from brian2.codegen.generators.numpy_generator import NumpyCodeGenerator
from brian2.codegen.permutation_analysis import OrderDependenceError, check_for_order_independence
from brian2.core.clocks import Clock
from brian2.core.magic import magic_network
from brian2.core.names import Nameable
from brian2.groups.neurongroup import StateUpdater
from brian2.synapses.synapses import SummedVariableUpdater, SynapticPathway

STORE = 2.0**-22   # four units of float32's last place at each store
CLOCK = 2.0**-23   # t within an expression is a float32
WEIGHT = 2.0**-12  # what a weight may be off on its way to the target
RUNS = [("down", -1), ("up", 1), ("mixed", 0), ("drawn", 0)]

class Late(BaseException):
    """A network takes longer than it may."""


state = None  # of the run that is under way


class Run:
    def __init__(self, kind, seed):
        self.kind, self.seed, self.rng = kind, seed, np.random.default_rng(seed + 10)
        self.sim, self.trace, self.lines, self.now = 0, {}, [], {}
        self.last = {}
        self.ordered = False  # some result depends on the order of synapses

    def side(self, key, n):
        """The side to which n values are pushed: always the same one for an object."""
        if self.kind is None:
            return np.zeros(n)
        if self.kind in ("down", "up"):
            return np.full(n, float(self.seed))
        if self.kind == "drawn":
            return self.rng.uniform(-1, 1, n)
        return np.random.default_rng([zlib.crc32(key.encode()), self.seed]).choice([-1.0, 1.0], n)

    def look(self, group, t):
        """Notes what is discrete in a group, and pushes what has been stored since the last look."""
        digest = 0
        for name, var in sorted(group.variables.items()):
            if not isinstance(var, brian2.core.variables.ArrayVariable) or var.owner is None or var.owner.name != group.name or name in ("t", "dt", "t_in_timesteps", "i", "N"):
                continue
            x = var.get_value()
            if x.dtype.kind in "iub" or name in ("lastspike", "lastupdate"):
                digest = zlib.crc32(np.ascontiguousarray(x).tobytes() + name.encode(), digest)
            elif self.kind is not None and not var.read_only and (not isinstance(group, Synapses) or name in learned(group)):
                key = f"{self.sim} {group.name}.{name}"
                old = self.last.get(key)
                changed = np.ones(len(x), bool) if old is None or len(old) != len(x) else x != old
                x[changed] += STORE*(np.abs(x)*self.side(key, len(x)))[changed]
                self.last[key] = x.copy()
        self.trace.setdefault(self.sim, []).append((t, float(group.clock.dt_), group.name, digest))


    def weights(self, synapses):
        """Pushes each weight that has been set since the last run."""
        for name, var in synapses.variables.items():
            if isinstance(var, brian2.core.variables.ArrayVariable) and var.owner is not None and var.owner.name == synapses.name and not var.read_only and var.get_value().dtype.kind == "f" and name not in ("delay", "lastupdate", "t", "dt") and name not in learned(synapses):
                key, x = f"{self.sim} {synapses.name}.{name}", var.get_value()
                old = self.last.get(key)
                changed = np.ones(len(x), bool)
                if old is not None:
                    changed[:len(old)] = x[:len(old)] != old
                x[changed] += WEIGHT*(np.abs(x)*self.side(key, len(x)))[changed]
                self.last[key] = x.copy()


def learned(synapses):
    """The variables that a run changes: no weights of a table, but float32's."""
    found = set(synapses.equations.diff_eq_names)
    for o in list(synapses._pathways) + synapses.contained_objects:
        found |= set(re.findall(r"(\w+) *[-+*/]?=(?!=)", getattr(o, "code", "") or ""))
        found |= set(re.findall(r"(\w+) *[-+*/]?=(?!=)", str((getattr(o, "abstract_code", "") or ""))))
    return found


def now(clock):
    return clock.variables["t"].get_value().item()


def update(updater):
    group = updater.group
    # before the equations advance: what has been stored by assignments, synapses and resets
    state.look(group, now(group.clock))
    for code in updater._code_objects:
        code()
    state.look(group, now(group.clock))


def deliver(pathway):
    ends = {g.name: g for g in (pathway.synapses.source, pathway.synapses.target)}
    found = []
    for g in ends.values():
        g = getattr(g, "source", g)
        for name, var in g.variables.items():
            if isinstance(var, brian2.core.variables.ArrayVariable) and not var.read_only and var.get_value().dtype.kind == "f" and name not in ("t", "dt", "lastspike"):
                found.append((f"{pathway.name} {g.name}.{name}", var.get_value(), var.get_value().copy()))
    for code in pathway._code_objects:
        code()
    if state.kind is not None:
        for key, x, old in found:
            d = x - old
            if d.any():
                x += np.abs(d)*WEIGHT*state.side(key, len(x))
    state.look(pathway.synapses, now(pathway.clock))


def add_up(updater):
    """A summed variable: its terms are float32, and may cancel."""
    for code in updater._code_objects:
        code()
    if state.kind is not None:
        x = updater.target_var.get_value()
        if len(x):
            x += STORE*np.abs(x).max()*state.side(f"{updater.target.name}.{updater.target_varname}", len(x))


def advance(clock):
    step = clock.variables["timestep"].get_value().item() + 1
    clock.variables["timestep"].set_value(step)
    t = step*clock.dt_
    clock.variables["t"].set_value(t*(1 + CLOCK*state.side("t", 1)[0]) if state.kind in ("down", "up") else t)


vectorise = NumpyCodeGenerator.vectorise_code


def ordered(self, statements, variables, variable_indices, index="_idx"):
    """Notes code whose result depends on the order of synapses."""
    try:
        check_for_order_independence(statements, variables, variable_indices)
    except OrderDependenceError:
        state.ordered = True
    return vectorise(self, statements, variables, variable_indices, index)


NumpyCodeGenerator.vectorise_code = ordered
network_run = Network.run


def run_network(self, *args, **kwds):
    kwds["level"] = kwds.get("level", 0) + 1
    for obj in self.objects:  # Brian2's run() has collected them
        if isinstance(obj, Synapses) and state.kind is not None:
            state.weights(obj)
    result = network_run(self, *args, **kwds)
    for obj in self.sorted_objects:
        if isinstance(obj, NeuronGroup):
            state.look(obj, float(self.t_))
    state.now[state.sim] = float(self.t_)
    return result


StateUpdater.run = update
SynapticPathway.run = deliver
SummedVariableUpdater.run = add_up
Clock.advance = advance
Network.run = run_network


# The words in which a script shows what it made; synfire.py has them for Synfire. A line is (simulation, kind, name, times, values).
def begin(sim):
    state.sim = sim


def array(x):
    return np.array(np.asarray(x), dtype=float)


def show_values(name, x):
    state.lines.append((state.sim, "values", name, None, array(x[:])))
    state.lines[-1] = (state.sim, "values", name, np.full(len(state.lines[-1][4]), state.now.get(state.sim, 0.0)), state.lines[-1][4])


def show_states(name, M, variables):
    for v in variables:
        for k, row in enumerate(np.atleast_2d(getattr(M, v))):
            state.lines.append((state.sim, "states", f"{name}.{v}[{k}]", array(M.t), array(row)))


def show_events(name, M, variables):
    t = array(M.t)
    state.lines.append((state.sim, "times", name, t, t))
    state.lines.append((state.sim, "indices", name, t, array(M.i)))
    for v in variables:
        state.lines.append((state.sim, "at events", f"{name}.{v}", t, array(getattr(M, v))))


def show_rate(name, R):
    state.lines.append((state.sim, "rate", name, array(R.t), array(R.rate)))


def simulate(src, kind=None, seed=0):
    global state
    state = Run(kind, seed)
    start_scope()
    defaultclock.dt = 0.1*ms
    space = dict(vars(brian2))
    space.update(begin=begin, show_values=show_values, show_states=show_states, show_events=show_events, show_rate=show_rate)
    exec(compile(src, "network", "exec"), space)
    space.clear()
    gc.collect()
    return state


def determined(runs):
    """For each simulation the time from which the runs differ in something discrete (inf: never)."""
    until = {}
    for sim, trace in runs[0].trace.items():
        until[sim] = np.inf
        for other in runs[1:]:
            for (t, dt, name, x), (_, _, _, y) in zip(trace, other.trace.get(sim, [])):
                if x != y:
                    until[sim] = min(until[sim], t - dt)
                    break
    return until


def tolerances(src, plain):
    """Until when each simulation is determined, and by how much each value may be off, line by line."""
    runs = [plain] + [simulate(src, kind, seed) for kind, seed in RUNS]
    until = determined(runs)
    spreads = []
    for k, (sim, kind, name, times, values) in enumerate(plain.lines):
        sure = int(np.sum(times < until.get(sim, np.inf) - 1e-9))
        spread = np.zeros(len(values))
        for other in runs[1:]:
            x = other.lines[k][4]
            m = min(sure, len(x))
            spread[:m] = np.maximum(spread[:m], np.abs(x[:m] - values[:m]))
        spreads.append(spread)
    return until, spreads
