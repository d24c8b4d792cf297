"""Holds what Synfire shows against what Brian2 shows."""
import numpy as np

import brian
import synfire

FLOAT = 2.0**-20  # sixteen units of float32's last place, of the largest value that a line has shown so far
CLOSE = 2.0**-16  # what agrees to this needs no further run of Brian2

# What Synfire refuses and says so; everything else that Brian2 takes and Synfire does not is a difference.
REFUSED = ["would depend on their order", "passed the largest value", "not available yet", "has no value here that can be shown", "must come before all else", "must come after all else", "no common part", "exact has no closed form"]


def shorten(x, k):
    return " ".join("%.9g" % v for v in x[max(0, k - 1):k + 4])


def first_difference(theirs, ours, until, spreads, close):
    """Where the two part: (text, kind and name of the line), or None."""
    if len(ours) != len(theirs):
        return f"{len(ours)} lines are shown, Brian2 shows {len(theirs)}", None
    found = []
    for (sim, kind, name, times, x), spread, (our_kind, our_name, y) in zip(theirs, spreads, ours):
        if (kind, name) != (our_kind, our_name):
            return f"{our_kind} of {our_name} are shown, Brian2 shows {kind} of {name}", None
        limit = until.get(sim, np.inf)
        y = np.array(y)
        sure = int(np.sum(times < limit - 1e-9))
        if kind == "times":
            our_sure = int(np.sum(y < limit - 1e-9))
            if sure != our_sure or (limit == np.inf and len(x) != len(y)):
                k = next((k for k in range(min(sure, our_sure)) if abs(x[k] - y[k]) > 1e-7), min(sure, our_sure))
                at = min([z[k] for z in (x, y) if k < len(z)], default=0)
                found.append((at, f"{name}: {our_sure} events, Brian2 has {sure}; from event {k} on they are at {shorten(y, k)} s, Brian2: {shorten(x, k)} s", (kind, name)))
                continue
        elif limit == np.inf and len(x) != len(y):
            if kind not in ("indices", "at events"):
                found.append((-1, f"{kind} of {name}: {len(y)}, Brian2 has {len(x)}", (kind, name)))
            continue
        n = min(sure, len(y))
        x, y, t = x[:n], y[:n], times[:n]
        allowed = (CLOSE if close else FLOAT)*np.maximum.accumulate(np.abs(x)) + 2*spread[:n] + 1e-300 if n else x
        if kind == "times":
            allowed = np.full(n, 1e-7)
        wrong = ~(np.abs(x - y) <= allowed)
        if wrong.any():
            k = int(np.argmax(wrong))
            found.append((t[k], f"{kind} of {name} at {t[k]*1000:.6g} ms (number {k}): {shorten(y, k)}, Brian2: {shorten(x, k)}; allowed {allowed[k]:.3g}", (kind, name)))
    return min(found)[1:] if found else None


def judge(src, exe, backend, limit=60):
    """(verdict, reason, share, line): equal, skipped or differs; the share of the run's time that was compared; the line that differs."""
    ours = synfire.simulate(exe, src, backend, limit)
    error = ours.get("error", "")
    if any(x in error for x in REFUSED):
        return "skipped", "Synfire: " + synfire.kind_of(error), 0, None
    try:
        plain = brian.simulate(src)
    except brian.Late:
        raise
    except Exception as e:
        return "skipped", "Brian2: " + synfire.kind_of(str(e.__cause__ or str(e).split("traceback.)")[-1])), 0, None
    if error:
        return "differs", error if error == "no end" else "Synfire: " + synfire.kind_of(error) + "\n" + error, 0, None
    if any(w for w in ours["warnings"]):
        return "skipped", "Synfire warns: " + synfire.kind_of(ours["warnings"][0]), 0, None
    if any(not np.isfinite(x[4]).all() for x in plain.lines):
        return "skipped", "Brian2: values that are not finite", 0, None
    zero = [np.zeros(len(x[4])) for x in plain.lines]
    if first_difference(plain.lines, ours["lines"], {}, zero, True) is None:
        return "equal", "", 1, None
    until, spreads = brian.tolerances(src, plain)
    whole = sum(plain.now.values())
    share = sum(max(0, min(until.get(s, t), t)) for s, t in plain.now.items())/whole if whole else 1
    difference = first_difference(plain.lines, ours["lines"], until, spreads, False)
    if difference and plain.ordered:
        return "skipped", "Brian2: the result depends on the order of synapses", 0, None
    if difference:
        return "differs", difference[0], share, difference[1]
    if share < 0.1:
        return "skipped", "rounding decides the first spikes", share, None
    return "equal", "", share, None
