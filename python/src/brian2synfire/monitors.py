"""What monitors have recorded, from the engine into Brian2's arrays."""
import weakref

import numpy as np
from brian2.monitors.ratemonitor import PopulationRateMonitor
from brian2.monitors.spikemonitor import EventMonitor
from brian2.monitors.statemonitor import StateMonitor

from .translate import to_keep

MONITORS = (StateMonitor, EventMonitor, PopulationRateMonitor)


def variables(monitor):
    """The arrays that recording fills."""
    names = ["N"]
    if isinstance(monitor, StateMonitor):
        names += ["t", *monitor.record_variables]
    elif isinstance(monitor, EventMonitor):
        names += ["count", *monitor.record_variables]
    else:
        names += ["t", "rate"]
    return [monitor.variables[n] for n in names]


def fetch(device, session, monitor):
    """Appends what was recorded since the last time."""
    first = session.recorded.get(monitor.name, 0)
    answer = session.engine.records(session.script.names[monitor.name], first)
    for v in variables(monitor):
        device.elsewhere.pop(v, None)
    columns, had = answer["columns"], int(device.arrays[monitor.variables["N"]][0])
    new = answer["n"] - first
    monitor.resize(had + new)
    device.arrays[monitor.variables["N"]][0] = answer["total"] if isinstance(monitor, EventMonitor) and not monitor.record_variables else had + new
    for name, column in columns.items():
        if name in monitor.variables:
            device.arrays[monitor.variables[name]].data[had:had + new] = column.T
    if "count" in answer:
        device.arrays[monitor.variables["count"]][:] = answer["count"]
    session.recorded[monitor.name] = answer["n"]


def times_alone(device, monitor, t_start, t_end):
    """A StateMonitor without variables: the times of its steps."""
    clock, had = monitor.clock, int(device.arrays[monitor.variables["N"]][0])
    steps = np.arange(clock._calc_timestep(t_start), clock._calc_timestep(t_end))
    monitor.resize(had + len(steps))
    device.arrays[monitor.variables["t"]].data[had:] = steps*clock.dt_


class SingleStep:
    """Stands for the code of a StateMonitor that ran on the engine: record_single_timestep() has Brian2 make and run it."""

    def __init__(self, monitor, namespace):
        self.monitor, self.namespace = weakref.proxy(monitor), to_keep(namespace)

    def __call__(self):
        monitor = self.monitor
        monitor.create_code_objects(self.namespace)
        try:
            monitor.codeobj()
        finally:
            monitor.codeobj, monitor.code_objects[:] = self, []
            for v in variables(monitor)[1:]:
                v.size = v.get_value().shape if v.ndim > 1 else len(v.get_value())
