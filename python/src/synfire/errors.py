"""What can go wrong between Python and the engine."""


class SynfireFault(RuntimeError):
    """A model broke down while it ran (a value beyond what can be kept, a division by zero, ...)."""


class EngineLost(SynfireFault):
    """The engine's process has ended, or answers nonsense: what it alone held is lost."""


class Answered(Exception):
    """An error as the engine answers it (docs/serve.md, Errors)."""

    def __init__(self, error):
        self.error = error
        super().__init__(error.get("message") or error.get("text") or "an error without a message")

    kind = property(lambda self: self.error.get("kind", "internal"))
    line = property(lambda self: self.error.get("line", 0))
