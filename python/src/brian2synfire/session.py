"""One network in one engine: what was said, what the engine holds alone, runs."""
import mmap
import os
import time
import weakref
from pathlib import Path

import numpy as np
from brian2.core.network import Network
from brian2.synapses.synapses import Synapses
from brian2.units import second
from brian2.utils.logger import get_logger

from . import monitors
from .errors import Answered, EngineLost, Refused, SynfireFault
from .text import quantity, unit
from .translate import KEPT, Script, changing, kind, own_arrays, own_variables, written

logger = get_logger("brian2.devices.synfire")
SMALL = 1 << 20  # with fewer values than this, all are fetched after a run


class Session:
    def __init__(self, device, net, engine):
        self.device, self.engine, self.net_id, self.net = device, engine, net.id, weakref.ref(net)
        self.script = Script(device, engine.names)
        self.recorded = {}     # name of a monitor: entries fetched
        self.paths = weakref.WeakKeyDictionary()  # variable: G.v
        self.log = []          # ("exec", text, arrays) and ("run", seconds): what export() writes
        self.begun = False     # a run was asked for
        self.running = False
        self.broken = ""       # why the network cannot go on
        self.hash = None
        self.seed = None
        self.answer = None     # the engine's, to the last run
        self.to_restore = None  # the bytes of a state from a file, and whether with its random numbers, for the next run
        self.kept = None        # a file with the state that the engine is in, without a name: what forked children go on from

    # Statements.

    def flush(self):
        """Sends the statements that wait; an error is that of the object whose statement it is."""
        script = self.script
        if not script.statements:
            return
        statements, arrays = script.statements, {n: a for n, a in script.arrays.items() if a is not None}
        script.statements = []
        lines, owners = [], []
        for s, obj in statements:
            lines.append(s)
            owners += [obj] * (s.count("\n") + 1)
        text = "\n".join(lines) + "\n"
        for n in arrays:
            script.arrays[n] = None  # the name stays taken
        self.log.append(("exec", text, arrays) if all(a.nbytes <= KEPT for a, _ in arrays.values()) else ("large",))
        try:
            self.engine.exec(text, arrays)
        except Answered as e:
            e.obj = owners[e.line - 1] if 0 < e.line <= len(owners) else None
            raise

    def update(self, net, objects, namespace):
        if self.to_restore:
            self.kept = None
            later = {v for v in own_arrays(net) if v in self.device.dirty}
        said = len(self.script.statements)
        self.script.update(net, objects, namespace)
        connected = any(s.startswith("seed(") for s, _ in self.script.statements[said:])
        if self.device.new_seed(self, connected):
            self.script.say(f"seed({self.seed[-1]})")
        self.flush()
        if self.to_restore:
            state, random = self.to_restore
            self.to_restore = None
            with open(os.path.join(self.engine.folder, "restore.state"), "wb") as f:
                f.write(state)
            self.engine.ask("restore", file="restore.state", random=random)
            self.log.append(("state", state))
            self.device.dirty.update(later)  # assigned since that state was current
            self.script.update(net, objects, namespace)
            self.flush()

    # Values.

    def fetch(self, var):
        """Brings the value of a variable into Brian2's array."""
        path = self.paths[var]
        if not isinstance(path, str):
            monitors.fetch(self.device, self, path())
            return
        self.check_alive(f"'{path}' was kept by the engine alone")
        (values,) = self.engine.get(path)
        self.device.elsewhere.pop(var, None)
        self.device.store_value(var, values)

    def fetch_all(self, variables):
        """The same for several at once."""
        variables = [v for v in variables if self.device.elsewhere.get(v) is self and isinstance(self.paths.get(v), str)]
        if not variables:
            return
        self.check_alive("values were kept by the engine alone")
        for var, values in zip(variables, self.engine.get(*[self.paths[v] for v in variables])):
            self.device.elsewhere.pop(var, None)
            self.device.store_value(var, values)

    # What forked children go on from.

    def keep_for_children(self):
        """The state, without what Python has changed since: children have that themselves."""
        if self.kept is not None:
            return
        try:
            self.engine.ask("snapshot", file="fork.state")
            path = os.path.join(self.engine.folder, "fork.state")
            self.kept = open(path, "rb")
            os.unlink(path)
        except (Answered, EngineLost, OSError) as e:
            logger.warn(f"The state of a network could not be kept for forked processes, where it cannot go on: {e}")

    def is_inherited(self):
        """In a forked child: the session is the parent's, and can be gone on from."""
        return not self.broken and self.engine.pid != os.getpid()

    def inherited(self):
        """What a forked child restores before its first run; None where the parent's had not begun."""
        return (mmap.mmap(self.kept.fileno(), 0, access=mmap.ACCESS_READ), True) if self.kept is not None else self.to_restore

    def check_alive(self, what):
        if self.is_inherited():
            raise EngineLost(f"{what}, which is the parent process's: read it before the fork, or run the network here first")
        if not self.engine.alive:
            raise EngineLost(f"{what}, and its process has ended")

    def leave(self, objects):
        """The engine is ahead of Brian2's arrays in what the network's code changes."""
        names = written(objects)
        for obj in objects:
            for n, var in changing(obj, names).items():
                if var not in self.device.elsewhere:
                    self.device.elsewhere[var] = self
                    self.paths[var] = f"{self.script.name(obj)}.{n}"
            if kind(obj) is Synapses:
                for p in obj._pathways:
                    self.paths[p.variables["delay"]] = f"{self.script.name(obj)}.{p.objname}.delay"

    def leave_records(self, objects):
        for obj in objects:
            if isinstance(obj, monitors.MONITORS) and obj.name in self.script.definitions:
                for var in monitors.variables(obj):
                    self.device.elsewhere[var] = self
                    self.paths[var] = weakref.ref(obj)

    def push(self):
        """Sends what Python has changed while the run stands still."""
        for obj in list(self.script.objects.values()):
            obj = obj()
            if kind(obj) is None or not hasattr(obj, "variables"):
                continue
            for n, var in own_variables(obj).items():
                if var in self.device.dirty and var not in self.device.elsewhere and var in self.script.known:
                    self.device.dirty.discard(var)
                    self.kept = None
                    self.engine.set(f"{self.script.name(obj)}.{n}", self.device.get_value(var))
                    self.log.append(("set",))

    # Runs.

    def run(self, net, objects, duration, report=None, report_period=10.0, profile=False):
        """Runs the engine; report(elapsed, completed) is called every report_period seconds. The answer is the engine's."""
        if self.broken:
            raise SynfireFault(self.broken)
        self.check_alive("the network's state was in the engine")
        device, began = self.device, time.time()
        failure = []
        stopped = [False]
        operations = {o.name: o for o in objects if hasattr(o, "function") and o.name in self.script.definitions}

        def stop():
            if not stopped[0]:
                stopped[0] = True
                self.engine.interrupt()

        def idle():
            late = device._maximum_run_time is not None and time.time() - began > float(device._maximum_run_time)
            if net._stopped or Network._globally_stopped or late:
                stop()

        def on_event(e):
            if e["event"] == "progress":
                if report and e["done"] < e["total"]:
                    report(e["wall"], e["done"]/max(e["total"], 1))
            elif e["event"] == "callback":
                start = time.perf_counter()
                self.call(net, objects, operations[e["id"]], e["t"], failure)
                self.spent[e["id"]] = self.spent.get(e["id"], 0) + time.perf_counter() - start
                idle()
                self.engine.send({"do": "resume", **({"error": str(failure[0])} if failure else {})})

        fields = {"duration_s": duration}
        if report:
            fields["report_s"] = report_period
        if profile:
            fields["profile"] = True
        self.spent = {}  # in functions of the script
        self.log.append(("run", duration))
        self.begun = self.running = True
        self.kept = None
        Network._globally_running = True
        try:
            with self.engine.lock:
                self.engine.send({"do": "run", **fields})
                answer = self.engine.answer(on_event, idle)
        except Answered as e:
            if failure:
                self.broken = "the last run ended with an exception in a network_operation"
                raise failure[0]
            if e.kind == "interrupted":
                return {"stopped": True, "t": None, "steps": 0, "wall": 0, "phases": [], "hash": None}
            if not e.error.get("steps") and e.kind != "fault":
                raise
            self.broken = f"the last run ended with an error at {e.error.get('t')} s: {e}"
            raise self.fault(e) from None
        except (KeyboardInterrupt, EngineLost):
            self.engine.close()
            self.broken = "the last run was broken off, and the engine's process ended with it: arrays are as before that run"
            raise
        finally:
            Network._globally_running = self.running = False
        self.hash = answer.get("hash") or self.hash
        self.answer = answer
        return answer

    def export(self, directory):
        """Writes what the engine was told as a script, with its arrays beside it; returns the script's path."""
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["# Written by brian2synfire: a network of Brian2, as Synfire's script language has it."]
        for what, *rest in self.log:
            if what == "exec":
                text, arrays = rest
                for name, (array, dim) in arrays.items():
                    np.save(folder/f"{name}.npy", array.astype(np.uint8) if array.dtype == bool else array)
                    u = unit(dim)
                    lines.append(f"{name} = load_array('{name}.npy'" + (f", {u})" if u != "1" else ")"))
                lines.append(text.rstrip())
            elif what == "run":
                lines.append(f"run({quantity(rest[0], second.dim)})")
            elif what == "large":
                raise MemoryError(f"arrays of more than {KEPT >> 20} MiB were sent to the engine, which are not kept for export(); connect() by text and assignments by text need none")
            else:
                raise Refused("a network that went on from a file's state, or whose functions of Python changed values, cannot be written as a script")
        model = folder/"model.star"
        model.write_text("\n".join(lines) + "\n")
        return str(model)

    def fault(self, e):
        error = e.error
        where = ".".join(str(error[k]) for k in ("object", "variable") if error.get(k))
        if error.get("index") is not None and where:
            where += f"[{error['index']}]"
        made = next((o for o in (r() for r in self.script.objects.values()) if o is not None and o.name == error.get("object")), None)
        text = (f"{where}: " if where else "") + str(e) + (f"\n{made._creation_stack}" if made is not None and getattr(made, "_creation_stack", "") else "")
        return {"memory": MemoryError}.get(e.kind, SynfireFault)(text)

    def call(self, net, objects, operation, t, failure):
        """A function of the script, called while the engine waits."""
        try:
            net.t_ = t
            for clock in net._clocks:
                self.device.set_clock(clock, t)
            self.leave(objects)
            self.leave_records(objects)
            operation.run()
            self.push()
        except BaseException as ex:
            failure.append(ex)
