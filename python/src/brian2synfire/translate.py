"""A network of Brian2 as statements of Synfire's script language, and what is refused.

A Script belongs to one network. update() adds the statements that are missing: all of them before the first run, later
what has changed since. Nothing is sent from here: Session (session.py) hands the statements to the engine.
"""
import weakref

import numpy as np
from brian2.core.clocks import Clock, EventClock
from brian2.core.functions import Function
from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS
from brian2.core.network import Network
from brian2.core.operations import NetworkOperation
from brian2.core.preferences import prefs
from brian2.core.base import BrianObject, BrianObjectException
from brian2.core.variables import ArrayVariable, Constant, Subexpression
from brian2.equations.equations import DIFFERENTIAL_EQUATION
from brian2.groups.group import CodeRunner
from brian2.groups.neurongroup import NeuronGroup, Resetter, StateUpdater, SubexpressionUpdater, Thresholder
from brian2.groups.subgroup import Subgroup
from brian2.input.binomial import BinomialFunction
from brian2.input.poissongroup import PoissonGroup
from brian2.input.poissoninput import PoissonInput
from brian2.input.spikegeneratorgroup import SpikeGeneratorGroup
from brian2.input.timedarray import TimedArray
from brian2.monitors.ratemonitor import PopulationRateMonitor
from brian2.monitors.spikemonitor import EventMonitor, SpikeMonitor
from brian2.monitors.statemonitor import StateMonitor
from brian2.synapses.synapses import StateUpdater as SynapsesUpdater
from brian2.synapses.synapses import SummedVariableUpdater, Synapses, SynapticPathway
from brian2.units import second
from brian2.units.fundamentalunits import DIMENSIONLESS
from brian2.utils.stringtools import get_identifiers, word_substitute

from . import text
from .errors import Refused
from .text import arguments, assigned, quantity, quoted

SYMPYS = {"simplify"}  # options of methods that tell sympy how to go about it
DEFAULT_SCHEDULE = ["start", "groups", "thresholds", "synapses", "resets", "end"]
SOURCES = (NeuronGroup, PoissonGroup, SpikeGeneratorGroup)
MONITORS = (StateMonitor, EventMonitor, PopulationRateMonitor)
# What stands in the statement of the object it belongs to, with the slot of a step that it has there.
PARTS = {StateUpdater: "groups", SynapsesUpdater: "groups", SubexpressionUpdater: "before_start", SummedVariableUpdater: "groups", SynapticPathway: "synapses"}


def kind(obj):
    """The class of Brian2 that an object is one of; proxies and classes of users derived from it count."""
    for c in obj.__class__.__mro__:
        if c in KNOWN:
            return c
    return None


def run_regularly(obj):
    return obj.__class__ is CodeRunner and obj.template == "stateupdate"


def own_variables(group):
    """The arrays that belong to a group and that a user may set, by name."""
    return {v.name: v for k, v in group.variables.items() if isinstance(v, ArrayVariable) and not v.read_only and not v.name.startswith("_")
            and k == v.name and getattr(v.owner, "name", None) == group.name}


def own_arrays(net):
    """The arrays of all objects of a network, as store() takes them down."""
    for obj in net.sorted_objects:
        for var in getattr(obj, "variables", {}).values():
            if isinstance(var, ArrayVariable) and var.owner is not None:
                yield var


def to_keep(namespace):
    """What texts can name of a namespace that is kept: while its objects and networks are, these would not go away."""
    return {n: v for n, v in namespace.items() if not isinstance(v, (BrianObject, Network))}


def constant_over_dt(group):
    """Subexpressions that are worked out at the start of a step, by name: Brian2 keeps them as parameters."""
    updater = getattr(group, "subexpression_updater", None)
    return dict(line.split(" = ", 1) for line in updater.abstract_code.splitlines()) if updater is not None else {}


def synaptic_model(S):
    """The lines of the equations of Synapses as their user wrote them."""
    constant = constant_over_dt(S)
    lines, seen = [], {S.multisynaptic_index}
    for equations, flag in ((S.equations, None), (S.event_driven or {}, "event-driven")):
        for eq in equations.values():
            if eq.varname in seen:
                continue
            seen.add(eq.varname)
            if eq.varname in constant:
                flags = ["constant over dt", *eq.flags]
                lines.append(f"{eq.varname} = {text.one_line(constant[eq.varname])} : {text.unit_of_equation(eq)} ({', '.join(flags)})")
            elif flag and eq.type == DIFFERENTIAL_EQUATION:
                lines.append(text.equation(eq, ["event-driven"]))
            else:
                lines.append(text.equation(eq, ["clock-driven"] if eq.type == DIFFERENTIAL_EQUATION else None))
    for name, updater in S.summed_updaters.items():
        lines.append(f"{name} = {text.one_line(updater.expression.code)} : {text.unit(S.variables['_summed_' + name].dim)} (summed)")
    return lines


def codes(obj):
    """The texts with statements that an object runs."""
    if isinstance(obj, Synapses):
        own = [p.code for p in obj._pathways]
    else:
        own = [c for c in getattr(obj, "event_codes", {}).values() if c]
    return own + [r.abstract_code for r in getattr(obj, "contained_objects", ()) if run_regularly(r)]


def written(objects):
    """The names that some code assigns, without _pre and _post."""
    names = {n for o in objects for c in codes(o) for n in assigned(c)}
    names |= {n for o in objects if isinstance(o, Synapses) for n in o.summed_updaters}
    names |= {o._target_var for o in objects if isinstance(o, PoissonInput)}
    names |= {o.variables[n].name for o in objects for n in getattr(o, "_linked_variables", ()) if n in names and n in o.variables}
    return {n.removesuffix("_post").removesuffix("_pre") for n in names}


def changing(group, names):
    """The variables of a group that a run may change, by name; names are those that code assigns."""
    if kind(group) not in (NeuronGroup, PoissonGroup, Synapses):
        return {}
    moving = set(names) | {"lastspike", "not_refractory", "lastupdate"} | set(constant_over_dt(group))
    for equations in (getattr(group, "equations", None), getattr(group, "event_driven", None)):
        moving |= equations.diff_eq_names if equations is not None else set()
    return {n: v for n, v in own_variables(group).items() if n in moving}


class Script:
    """The statements of one network."""

    def __init__(self, device, reserved):
        self.device = device
        self.reserved = set(reserved)
        self.names = {}        # name in Brian2: name in the script
        self.taken = set(reserved)
        self.definitions = {}  # name: text
        self.objects = {}      # name: object, of those in the session
        self.namespaces = {}   # name: {name: text}
        self.inputs = {}       # name of a generator: its spikes
        self.functions = {}    # id: (name, function, copy of the values)
        self.clocks = {}
        self.known = set()     # variables whose value the engine has
        self.connected = {}    # name of Synapses: number of synapses sent
        self.active = {}
        self.statements = []   # (text, object)
        self.arrays = {}       # name: (array, dimension), of statements
        self.default_dt = None

    # Statements.

    def say(self, statement, obj=None):
        self.statements.append((statement, obj))

    def array(self, values, dim=DIMENSIONLESS, like="a"):
        """The name of an array in a statement."""
        name = text.identifier(f"{like}_{len(self.arrays) + 1}", self.taken)
        values = np.asarray(values)
        self.arrays[name] = (values if values.nbytes > KEPT else values.copy(), dim)  # a script's statements are kept for export()
        return name

    def name(self, obj):
        """What an object, or a part of a group, is called in the script."""
        if kind(obj) is Subgroup:
            return f"{self.name(obj.source)}[{obj.start}:{obj.stop}]"
        if obj.name not in self.names:
            self.names[obj.name] = text.identifier(obj.name, self.taken)
            self.taken.add(self.names[obj.name])
        return self.names[obj.name]

    def define(self, obj, definition):
        """Says what an object is, once."""
        before = self.definitions.get(obj.name)
        if before is None or self.objects[obj.name]() is not obj:
            if before is not None:
                raise Refused("another object of this name has been in the network", obj)
            self.definitions[obj.name] = definition
            self.objects[obj.name] = weakref.ref(obj)
            self.say(f"{self.name(obj)} = {definition}", obj)
            return True
        if before != definition:
            raise Refused(f"it was changed after it had run: it was {before}, it is {definition}", obj)
        return False

    def update(self, net, objects, run_namespace):
        """Adds what the engine has not been told yet; objects are those of the network in its order."""
        self.run_namespace, self.weights = run_namespace, [o for o in objects if kind(o) is PoissonInput]
        try:
            self.add(net, objects)
        finally:
            self.run_namespace = self.weights = None  # which hold the network and its objects, as a rule

    def add(self, net, objects):
        schedule = net.schedule
        if schedule != DEFAULT_SCHEDULE:
            raise Refused(f"the schedule {schedule}: a step has the slots {DEFAULT_SCHEDULE}", net)
        for obj in objects:
            self.check(obj)
        self.default_clock(objects)
        groups = [o for o in objects if kind(o) in SOURCES]
        for obj in groups:
            self.tell(obj, {NeuronGroup: self.neurons, PoissonGroup: self.poisson, SpikeGeneratorGroup: self.generator}[kind(obj)])
        for obj in groups:
            self.tell(obj, self.links)
        for obj in groups:
            self.tell(obj, self.values)
        for obj in after_sources([o for o in objects if kind(o) is Synapses]):
            self.tell(obj, self.synapses)
        for obj in objects:
            if run_regularly(obj):
                self.tell(obj, self.regular)
            elif kind(obj) in ONCE:
                self.tell(obj, getattr(self, ONCE[kind(obj)]))
        self.activity(objects)

    def tell(self, obj, how):
        """Errors name the object, as Brian2's do."""
        try:
            how(obj)
        except (Refused, BrianObjectException):
            raise
        except Exception as ex:
            raise BrianObjectException("An error occurred when preparing an object.", obj) from ex

    # What is refused at sight.

    def check(self, obj):
        of = kind(obj)
        if of is None and not run_regularly(obj):
            raise Refused(f"objects of the class {obj.__class__.__name__} are not known to it", obj)
        if not isinstance(obj.clock, (Clock, EventClock)):
            raise Refused(f"a clock of the class {type(obj.clock).__name__}", obj)
        slot = PARTS.get(of)
        if slot and obj.when != slot:
            raise Refused(f"when='{obj.when}': it runs in the slot '{slot}'", obj)
        if of is Resetter and obj.event == "spike" and obj.when != "resets":
            raise Refused(f"when='{obj.when}': resets run in the slot 'resets'", obj)
        if of in (PoissonGroup, SpikeGeneratorGroup) and obj.when != "thresholds":
            raise Refused(f"when='{obj.when}': its spikes come in the slot 'thresholds'", obj)
        for var in getattr(obj, "variables", {}).values() if of in SOURCES + (Synapses,) else ():
            if isinstance(var, ArrayVariable) and var.owner is not None and var.owner.name == obj.name and var.device is not self.device:
                raise Refused("it was made before set_device('synfire')", obj)

    # Clocks.

    def default_clock(self, objects):
        clock = self.device.defaultclock
        if self.default_dt is None or clock.dt_ != self.default_dt and any(o.clock is clock for o in objects):
            self.default_dt = clock.dt_
            self.say(f"defaultclock.dt = {quantity(clock.dt_, second.dim)}")

    def clock(self, obj, like=None):
        """dt= or clock= of a statement; like is the object whose clock it has otherwise."""
        clock = obj.clock
        if isinstance(clock, EventClock):
            if clock.name not in self.clocks:
                self.clocks[clock.name] = text.identifier(clock.name, self.taken)
                self.taken.add(self.clocks[clock.name])
                times = self.array(np.array([float(t) for t in clock._times[:-1]]), second.dim, "times")
                self.say(f"{self.clocks[clock.name]} = EventClock({times})", obj)
            return {"clock": self.clocks[clock.name]}
        default = like.clock if like is not None else self.device.defaultclock
        if clock is default or (not isinstance(default, EventClock) and clock.dt_ == default.dt_):
            return {}
        return {"dt": quantity(clock.dt_, second.dim)}

    # Names from outside.

    def namespace(self, group, statements=(), expressions=()):
        """The name of the dictionary with what the texts of a group need from outside; None where that is nothing."""
        names, local = set(), set()
        for c in map(text.without_comments, statements):
            names |= get_identifiers(c)
            local |= {n for n in assigned(c) if n not in group.variables}
        for e in expressions:
            names |= get_identifiers(e)
        resolved = group.resolve_all(names - local, self.run_namespace)
        entries = {}
        for n, value in sorted(resolved.items()):
            if n in group.variables:
                continue
            entry = self.entry(n, value, group)
            if entry is not None:
                entries[n] = entry
        name = text.identifier(self.name(group) + "_names", self.taken - {self.name(group) + "_names"})
        before = self.namespaces.get(group.name)
        if before is None:
            self.namespaces[group.name] = entries
            if entries:
                self.say(f"{name} = {{{', '.join(f'{quoted(n)}: {v}' for n, v in entries.items())}}}", group)
                self.taken.add(name)
            return name if entries else None
        for n, v in entries.items():
            if before.get(n) != v:
                if not before:
                    raise Refused(f"its texts need the name '{n}' from outside, which they did not when it first ran", group)
                self.say(f"{name}[{quoted(n)}] = {v}", group)
        before.update(entries)
        return name if before else None

    def entry(self, n, value, group):
        """The text for a name from outside; None where the language has it by itself."""
        standard = DEFAULT_FUNCTIONS.get(n, DEFAULT_CONSTANTS.get(n, DEFAULT_UNITS.get(n)))
        if standard is not None and (value is standard or isinstance(value, Constant)):
            if n in self.reserved or isinstance(value, Function):
                return None  # the engine says which functions it does not have
        if isinstance(value, Constant):
            return quantity(value.get_value(), value.dim)
        if isinstance(value, TimedArray):
            return self.timed_array(value)
        if isinstance(value, BinomialFunction):
            return self.binomial(value, group)
        if isinstance(value, Function):
            for known, f in DEFAULT_FUNCTIONS.items():
                if f is value:
                    return known
            raise Refused(f"{n}() is a function of Python or C++, which it cannot run", group)
        raise Refused(f"'{n}' is {type(value).__name__}, not a number or a function", group)

    def timed_array(self, f):
        known = self.functions.get(id(f))
        if known and known[1] is f and np.array_equal(known[2], f.values) and known[3] == f.dt:
            return known[0]
        name = text.identifier(f.name.lstrip("_"), self.taken)
        self.taken.add(name)
        self.say(f"{name} = TimedArray({self.array(f.values, f.dim, name)}, dt={quantity(f.dt, second.dim)})")
        self.functions[id(f)] = (name, f, f.values.copy(), f.dt)
        return name

    def binomial(self, f, group):
        if id(f) not in self.functions:
            n, p = binomial_parameters(f, group)
            name = text.identifier(f.name.lstrip("_"), self.taken)
            self.taken.add(name)
            self.say(f"{name} = BinomialFunction({text.number(n)}, {text.number(p)})", group)
            self.functions[id(f)] = (name, f)
        return self.functions[id(f)][0]

    # Groups.

    def neurons(self, G):
        if set(G.state_updater.method_options or ()) - SYMPYS or not isinstance(G.method_choice, (str, tuple, list)):
            raise Refused(f"method={G.method_choice!r}, method_options={G.state_updater.method_options!r}", G)
        refractory = G._refractory
        if refractory is not False and prefs.legacy.refractory_timing:
            raise Refused("prefs.legacy.refractory_timing", G)
        inside = [e.expr.code for e in G.user_equations.values() if e.expr is not None]
        inside += [c for c in G.events.values()] + [refractory] * isinstance(refractory, str)
        inside += [str(p._weight) for p in self.weights if isinstance(p._weight, str) and getattr(p._group, "source", p._group).name == G.name]
        names = self.namespace(G, codes(G), inside)
        model = "".join(f"\n    {text.equation(e)}" for e in G.user_equations.ordered)
        if refractory is False:
            held = None
        else:
            held = quoted(refractory) if isinstance(refractory, str) else repr(refractory) if isinstance(refractory, bool) else quantity(refractory)
        events = {e: c for e, c in G.events.items() if e != "spike"}
        reset = G.event_codes.get("spike")
        new = self.define(G, "NeuronGroup(" + arguments(
            str(len(G)), quoted(model + "\n") if model else "''", threshold=quoted(G.events["spike"]) if "spike" in G.events else None,
            reset=quoted(reset) if reset is not None else None, refractory=held,
            events="{" + ", ".join(f"{quoted(e)}: {quoted(c)}" for e, c in events.items()) + "}" if events else None,
            method=quoted(G.method_choice) if isinstance(G.method_choice, str) else None, namespace=names, **self.clock(G),
            order=G.order or None, name=quoted(G.name)) + ")")
        if not new:
            return
        for e, t in G.thresholder.items():
            if t.when != ("thresholds" if e == "spike" else "after_thresholds") or t.order != G.order:
                self.say(f"{self.name(G)}.set_event_schedule({quoted(e)}, when={quoted(t.when)}, order={t.order})", t)
        for e, code in G.event_codes.items():
            if e != "spike":
                r = G.resetter[e]
                self.say(f"{self.name(G)}.run_on_event({quoted(e)}, {quoted(code)}, when={quoted(r.when)}, order={r.order})", r)

    def poisson(self, P):
        rates = P._rates if isinstance(P._rates, str) else None
        names = self.namespace(P, codes(P), [rates] if rates else [])
        if names and not rates:
            raise Refused("run_regularly() of a PoissonGroup with names from outside", P)
        self.define(P, "PoissonGroup(" + arguments(str(len(P)), quoted(rates) if rates else "0*hertz", **self.clock(P), order=P.order or None, namespace=names, name=quoted(P.name)) + ")")

    def generator(self, G):
        period = float(G.variables["period"].get_value()[0])
        if not np.isfinite(period):
            period = 0.0
        spikes = (G._neuron_index, G._spike_time, period)
        before = self.inputs.get(G.name)
        if before is not None and before[0] is spikes[0] and before[1] is spikes[1] and before[2] == period:
            return
        self.inputs[G.name] = spikes
        i, t = self.array(np.asarray(spikes[0], dtype=np.int32), like="indices"), self.array(np.asarray(spikes[1], dtype=float), second.dim, "times")
        given = arguments(i, t, period=quantity(period, second.dim) if period else None)
        if before is None:
            self.define(G, f"SpikeGeneratorGroup({arguments(str(len(G)), given, **self.clock(G), order=G.order or None, name=quoted(G.name))})")
        else:
            self.say(f"{self.name(G)}.set_spikes({given})", G)

    def links(self, G):
        for x in sorted(getattr(G, "_linked_variables", ())):
            if x not in G.variables:
                raise TypeError(f"Link target for variable {x} has not been set.")
            if (G.name, x) in self.definitions:
                continue
            var, index = G.variables[x], G.variables.indices[x]
            owner, shown = (var.owner.name, var.name) if isinstance(var, ArrayVariable) else linked_subexpression(G, x, self.objects)
            if owner not in self.definitions:
                raise Refused(f"'{x}' is linked to '{owner}', which is not in the network", G)
            given = arguments(self.names[owner], quoted(shown))
            if index not in ("_idx", "0"):
                at = G.variables[index]
                if not at.constant and index in own_variables(G):
                    raise Refused(f"'{x}' is linked by way of '{index}', which may change", G)
                given += f", index={self.array(np.asarray(at.get_value()), like='index')}"
            self.definitions[(G.name, x)] = given
            self.say(f"{self.name(G)}.{x} = linked_var({given})", G)

    def values(self, G):
        """Sends what the engine does not have: all that is not as it begins, later what the host has changed."""
        if kind(G) is SpikeGeneratorGroup:
            return
        hidden = constant_over_dt(G)
        for n, var in own_variables(G).items():
            if n not in hidden:
                self.value(G, f"{self.name(G)}.{n}", var, BEGIN.get(n, 0))

    def value(self, obj, path, var, begin=0):
        new = var not in self.known
        if var in self.device.elsewhere or not (new or var in self.device.dirty):
            return
        self.known.add(var)
        array = self.device.get_value(var)
        self.device.dirty.discard(var)
        if array.size == 0 or (new and (array == begin).all()):
            return
        first = array.flat[0]
        if (array == first).all():
            self.say(f"{path} = {text.number(bool(first)) if array.dtype == bool else quantity(first, var.dim)}", obj)
        else:
            self.say(f"{path} = {self.array(array, var.dim, var.name)}", obj)

    # Synapses.

    def synapses(self, S):
        if S.state_updater is not None and (set(S.state_updater.method_options or ()) - SYMPYS or not isinstance(S.state_updater.method_choice, (str, tuple, list))):
            raise Refused(f"method={S.state_updater.method_choice!r}", S)
        if not S._connect_called:
            raise TypeError(f"Synapses object '{S.name}' does not do anything, since it has not created synapses with 'connect'. "
                            "Set its active attribute to False if you intend to do only do this for a subsequent run.")
        if S._linked_variables:
            raise Refused("linked variables of synapses", S)
        lines = synaptic_model(S)
        expressions = [e.expr.code for eqs in (S.equations, S.event_driven or {}) for e in eqs.values() if e.expr is not None]
        expressions += [u.expression.code for u in S.summed_updaters.values()] + list(constant_over_dt(S).values())
        names = self.namespace(S, codes(S), expressions)
        for side in (S.source, S.target):
            if kind(side) not in SOURCES + (Synapses, Subgroup):
                raise Refused(f"it connects {side.__class__.__name__}", S)
        pathways = {"pre": {}, "post": {}}
        for p in S._pathways:
            pathways[p.prepost][p.objname] = p.code
        def code(prepost):
            of = pathways[prepost]
            if not of:
                return None
            return quoted(of[prepost]) if list(of) == [prepost] else "{" + ", ".join(f"{quoted(n)}: {quoted(c)}" for n, c in of.items()) + "}"
        delays = {p.objname: quantity(self.first_delay(p), second.dim) for p in S._pathways if p.variables["delay"].scalar}
        events = {p.objname: p.event for p in S._pathways if p.event != "spike"}
        method = S.state_updater.method_choice if S.state_updater is not None else None
        new = self.define(S, "Synapses(" + arguments(
            self.name(S.source), self.name(S.target), model=quoted("".join(f"\n    {l}" for l in lines) + "\n") if lines else None, on_pre=code("pre"), on_post=code("post"),
            delay="{" + ", ".join(f"{quoted(n)}: {d}" for n, d in delays.items()) + "}" if delays else None,
            on_event="{" + ", ".join(f"{quoted(n)}: {quoted(e)}" for n, e in events.items()) + "}" if events else None,
            multisynaptic_index=quoted(S.multisynaptic_index) if S.multisynaptic_index else None, namespace=names,
            method=quoted(method) if isinstance(method, str) else None, **self.clock(S), order=(S.order or None) if S.state_updater is not None else None, name=quoted(S.name)) + ")")
        if new:
            for p in S._pathways:
                if p.order != (-1 if p.prepost == "pre" else 1):
                    self.say(f"{self.name(S)}.{p.objname}.order = {p.order}", p)
        self.connections(S)
        hidden = set(constant_over_dt(S)) | {S.multisynaptic_index, "delay"}
        for n, var in own_variables(S).items():
            if n not in hidden:
                self.value(S, f"{self.name(S)}.{n}", var)
        for p in S._pathways:
            var = p.variables["delay"]
            if new and var.scalar:
                self.known.add(var)
                self.device.dirty.discard(var)
            self.value(p, f"{self.name(S)}.{p.objname}.delay", var)

    def first_delay(self, p):
        """The delay with which a pathway was made; a later one is said in a statement of its own."""
        self.first = getattr(self, "first", {})
        return self.first.setdefault(p.name, float(np.asarray(p.variables["delay"].get_value()).flat[0]))

    def connections(self, S):
        """The calls of connect() that the engine has not seen: as they were made, or their synapses one by one."""
        waiting = self.device.deferred.get(S)
        if waiting is not None:
            waiting.say(self)
            return
        done = self.connected.get(S.name)
        i, j = S.variables["_synaptic_pre"], S.variables["_synaptic_post"]
        if i in self.device.elsewhere:
            return
        i, j = self.device.get_value(i), self.device.get_value(j)
        if done is not None and len(i) == done:
            return
        first = done or 0
        i, j = i[first:] - getattr(S.source, "start", 0), j[first:] - getattr(S.target, "start", 0)
        if kind(S.source) is Synapses:
            i = i + getattr(S.source, "start", 0)
        if kind(S.target) is Synapses:
            j = j + getattr(S.target, "start", 0)
        self.connected[S.name] = first + len(i)
        if len(i):
            self.say(f"{self.name(S)}.connect(i={self.array(i, like='i')}, j={self.array(j, like='j')})", S)
        else:
            self.say(f"{self.name(S)}.connect('False')", S)
        for var in S._registered_variables:  # new synapses have values of their own
            if done is not None and var in self.known:
                self.device.dirty.add(var)

    # The rest.

    def regular(self, r):
        G = r.group
        self.define(r, f"{self.name(G)}.run_regularly(" + arguments(quoted(r.abstract_code), **self.clock(r, G), when=quoted(r.when) if r.when != "start" else None,
                                                                    order=r.order or None, name=quoted(r.name)) + ")")

    def poisson_input(self, p):
        weight = p._weight
        self.define(p, "PoissonInput(" + arguments(self.name(p._group), quoted(p._target_var), N=text.number(p._N), rate=quantity(p._rate),
                                                   weight=quoted(weight) if isinstance(weight, str) else quantity(weight),
                                                   when=quoted(p.when) if p.when != "synapses" else None, order=p.order or None, name=quoted(p.name)) + ")")

    def state_monitor(self, M):
        if not M.record_variables or (M.name in self.definitions and self.objects[M.name]() is M):
            return  # without variables it has only the times, which Python knows
        if M.record_all:
            record = "True"
        elif len(M.record) <= 20:
            record = "[" + ", ".join(str(int(k)) for k in M.record) + "]"
        else:
            record = self.array(M.record, like="record")
        self.define(M, "StateMonitor(" + arguments(self.name(M.source), "[" + ", ".join(quoted(v) for v in M.record_variables) + "]", record=record, **self.clock(M, M.source),
                                                   when=quoted(M.when) if M.when != "start" else None, order=M.order or None, name=quoted(M.name)) + ")")

    def event_monitor(self, M):
        variables = sorted(set(M.record_variables) - ({"i", "t"} if M.record else set()))
        parent = M.source.thresholder[M.event] if hasattr(M.source, "thresholder") else M.source.source.thresholder[M.event] if hasattr(getattr(M.source, "source", None), "thresholder") else M.source
        usual = M.when == parent.when and M.order == parent.order + 1
        spikes = isinstance(M, SpikeMonitor)
        self.define(M, ("SpikeMonitor(" if spikes else "EventMonitor(") + arguments(
            self.name(M.source), *([] if spikes else [quoted(M.event)]), variables="[" + ", ".join(quoted(v) for v in variables) + "]" if variables else None,
            record=None if M.record else "False", when=None if usual else quoted(M.when), order=None if usual else str(M.order), name=quoted(M.name)) + ")")

    def rate_monitor(self, M):
        self.define(M, f"PopulationRateMonitor({self.name(M.source)}, name={quoted(M.name)})")

    def operation(self, op):
        self.define(op, "NetworkOperation(" + arguments(f"callback({quoted(op.name)})", **self.clock(op), when=quoted(op.when) if op.when != "start" else None,
                                                        order=op.order or None, name=quoted(op.name)) + ")")

    def activity(self, objects):
        """Says what takes part and what does not: active, and what has left the network."""
        there = {}
        for o in objects:
            if kind(o) is SynapticPathway:
                there[f"{self.name(o.synapses)}.{o.objname}"] = o.active
            elif o.name in self.definitions:
                there[self.name(o)] = o.active and not nothing_to_do(o)
            elif not o.active and getattr(o, "group", o).active:
                raise Refused("active=False of a part of a group", o)
        for path in self.active:
            if path not in there and "." not in path:
                there[path] = False
        for path, active in there.items():
            if self.active.get(path, True) != active:
                self.say(f"{path}.active = {active}")
            self.active[path] = active


def nothing_to_do(op):
    """PyNN has a function called at every step for its sources of current, also where there are none: the engine need not stop for it."""
    function = getattr(op, "function", None)
    if getattr(function, "__module__", "") != "pyNN.brian2.standardmodels.electrodes" or function.__name__ != "update_currents":
        return False
    return not function.__globals__["simulator"].state.current_sources


def linked_subexpression(G, x, objects):
    """The group and the name of the subexpression that a linked variable shows. Brian2 keeps neither: it has written the
    expression anew, with names of the variables in G; so the one that gives the same text is looked for."""
    for name, ref in objects.items():
        group = ref()
        for n, var in getattr(group, "variables", {}).items():
            if isinstance(var, Subexpression) and group is not G:
                renamed = {k: f"_{x}_{group.name}_{k}" if hasattr(group.variables[k], "owner") else f"_{x}_{k}" for k in var.identifiers if k in group.variables}
                if word_substitute(var.expr, renamed) == G.variables[x].expr:
                    return name, n
    raise Refused(f"what the linked variable '{x}' shows cannot be found", G)


def after_sources(synapses):
    """Synapses after those whose synapses they connect."""
    names, done, order = {s.name: s for s in synapses}, set(), []
    def visit(s):
        if s.name not in done:
            done.add(s.name)
            for side in (s.source, s.target):
                if side.name in names:
                    visit(names[side.name])
            order.append(s)
    for s in synapses:
        visit(s)
    return order


def binomial_parameters(f, group):
    """n and p, which Brian2 keeps only in the function that it made of them."""
    try:
        draw = f.pyfunc.__closure__[0].cell_contents
        kept = dict(zip(draw.__code__.co_freevars, (c.cell_contents for c in draw.__closure__)))
        if "n" in kept:
            return kept["n"], kept["p"]
        p = 1 - kept["scale"]**2/kept["loc"]
        return round(kept["loc"]/p), p
    except (AttributeError, KeyError, TypeError, IndexError, ZeroDivisionError) as e:
        raise Refused(f"the parameters of {f.name} cannot be found", group) from e


KEPT = 1 << 26  # bytes of an array that export() can still write
BEGIN = {"lastspike": -1e4, "not_refractory": True}
ONCE = {PoissonInput: "poisson_input", StateMonitor: "state_monitor", EventMonitor: "event_monitor", PopulationRateMonitor: "rate_monitor", NetworkOperation: "operation"}
KNOWN = {NeuronGroup, PoissonGroup, SpikeGeneratorGroup, Subgroup, Synapses, Thresholder, Resetter, NetworkOperation, *PARTS, *ONCE}
