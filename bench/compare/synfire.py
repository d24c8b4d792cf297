"""Synfire's side: the same words for a Starlark script, and reading what it prints."""
import os
import re
import subprocess
import tempfile

WORDS = '''
def begin(sim):
    pass
def line(kind, name, x):
    print('@' + kind + '@' + name + '@' + ' '.join(['%.10g' % float(v) for v in x]))
def show_values(name, x):
    line('values', name, x[:])
def show_states(name, M, variables):
    for v in variables:
        rows = getattr(M, v)
        for k in range(len(rows)):
            line('states', name + '.%s[%d]' % (v, k), rows[k])
def show_events(name, M, variables):
    line('times', name, M.t/second)
    line('indices', name, M.i)
    for v in variables:
        line('at events', name + '.' + v, getattr(M, v))
def show_rate(name, R):
    line('rate', name, R.rate)
'''


def simulate(exe, src, backend, limit):
    """What the script shows: {'lines': [(kind, name, values)]} or {'error': text}."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.star")
        with open(path, "w") as f:
            f.write(WORDS + src)
        try:
            r = subprocess.run([exe, "run", path, "--backend", backend, "--threads", "1"], capture_output=True, text=True, timeout=limit, env=dict(os.environ, NO_COLOR="1"))
        except subprocess.TimeoutExpired:
            return {"error": "no end"}
    warnings = [x for x in r.stderr.split("\n") if "warning" in x.lower() and "runs on the host" not in x]
    if r.returncode:
        return {"error": r.stderr.strip() or f"exit {r.returncode}", "warnings": warnings}
    lines = []
    for x in r.stdout.split("\n"):
        if x.startswith("@"):
            _, kind, name, values = x.split("@")
            lines.append((kind, name, [float(v) for v in values.split()]))
    return {"lines": lines, "warnings": warnings}


def kind_of(error):
    """An error without its place, names and numbers."""
    first = [x for x in error.split("\n") if x.strip()]
    text = re.sub(r"\S*network\.star:\d+:\d+:?", "", first[0] if first else "")
    return re.sub(r"[-+]?\d[\d.e+-]*|'[^']*'|\b[A-Za-z]+\d+(\.\w+)?\b", "_", text).strip()[:160]
