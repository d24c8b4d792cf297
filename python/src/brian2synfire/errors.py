"""The engine's errors in the exception classes that Brian2's users know."""
from brian2.core.base import BrianObjectException
from brian2.units import DimensionMismatchError
from synfire.errors import Answered, EngineLost, SynfireFault

PAGE = "docs/from-brian2.md"  # of the Synfire repository: what falls back, and how to tell

__all__ = ["Answered", "EngineLost", "Refused", "SynfireFault", "python_error"]


class Refused(NotImplementedError):
    """Synfire does not do this: the network runs in Brian2's own loop instead, or the script is told why not."""

    def __init__(self, reason, obj=None):
        self.reason, self.obj = reason, getattr(obj, "name", obj)
        super().__init__(f"'{self.obj}': {reason}" if self.obj else reason)


CLASSES = {
    "dimension": DimensionMismatchError, "name": KeyError, "index": IndexError, "value": ValueError, "syntax": SyntaxError, "unsupported": Refused, "fault": SynfireFault,
    "interrupted": KeyboardInterrupt, "callback": RuntimeError, "memory": MemoryError, "device": SynfireFault, "protocol": SynfireFault, "internal": SynfireFault,
}


def python_error(answered, obj=None):
    """What the engine answered as an exception of Python; obj is Brian2's object that it is about, if that is known."""
    text = str(answered)
    if answered.error.get("hint"):
        text += f" ({answered.error['hint']})"
    cause = CLASSES.get(answered.kind, SynfireFault)(text)
    if obj is None or isinstance(cause, (KeyboardInterrupt, Refused)) or not hasattr(obj, "_creation_stack"):
        return cause
    outer = BrianObjectException("Synfire refuses it.", obj)
    outer.__cause__ = cause
    return outer
