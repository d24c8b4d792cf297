"""Synapses that nobody has looked at: connect() and assignments are kept as statements, for the engine to carry out.

In Brian2 a synapse takes some 20 bytes or more in the host's arrays; in the engine 2 to 4. So where a group times the other
is large, the arrays are made only when something reads them: from the engine after a run, before one by Brian2's own code.
"""
import weakref

import numpy as np
from brian2.core.functions import Function
from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS
from brian2.core.variables import ArrayVariable, Constant, VariableView
from brian2.groups.subgroup import Subgroup
from brian2.parsing.expressions import parse_expression_dimensions
from brian2.synapses.synapses import Synapses
from brian2.units.fundamentalunits import Quantity, fail_for_dimension_mismatch
from brian2.utils.stringtools import get_identifiers, word_substitute

from . import text
from .text import quoted
from .translate import SOURCES, kind, to_keep

LARGE = 1 << 20  # pairs of neurons


class Cannot(Exception):
    """A statement that must be carried out now."""


def hidden_variables(S):
    """The arrays that connect() makes."""
    names = ["N", "_synaptic_pre", "_synaptic_post", "N_incoming", "N_outgoing"]
    return {S.variables[n] for n in names} | set(S._registered_variables)


class Deferred:
    def __init__(self, device, S):
        self.device, self.S = device, weakref.ref(S)
        self.calls = []       # (statement with the object's name left out, how Brian2 does it to them, {variable: its values then})
        self.said = 0
        self.session = None
        self.seed = int(np.random.randint(2**31))  # of what is drawn: the same synapses, whoever makes them when
        for v in hidden_variables(S):
            device.elsewhere[v] = self

    def inlined(self, code, namespace, local=()):
        """A text with the values of names from outside written into it, and the variables of neurons that it reads."""
        S, values, reads = self.S(), {}, {}
        names = get_identifiers(code) - set(local)
        for n, value in S.resolve_all({n for n in names if n in S.variables or n not in ("range", "sample", "for", "in", "if")}, namespace).items():
            if n in S.variables:
                if isinstance(value, ArrayVariable) and value not in hidden_variables(S) and not value.read_only:
                    reads[value] = self.device.get_value(value).copy()
                elif not isinstance(value, (ArrayVariable, Constant)) and n not in ("i", "j"):
                    raise Cannot  # a subexpression
            elif isinstance(value, Constant):
                if n not in DEFAULT_UNITS and n not in DEFAULT_CONSTANTS:
                    values[n] = text.in_expression(value.get_value(), value.dim)
            elif not isinstance(value, Function) or DEFAULT_FUNCTIONS.get(n) is not value:
                raise Cannot
        return word_substitute(code, values), reads

    def connect(self, namespace, condition=None, i=None, j=None, p=1.0, n=1, skip_if_invalid=False):
        S = self.S()
        if isinstance(condition, (str, bool)) or (condition is None and i is None and j is None):
            S._condition_to_generator_expression(True if condition is None else condition, p, namespace)  # for its errors
        given, reads = {}, {}
        for name, value in (("condition", condition), ("i", i), ("j", j), ("p", p), ("n", n)):
            if isinstance(value, str):
                local = [value.split(" for ", 1)[1].split()[0]] if name in ("i", "j") and " for " in value else []
                value, r = self.inlined(value, namespace, local)
                reads |= r
                given[name] = quoted(value)
            elif value is not None and (name, value) not in (("p", 1), ("n", 1)):
                given[name] = text.number(value)
        if skip_if_invalid:
            given["skip_if_invalid"] = "True"
        again = dict(condition=condition, i=i, j=j, p=p, n=n, skip_if_invalid=skip_if_invalid, namespace=to_keep(namespace))
        self.calls.append((f".connect({text.arguments(**given)})", lambda S: Synapses.connect.original_function(S, **again), reads))

    def assign(self, view, path, code, namespace, check_units):
        """S.w = 'text'; units are checked at once."""
        S, var = self.S(), view.variable
        inlined, reads = self.inlined(code, namespace)
        if check_units:
            names = S.resolve_all(get_identifiers(code), namespace)
            fail_for_dimension_mismatch(var.dim, Quantity(1, dim=parse_expression_dimensions(code, names)), f"Incorrect unit for setting variable {view.name}")
        kept = to_keep(namespace)
        self.calls.append((f".{path} = {quoted(inlined)}",
                           lambda S: VariableView.set_with_expression_conditional.original_function(view_of(S, path), "True", code, kept, check_units=check_units), reads))

    def assign_value(self, view, path, value, check_units):
        var = view.variable
        if check_units:
            fail_for_dimension_mismatch(var.dim, value, f"Incorrect unit for setting variable {view.name}")
        number = np.asarray(value).item()
        said = text.number(bool(number)) if var.dtype == bool else text.quantity(number, var.dim)
        self.calls.append((f".{path} = {said}", lambda S: VariableView.set_with_index_array.original_function(view_of(S, path), slice(None), value, check_units), {}))

    def say(self, script):
        """Hands the statements over, with the values that they read when they were made."""
        S = self.S()
        if self.said < len(self.calls):
            script.say(f"seed({self.seed + self.said})", S)
        for statement, _, reads in self.calls[self.said:]:
            now = {}
            for var, then in reads.items():
                path = f"{script.name(var.owner)}.{var.name}"
                if not np.array_equal(self.device.get_value(var), then):
                    now[path] = (self.device.get_value(var), var.dim)
                    script.say(f"{path} = {script.array(then, var.dim, var.name)}", S)
            script.say(script.name(S) + statement, S)
            for path, (values, dim) in now.items():
                script.say(f"{path} = {script.array(values, dim)}", S)
        self.said = len(self.calls)

    def fetch(self, var):
        """Makes Brian2's arrays: they are read."""
        S, device = self.S(), self.device
        variables = hidden_variables(S)
        if self.session is None:
            for v in variables:
                device.elsewhere.pop(v, None)
            device.deferred.pop(S, None)
            state = np.random.get_state()
            np.random.seed(self.seed)
            for _, brian2, reads in self.calls:
                now = {v: device.get_value(v).copy() for v in reads}
                for v, then in reads.items():
                    device.store_value(v, then)
                brian2(S)
                for v, values in now.items():
                    device.store_value(v, values)
            np.random.set_state(state)
            return
        session, script = self.session, self.session.script
        session.check_alive(f"the synapses of '{S.name}' were kept by the engine alone")
        name = script.name(S)
        if self.said < len(self.calls):
            self.say(script)
            session.flush()
        i, j = session.engine.get(f"{name}.i", f"{name}.j")
        for v in variables:
            device.elsewhere.pop(v, None)
        device.deferred.pop(S, None)
        S._resize(len(i))
        for v, values, side in ((S.variables["_synaptic_pre"], i, S.source), (S.variables["_synaptic_post"], j, S.target)):
            device.store_value(v, np.asarray(values, dtype=np.int32) + getattr(side, "start", 0))
        S._update_synapse_numbers(0)
        script.connected[S.name] = len(i)
        for v in S._registered_variables:
            path = session.paths.get(v) or self.path_of(script, v)
            if path:
                session.paths[v] = path
                device.elsewhere[v] = session
                script.known.add(v)
            device.dirty.discard(v)
        if var in device.elsewhere:
            session.fetch(var)

    def path_of(self, script, var):
        S = self.S()
        for p in S._pathways:
            if p.variables["delay"] is var:
                return f"{script.name(S)}.{p.objname}.delay"
        if var.name.startswith("_") or S.variables.get(var.name) is not var:
            return None
        return f"{script.name(S)}.{var.name}"


def may_defer(device, S, i, j):
    """Whether connect() can wait."""
    sides = [s.source if kind(s) is Subgroup else s for s in (S.source, S.target)]
    return (all(kind(s) in SOURCES for s in sides) and S.multisynaptic_index is None and not S._linked_variables
            and (i is None or isinstance(i, str)) and (j is None or isinstance(j, str))
            and len(S.source)*len(S.target) >= device.defer
            and (S in device.deferred or (S.variables["N"] not in device.elsewhere and device.arrays[S.variables["N"]][0] == 0)))


def view_of(S, path):
    """S.w or S.pre.delay, by its path."""
    *pathway, name = path.split(".")
    return (getattr(S, pathway[0]) if pathway else S).state(name)


def assigned_path(S, view):
    """How an assignment names its variable: w, pre.delay; None where it is not one of the synapses' own."""
    for p in S._pathways:
        if view.variable is p.variables["delay"]:
            return None if view.variable.scalar else f"{p.objname}.delay"
    return view.variable.name if view.variable in S._registered_variables and not view.variable.name.startswith("_") else None
