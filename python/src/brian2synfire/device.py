"""Synfire as a device of Brian2.

A RuntimeDevice: values live in Brian2's NumPy arrays, as without a device. Network.run goes to the engine, and so do
large calls of Synapses.connect; what the engine refuses runs in Brian2's own loop. An array that the engine is ahead of
is in `elsewhere`, one that the engine has not seen yet in `dirty`.
"""
import os
import pickle
import subprocess
import sys
import tempfile
import time
import weakref

import numpy as np
from brian2.codegen.codeobject import CodeObject
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.base import BrianObjectException
from brian2.core.clocks import EventClock
from brian2.core.functions import timestep
from brian2.core.namespace import get_local_namespace
from brian2.core.operations import NetworkOperation
from brian2.core.network import Network, TextReport, _check_multiple_summed_updaters
from brian2.core.preferences import BrianPreference, prefs
from brian2.core.variables import ArrayVariable, DynamicArrayVariable, VariableView
from brian2.devices.device import RuntimeDevice
from brian2.equations.equations import check_subexpressions
from brian2.groups.group import CodeRunner
from brian2.groups.neurongroup import NeuronGroup
from brian2.input.poissongroup import PoissonGroup
from brian2.input.poissoninput import PoissonInput
from brian2.input.spikegeneratorgroup import SpikeGeneratorGroup
from brian2.input.timedarray import TimedArray
from brian2.monitors.statemonitor import StateMonitor
from brian2.synapses.synapses import Synapses, SynapticPathway
from brian2.units import Quantity, check_units, second
from brian2.utils.logger import get_logger
from synfire.engine import Engine, binary

from . import monitors, synapses
from .errors import PAGE, Answered, EngineLost, Refused, SynfireFault, python_error
from .session import SMALL, Session
from .translate import kind, own_arrays, to_keep

logger = get_logger("brian2.devices.synfire")

prefs.register_preferences(
    "devices.synfire", "Synfire",
    backend=BrianPreference("auto", "Where networks run: 'auto', 'cpu', 'gl' (OpenGL), 'ref'."),
    threads=BrianPreference(0, "Threads of the cpu backend; 0: chosen by measurement. Results do not depend on it."),
    fallback=BrianPreference("warn", "What happens to a network that Synfire refuses: 'warn' (it runs in Brian2's own loop, with a warning), 'silent' (without one), 'error'.",
                             validator=lambda v: v in ("warn", "silent", "error")),
    binary=BrianPreference("", "The program synfire; '': $SYNFIRE, the package's own, the one in PATH."),
    defer=BrianPreference(synapses.LARGE, "connect() of so many pairs of neurons or more is left to the engine until something reads the synapses."),
)

FIRST = "_synfire_first"  # the state that device.run() goes back to
OPTIONS = ("backend", "threads", "fallback", "binary", "defer")
# What users of the other devices give to set_device and device.build; it has no meaning here.
ELSEWHERE = {"directory", "with_output", "compile", "run", "debug", "clean", "additional_source_files", "run_args", "direct_call", "results_directory", "with_profiling", "profile",
             "use_GPU", "cpu_only"}


class SynfireDevice(RuntimeDevice):
    def __init__(self):
        super().__init__()
        self.elsewhere = weakref.WeakKeyDictionary()  # variable: who has its value (fetch)
        self.dirty = weakref.WeakSet()
        self.deferred = weakref.WeakKeyDictionary()   # Synapses: Deferred
        self.sessions = weakref.WeakKeyDictionary()   # Network: Session
        self.idle = []                                # engines without a session
        self.raw = False                              # arrays are taken as they are
        self.in_loop = {}                             # net.id: why it runs in Brian2's loop
        self.looping = self.judging = False           # Brian2's own loop is at work; only its checks
        self.repeating = False                        # the runs of run(run_args=) are
        self.seeds = [None, 0, 0, 0]                  # as given to seed(), networks and restores since, calls of seed()
        self.last = None                              # the session of the last run
        self.latest = None                            # the network of it, weakly, for run(run_args=)
        self.repeats = weakref.WeakKeyDictionary()    # Network: its id, its objects, and its runs
        self.build_options = {}
        self.build_on_run = True
        self.options = {}

    def __getstate__(self):
        state = super().__getstate__()
        for name in ("elsewhere", "dirty", "deferred", "sessions", "idle", "last", "latest", "repeats"):
            state.pop(name)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        self.elsewhere, self.deferred, self.sessions, self.repeats = (weakref.WeakKeyDictionary() for _ in range(4))
        self.dirty, self.idle, self.last, self.latest = weakref.WeakSet(), [], None, None

    # Options.

    def activate(self, build_on_run=True, **kwargs):
        super().activate(build_on_run=build_on_run, **kwargs)
        given = {k: v for k, v in kwargs.items() if k in OPTIONS}
        for k in kwargs:
            if k not in OPTIONS and k not in ELSEWHERE:
                logger.warn(f"set_device('synfire') does not know the option '{k}'; it has {', '.join(OPTIONS)}", once=True)
        if given.get("fallback", "warn") not in ("warn", "silent", "error"):
            raise ValueError(f"fallback={given['fallback']!r}: it is 'warn', 'silent' or 'error'")
        if {k: given.get(k) for k in ("backend", "threads", "binary")} != {k: self.options.get(k) for k in ("backend", "threads", "binary")}:
            self.discard_idle()
        self.options = given

    def option(self, name):
        return self.options.get(name, getattr(prefs.devices.synfire, name))

    defer = property(lambda self: self.option("defer"))

    def build(self, **kwargs):
        for k in kwargs:
            if k not in OPTIONS and k not in ELSEWHERE:
                raise TypeError(f"device.build() has no argument '{k}'")

    def reinit(self):
        options, build_on_run, clock = self.build_options, self.build_on_run, self.defaultclock
        for session in list(self.sessions.values()):
            session.engine.close()
        self.discard_idle()
        arrays = self.arrays
        self.__init__()
        self.arrays, self.defaultclock = arrays, clock
        self.build_options, self.build_on_run = options, build_on_run
        self.options = {k: v for k, v in options.items() if k in OPTIONS}

    def delete(self, data=True, code=True, directory=True, force=False):
        pass

    def discard_idle(self):
        for engine in self.idle:
            engine.close()
        self.idle.clear()

    def insert_code(self, slot, code):
        logger.warn("Synfire runs no code of C++: insert_code() has no effect.", once=True)

    # Arrays.

    def get_value(self, var, access_data=True):
        if self.elsewhere and not self.raw and var in self.elsewhere:
            self.elsewhere[var].fetch(var)
        return super().get_value(var, access_data)

    def store_value(self, var, values):
        """Puts values into Brian2's array, as the engine has them."""
        array = self.arrays[var]
        target = array.data if isinstance(var, DynamicArrayVariable) else array
        target[:] = values

    def set_value(self, var, value):
        self.changes(var)
        super().set_value(var, value)

    def fill_with_array(self, var, arr):
        self.changes(var)
        super().fill_with_array(var, arr)

    def changes(self, var):
        if self.raw:
            self.elsewhere.pop(var, None)
        elif self.elsewhere and var in self.elsewhere:
            self.elsewhere[var].fetch(var)  # Brian2 may write a part of it only
        self.dirty.add(var)

    def variableview_set_with_index_array(self, view, item, value, check_units):
        waiting, path = self.waiting(view)
        if waiting and path and isinstance(item, slice) and item == slice(None) and np.size(value) == 1:
            waiting.assign_value(view, path, value, check_units)
            return
        VariableView.set_with_index_array.original_function(view, item, value, check_units)
        self.dirty.add(view.variable)

    def variableview_set_with_expression(self, view, item, code, run_namespace, check_units=True):
        VariableView.set_with_expression.original_function(view, item, code, run_namespace, check_units=check_units)
        self.dirty.add(view.variable)

    def variableview_set_with_expression_conditional(self, view, cond, code, run_namespace, check_units=True):
        waiting, path = self.waiting(view)
        if waiting and path and cond == "True":
            try:
                waiting.assign(view, path, code, run_namespace, check_units)
                return
            except synapses.Cannot:
                pass
        VariableView.set_with_expression_conditional.original_function(view, cond, code, run_namespace, check_units=check_units)
        self.dirty.add(view.variable)

    def waiting(self, view):
        """The statements that wait for the synapses of an assignment's variable."""
        waiting = self.elsewhere.get(view.variable) if self.elsewhere else None
        if not isinstance(waiting, synapses.Deferred):
            return None, None
        return waiting, synapses.assigned_path(waiting.S(), view)

    def synapses_connect(self, S, condition=None, i=None, j=None, p=1.0, n=1, skip_if_invalid=False, namespace=None, level=0):
        if namespace is None:
            namespace = get_local_namespace(level=level + 2)
        S._verify_connect_argument_types(condition, i, j, n, p)
        if not (condition is False or condition == "False") and synapses.may_defer(self, S, i, j) and not (condition is not None and (i is not None or j is not None)):
            waiting = self.deferred.get(S)
            if waiting is None:
                waiting = synapses.Deferred(self, S)
            try:
                waiting.connect(namespace, condition, i, j, p, n, skip_if_invalid)
                self.deferred[S] = waiting
                S._connect_called = True
                return
            except synapses.Cannot:
                if S not in self.deferred:
                    for v in synapses.hidden_variables(S):
                        self.elsewhere.pop(v, None)
        Synapses.connect.original_function(S, condition=condition, i=i, j=j, p=p, n=n, skip_if_invalid=skip_if_invalid, namespace=namespace, level=level + 1)

    def code_object_class(self, codeobj_class=None, fallback_pref="codegen.target"):
        # What is left to Python between runs is worked out once: compiling it would take longer.
        if codeobj_class is None and (self.judging or not self.looping):
            return NumpyCodeObject
        return super().code_object_class(codeobj_class, fallback_pref)

    # Random numbers.

    def seed(self, seed=None):
        super().seed(seed)
        self.seeds = [seed, 0, 0, self.seeds[3] + 1]

    def get_random_state(self):
        return {**super().get_random_state(), "synfire": list(self.seeds)}

    def set_random_state(self, state):
        super().set_random_state(state)
        self.seeds = list(state.get("synfire", self.seeds))

    def new_seed(self, session, always):
        """Gives a network a seed where it needs one: new noise for each network and after each restore(), the same again after the same seed()."""
        given, number, restores, call = self.seeds
        if session.seed is not None and session.seed[:2] == (call, restores) and not always:
            return False
        self.seeds[1] += 1
        if given is None:
            mixed = int(np.random.randint(2**31))
        elif (number, restores) == (0, 0) and 0 <= int(given) < 2**31:
            mixed = int(given)
        else:
            mixed = int(np.random.SeedSequence([int(given) & (2**64 - 1), number, restores]).generate_state(1)[0]) >> 1
        session.seed = (call, restores, mixed)
        return True

    # Runs.

    def network_run(self, net, duration, report=None, report_period=10*second, namespace=None, profile=None, level=0):
        check_units(duration=second, report_period=second)(lambda duration, report_period: None)(duration, report_period)
        if namespace is None:
            namespace = get_local_namespace(level=level + 2)
        repeatable = not self.build_on_run and not self.repeating and self.keep_beginning(net)
        self.run_somewhere(net, duration, report, report_period, namespace, profile)
        if repeatable:
            self.repeats[net][2].append((duration, to_keep(namespace)))
            self.latest = weakref.ref(net)

    def keep_beginning(self, net):
        """Keeps what run(run_args=) goes back to, before a network's first run; False if that is gone."""
        number, _, runs = self.repeats.get(net, (None, [], []))
        if number != net.id or not runs:  # the magic network has an id for each simulation
            if float(net.t) != 0 or not net.objects:
                return False
            Network.store(net, FIRST)
            self.repeats[net] = (net.id, list(net.objects), [])
        return True

    def run_somewhere(self, net, duration, report, report_period, namespace, profile):
        """Runs a network on the engine, or else in Brian2's loop."""
        if net.id not in self.in_loop:
            try:
                return self.engine_run(net, duration, report, report_period, namespace, profile)
            except Refused as why:
                if self.option("fallback") == "error":
                    raise
                session = self.sessions.get(net)
                if session is not None and session.begun and not self.fetch_state(net, session):
                    raise
                self.give_back(net)
                self.in_loop[net.id] = str(why)
                if self.option("fallback") == "warn":
                    logger.warn(f"The network '{net.name}' runs in Brian2's own loop: {why}. See {PAGE}.")
        return self.brian2_run(net, duration, report, report_period, namespace, profile)

    def fetch_state(self, net, session):
        """Brings a network that has run on the engine to Brian2's arrays, for Brian2's loop; False if that is not all of its state: spikes may be on their way."""
        for obj in net.sorted_objects:
            if kind(obj) is SynapticPathway and obj.active and (obj.variables["delay"] in self.elsewhere or np.any(self.get_value(obj.variables["delay"]) >= obj.source.clock.dt_/2)):
                return False
        for var in own_arrays(net):
            self.get_value(var)
        return True

    def brian2_run(self, net, duration, report, report_period, namespace, profile):
        self.looping = True
        try:
            return Network.run.original_function(net, duration, report=report, report_period=report_period, namespace=namespace, profile=profile)
        finally:
            self.looping = Network._globally_running = False

    def network_before_run(self, net, run_namespace, objects=None):
        """Brian2's checks, without making code: solving equations takes seconds."""
        if self.looping:
            return Network.before_run.original_function(net, run_namespace)
        objects = net.sorted_objects if objects is None else objects
        prefs.check_all_validated()
        names = [o.name for o in objects]
        twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
        if twice:
            raise ValueError("All objects in a network need to have unique names, the following name(s) were used more than once: " + ", ".join(f"'{n}'" for n in twice))
        _check_multiple_summed_updaters(objects)
        net._stopped = False
        Network._globally_stopped = False
        net.check_dependencies()
        for obj in objects:
            if obj.active:
                try:
                    check(obj, run_namespace)
                except Exception as ex:
                    raise BrianObjectException("An error occurred when preparing an object.", obj) from ex
        for obj in objects:
            if obj._network is None:
                obj._network = net.id
            elif obj._network != net.id:
                raise RuntimeError(f"'{obj.name}' has already been run in the context of another network. "
                                   "Use add/remove to change the objects in a simulated network instead of creating a new one.")

    def engine_run(self, net, duration, report, report_period, namespace, profile):
        if duration < 0:
            raise ValueError(f"Function 'run' expected a non-negative duration but got '{duration}'")
        if profile is None:
            profile = self.build_options.get("profile", False)
        report_callback = reporter(report)
        t_start, t_end = net.t, net.t + duration
        objects = net.sorted_objects
        net._clocks = {o.clock for o in objects}
        for clock in net._clocks:
            clock.set_interval(t_start, t_end)
        self.network_before_run(net, namespace, objects)
        if not objects:
            return
        began = time.time()
        session = self.session(net)
        try:
            session.update(net, objects, namespace)
            if report_callback:
                report_callback(0*second, 0.0, t_start, duration)
            told = (lambda elapsed, completed: report_callback(elapsed*second, completed, t_start, duration)) if report_callback else None
            for S, waiting in self.deferred.items():
                if S.name in session.script.definitions and session.script.objects[S.name]() is S:
                    waiting.session = session
            answer = session.run(net, objects, float(duration), told, float(report_period), bool(profile))
        except Refused:
            raise
        except SynfireFault as e:  # of its first run: nothing of it has reached Brian2's arrays yet
            if isinstance(e, EngineLost) or session.hash is not None or self.option("fallback") == "error" or any(isinstance(o, NetworkOperation) for o in objects):
                raise
            session.begun = False
            raise Refused(f"it broke down on the engine, {e}", net) from e
        except (Answered, BrianObjectException, KeyError, TypeError, ValueError, AttributeError, IndexError, SyntaxError, NotImplementedError) as e:
            self.judge(e, net, namespace, session)
        self.last = session
        self.after(net, session, objects, answer, t_start, t_end, namespace)
        self._last_run_time = time.time() - began
        self._last_run_completed_fraction = float((net.t - t_start)/duration) if duration > 0 else 1.0
        if report_callback:
            report_callback((time.time() - began)*second, self._last_run_completed_fraction, t_start, duration)
        net.after_run()
        net._profiling_info = profiled(session, objects, answer) if profile else None

    def judge(self, e, net, namespace, session):
        """Why a network was not accepted: an error of the script's, in Brian2's words, or something that Synfire does not do."""
        obj = getattr(e, "obj", None)
        cause = python_error(e, obj) if isinstance(e, Answered) else e
        if isinstance(cause, (MemoryError, SynfireFault, KeyboardInterrupt)):
            raise cause
        if session.begun and session.hash is not None and (self.option("fallback") == "error" or not self.fetch_state(net, session)):
            raise cause
        self.looping, self.judging = True, True
        try:
            Network.before_run.original_function(net, namespace)  # raises what Brian2 has against it
        finally:
            self.looping, self.judging = False, False
            for o in net.sorted_objects:  # code that was made for the check alone
                if isinstance(o, CodeRunner):
                    o.codeobj, o.code_objects[:] = None, []
        session.begun = False
        reason = str(e) if isinstance(e, Answered) else f"{type(e.__cause__ or e).__name__}: {e.__cause__ or e}"
        raise Refused(reason, obj or getattr(e, "_brian_objname", None)) from e

    def after(self, net, session, objects, answer, t_start, t_end, namespace):
        """What Brian2 has to know after a run."""
        stopped = answer["stopped"]
        t = float(t_end) if not stopped else float(t_start) if answer["t"] is None else answer["t"]
        for clock in net._clocks:
            if stopped:
                self.set_clock(clock, t)
            else:
                self.store_value(clock.variables["timestep"], clock._i_end)
                self.store_value(clock.variables["t"], float(clock._times[clock._i_end]) if isinstance(clock, EventClock) else clock._i_end*clock.dt_)
        net.t_ = t
        session.leave(objects)
        for obj in objects:
            if isinstance(obj, StateMonitor) and obj.codeobj is None:
                obj.codeobj = monitors.SingleStep(obj, namespace)
            if isinstance(obj, monitors.MONITORS) and obj.name in session.script.definitions:
                monitors.fetch(self, session, obj)
            elif isinstance(obj, StateMonitor) and not obj.record_variables and obj.active:
                monitors.times_alone(self, obj, float(t_start), t)
        small, size = [], 0
        for var in session.paths:
            if self.elsewhere.get(var) is session and isinstance(session.paths[var], str):
                n = var.size if isinstance(var.size, int) else 1
                if n <= SMALL and size + n <= SMALL:
                    small.append(var)
                    size += n
        session.fetch_all(small)

    def set_clock(self, clock, t):
        if isinstance(clock, EventClock):
            k = int(np.searchsorted([float(x) for x in clock._times], t - 1e-12))
            self.store_value(clock.variables["timestep"], k)
            self.store_value(clock.variables["t"], float(clock._times[k]))
            return
        k = int(clock._calc_timestep(t))
        self.store_value(clock.variables["timestep"], k)
        self.store_value(clock.variables["t"], k*clock.dt_)

    # Sessions.

    def session(self, net):
        session = self.sessions.get(net)
        if session is not None and session.net_id == net.id:
            return self.adopt(net, session) if session.is_inherited() else session
        if session is not None:
            self.give_back(net)
        session = Session(self, net, self.engine())
        if float(net.t) != 0:
            self.idle.append(session.engine)
            raise Refused("its time is not 0 before its first run in Synfire", net)
        self.sessions[net] = session
        return session

    def engine(self):
        while self.idle:
            engine = self.idle.pop()
            if engine.alive:
                engine.ask("reset")
                return engine
        return Engine(self.option("binary"), self.option("backend"), self.option("threads"), log)

    def give_back(self, net):
        """Ends a network's session; its process is kept for the next one, unless something can still be read there."""
        session = self.sessions.pop(net, None)
        if session is None:
            return
        if not session.begun:
            for waiting in self.deferred.values():
                if waiting.session is session:
                    waiting.session, waiting.said = None, 0
        if not any(owner is session or getattr(owner, "session", None) is session for owner in self.elsewhere.values()) and session.engine.alive:
            self.idle.append(session.engine)

    # Forks: the engines are the parent's. A child goes on with the networks from the state that they had at the fork.

    def before_fork(self):
        for session in self.sessions.values():
            if session.begun and session.hash is not None and not session.broken and session.engine.alive and not session.running:
                session.keep_for_children()

    def forget(self):
        """In a forked child."""
        for session in self.sessions.values():
            if session.begun and session.kept is None:
                session.broken = "this network was running in the parent process when this one was forked: build it anew, or restore() it from a file"
            session.engine.close()
        self.discard_idle()

    def adopt(self, net, old):
        """In a forked child: a session that goes on where the parent's was."""
        session = Session(self, net, self.engine())
        session.to_restore, session.recorded, session.seed = old.inherited(), dict(old.recorded), old.seed
        for S, waiting in self.deferred.items():
            if waiting.session is old:
                waiting.session, waiting.said = None, 0
        for var, owner in list(self.elsewhere.items()):
            if owner is old:
                self.elsewhere[var], session.paths[var] = session, old.paths[var]
        self.sessions[net] = session
        return session

    # Going back.

    def network_store(self, net, name="default", filename=None):
        """Brian2's store(), and with it what the engine alone has: spikes in flight, synapses and values that nobody has read."""
        session = self.sessions.get(net)
        begun = session is not None and session.net_id == net.id and session.begun
        if net.id in self.in_loop or filename is not None:  # a file is for another process: it has all that Brian2 has
            for var in own_arrays(net):
                self.get_value(var)
        kept = {"begun": begun, "seeds": list(self.seeds), "held": {}, "deferred": {}}
        if begun:
            session.check_alive("the network's state was in the engine")
            session.push()
            kept |= {"recorded": dict(session.recorded), "seed": session.seed}
            if filename is None:
                session.engine.ask("snapshot", name=name)
            else:
                session.engine.ask("snapshot", file="store.state")
                path = os.path.join(session.engine.folder, "store.state")
                with open(path, "rb") as f:
                    kept["state"] = f.read()
                os.unlink(path)
        if filename is None:
            for var in own_arrays(net):
                if var in self.elsewhere:
                    kept["held"][var] = self.elsewhere[var]
            kept["deferred"] = {S: (d, list(d.calls)) for S, d in self.deferred.items() if S.name in {o.name for o in net.sorted_objects}}
        self.raw = True
        try:
            Network.store.original_function(net, name, filename)
        finally:
            self.raw = False
        if filename is None:
            net._stored_state[name]["_synfire"] = kept
        else:
            with open(filename, "rb") as f:
                states = pickle.load(f)
            states[name]["_synfire"] = kept
            with open(filename, "wb") as f:
                pickle.dump(states, f, protocol=pickle.HIGHEST_PROTOCOL)

    def network_restore(self, net, name="default", filename=None, restore_random_state=False):
        if filename is None:
            state = net._stored_state[name]
        else:
            with open(filename, "rb") as f:
                state = pickle.load(f)[name]
        kept = state.get("_synfire")
        session = self.sessions.get(net)
        if session is not None and session.net_id != net.id:
            session = None
        begun = kept is not None and kept["begun"] and net.id not in self.in_loop
        if begun and filename is None:
            if session is None or not session.engine.alive:
                raise EngineLost(f"the state '{name}' was kept in an engine whose process has ended; store(filename=...) keeps it in a file")
            session.engine.ask("restore", name=name, random=bool(restore_random_state))
        elif session is not None:
            self.give_back(net)  # the next run begins from Brian2's arrays
        plain = {k: v for k, v in state.items() if k != "_synfire"}
        stored, net._stored_state = net._stored_state, {name: plain}
        self.raw = True
        try:
            Network.restore.original_function(net, name, None, restore_random_state)
        finally:
            self.raw = False
            net._stored_state = stored
        if not restore_random_state:
            self.seeds[2] += 1
        if kept is None or net.id in self.in_loop:
            return
        for S, (waiting, calls) in kept["deferred"].items():
            waiting.calls = list(calls)
            self.deferred[S] = waiting
            if not begun:
                waiting.said, waiting.session = 0, None
        for var, owner in kept["held"].items():
            self.elsewhere[var] = owner
        if begun and filename is None:
            session.broken, session.kept = "", None
            session.recorded = dict(kept["recorded"])
            if restore_random_state:
                session.seed = kept["seed"]
            for var in session.script.known:
                self.dirty.discard(var)
        elif begun:
            for var in own_arrays(net):
                self.dirty.discard(var)  # what is assigned from now on is newer than the state
            session = Session(self, net, self.engine())
            session.to_restore = (kept["state"], bool(restore_random_state))
            session.recorded = dict(kept["recorded"])
            self.sessions[net] = session

    # What a user may ask.

    def export(self, directory, net=None):
        """Writes the last network that ran (or net) as a script: model.star and its arrays. `synfire run DIR/model.star` gives the same hash."""
        session = self.sessions.get(net) if net is not None else self.last
        if session is None:
            raise RuntimeError("nothing has run on Synfire yet: export() writes what has run")
        return session.export(directory)

    def info(self, net=None):
        """What `synfire info` says of the last network that ran: populations, synapses, memory, the stages of a step."""
        with tempfile.TemporaryDirectory() as folder:
            model = self.export(folder, net)
            said = subprocess.run([binary(self.option("binary")), "info", model], capture_output=True, text=True)
        if said.returncode:
            raise SynfireFault(said.stderr.strip())
        print(said.stdout)

    def run(self, directory=None, results_directory=None, with_output=True, run_args=None):
        """The run()s of the last network once more from its beginning, with other values: run_args is {G.tau: 5*ms, stimulus: array}.

        set_device('synfire', build_on_run=False) before the first run keeps the beginning."""
        net = self.latest() if self.latest else None
        if net is None or net not in self.repeats:
            raise RuntimeError("device.run(run_args=...) repeats a network that has run after set_device('synfire', build_on_run=False)")
        _, objects, runs = self.repeats[net]
        if not net.objects:
            net.objects = set(objects)  # MagicNetwork forgets them
        Network.restore(net, FIRST)
        for what, value in (run_args or {}).items():
            if isinstance(what, TimedArray):
                if np.shape(value) != what.values.shape:
                    raise ValueError(f"values of the shape {np.shape(value)} for a TimedArray of {what.values.shape}")
                what.values[:] = np.asarray(value)
            elif isinstance(what, VariableView):
                what.set_item(slice(None), value)
            elif isinstance(what, str) and "." in what:
                group, variable = what.split(".", 1)
                made = next((o for o in net.sorted_objects if o.name == group), None)
                if made is None:
                    raise KeyError(f"there is no object '{group}' in the network")
                setattr(made, variable, value)
            else:
                raise TypeError(f"run_args has variables (G.v or 'G.v') and TimedArrays as keys, not {what!r}")
        self.repeating = True
        try:
            for duration, namespace in runs:
                net.objects = set(objects)
                Network.run(net, duration, namespace=namespace)
        finally:
            self.repeating = False

    @property
    def hash(self):
        """The hash of the last run: the same on every backend, for any number of threads."""
        return self.last.hash if self.last else None

    def ran_on(self, net=None):
        """Where a network ran: 'synfire', or why Brian2's own loop ran it."""
        if net is None:
            from brian2.core.magic import magic_network as net
        return self.in_loop.get(net.id, "synfire")


def profiled(session, objects, answer):
    """The time of each object, as Network.profiling_info has it."""
    times = {o.name: 0.0 for o in objects if o.active}
    for name, seconds in [*answer.get("objects", {}).items(), *session.spent.items()]:
        times[name] = times.get(name, 0.0) + seconds
    return [(name, t*second) for name, t in times.items()]


def check(obj, run_namespace):
    """Brian2's checks of one object that need no code."""
    if isinstance(obj, (NeuronGroup, Synapses)):
        obj.equations.check_units(obj, run_namespace=run_namespace)
        check_subexpressions(obj, obj.equations, run_namespace)
    elif isinstance(obj, PoissonInput):
        if obj._group.dt_ != obj._stored_dt:
            raise NotImplementedError(f"The dt used for simulating {obj._group.name} changed after the PoissonInput source was created.")
    elif isinstance(obj, SpikeGeneratorGroup):
        if obj._spikes_changed:
            obj._spikes_changed = False
            now = obj.variables["t"].get_value().item()
            if np.any(timestep(obj._spike_time, obj.clock.dt_) < timestep(now, obj.clock.dt_)):
                get_logger("brian2.input.spikegeneratorgroup").warn(
                    f"The SpikeGeneratorGroup contains spike times earlier than the start time of the current run (t = {now*second!s}), these spikes will be ignored.",
                    name_suffix="ignored_spikes")
        bins = np.asarray((np.asarray(obj._spike_time) + 1e-3*obj.clock.dt_)/obj.clock.dt_, dtype=np.int64)
        if ((np.diff(bins) == 0) & (np.diff(obj._neuron_index) == 0)).any():
            raise ValueError(f"Using a dt of {obj.clock.dt!s}, some neurons of SpikeGeneratorGroup '{obj.name}' spike more than once during a time step.")
        period = float(obj.variables["period"].get_value()[0])
        if 0 < period < obj.clock.dt_:
            raise ValueError(f"The period of '{obj.name}' is {period*second!s}, which is smaller than its dt of {obj.clock.dt!s}.")


def reporter(report):
    if report is None:
        return None
    if report in ("text", "stdout"):
        return TextReport(sys.stdout)
    if report == "stderr":
        return TextReport(sys.stderr)
    if isinstance(report, str):
        raise ValueError(f'Do not know how to handle report argument "{report}".')
    if callable(report):
        return report
    raise TypeError(f"Do not know how to handle report argument, it has to be one of 'text', 'stdout', 'stderr', or a callable function/object, but it is of type {type(report)}")


def log(level, text):
    if level == "print":
        print(text)
    else:
        logger.warn(text, once=True)
