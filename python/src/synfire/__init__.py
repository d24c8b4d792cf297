"""Synfire's own scripts from Python.

    import synfire
    r = synfire.run('cuba.star', duration=0.5, backend='cpu')
    r.hash, r['E'].t, r['E'].i, r.manifest['runs']

For scripts of Brian2 there is the package brian2synfire.
"""
import json
import os
import subprocess
import tempfile
import weakref
from pathlib import Path

import numpy as np

from .engine import binary, end_process
from .errors import EngineLost, SynfireFault

__all__ = ["EngineLost", "Result", "SynfireFault", "run"]


class Monitor:
    """What one monitor has recorded: its columns as attributes, and by name."""

    def __init__(self, folder, about):
        self.about = about
        for path in sorted(folder.glob("*.npy")):
            setattr(self, path.stem, np.load(path, mmap_mode="r"))

    def __getitem__(self, column):
        return getattr(self, column)


class Result:
    """A finished run: the manifest, and the monitors by name. Arrays stay in files, which are read where they are used."""

    def __init__(self, folder, printed, temporary=None):
        self.folder, self.printed = Path(folder), printed
        self.manifest = json.loads((self.folder/"run.json").read_text())
        self.monitors = {name: Monitor(self.folder/name, about) for name, about in self.manifest.get("monitors", {}).items()}
        if temporary:
            weakref.finalize(self, temporary.cleanup)

    hash = property(lambda self: self.manifest["hash"])

    def __getitem__(self, monitor):
        return self.monitors[monitor]


def run(model, duration=None, backend="auto", threads=0, seed=None, out=None, program="", **parameters):
    """Runs a script (model.star, model.py) in a process of its own and returns a Result.

    duration (seconds) and further keywords set the script's parameters of these names: what it declares with param().
    out is a folder that keeps the records; without it they go when the Result goes.
    """
    temporary = None if out else tempfile.TemporaryDirectory(prefix="synfire-")
    command = [binary(program, backend), "run", os.fspath(model), "--quiet", "--backend", backend, "--out", os.fspath(out or temporary.name)]
    if threads:
        command += ["--threads", str(threads)]
    if seed is not None:
        command += ["--seed", str(int(seed))]
    if duration is not None:
        command += ["--set", f"duration={float(duration)!r}*second"]
    for name, value in parameters.items():
        command += ["--set", f"{name}={value}"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    try:
        printed, said = process.communicate()
    except BaseException:
        end_process(process)
        raise
    if process.returncode < 0:
        raise EngineLost(f"{command[0]} was killed by signal {-process.returncode}\n{said}".strip())
    if process.returncode:
        raise SynfireFault(said.strip() or f"{command[0]} ended with status {process.returncode}")
    return Result(out or temporary.name, printed, temporary)
