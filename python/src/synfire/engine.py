"""The engine: a process `synfire serve` and the session in it (docs/serve.md)."""
import itertools
import json
import os
import select
import shutil
import struct
import subprocess
import tempfile
import threading
import weakref
from pathlib import Path

import numpy as np

from .errors import Answered, EngineLost

PROTOCOL = 1
LENGTH = struct.Struct("<I")
encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
WINDOWS = os.name == "nt"


def binary(name="", backend="auto"):
    """The program: as given, $SYNFIRE, the wheel's own, the one in PATH.

    A wheel may have two: one for every Linux, which knows the cpu alone, and one with OpenGL, which needs the system's C library."""
    folder = Path(__file__).parent/"bin"
    own = folder/("synfire.exe" if WINDOWS else "synfire")
    if (folder/"synfire-gl").exists() and (backend == "gl" or (backend == "auto" and a_gpu())):
        own = folder/"synfire-gl"
    for path in (name, os.environ.get("SYNFIRE")):
        if path:
            found = shutil.which(path)
            if not found:
                raise FileNotFoundError(f"there is no program {path!r} (from the option binary or $SYNFIRE)")
            return found
    if own.exists():
        return str(own)
    found = shutil.which("synfire")
    if not found:
        raise FileNotFoundError("the program synfire is not there: install a wheel of brian2synfire, put synfire into PATH, or name it in $SYNFIRE")
    return found


def a_gpu():
    return any(Path("/dev").glob("nvidia[0-9]")) or any(Path("/dev/dri").glob("renderD*"))


def exchange_folder(need=1 << 26):
    """A folder for arrays, in memory where there is room."""
    shm = Path("/dev/shm")
    if shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > need:
        return tempfile.mkdtemp(prefix=f"synfire-{os.getpid()}-", dir=shm)
    return tempfile.mkdtemp(prefix="synfire-")


class Engine:
    """One process, one session. A request is sent with ask(), which returns its answer."""

    def __init__(self, program="", backend="auto", threads=0, on_log=lambda level, text: None):
        command = [binary(program, backend), "serve"]  # where there is none, nothing is left behind
        self.on_log = on_log
        self.numbers = itertools.count()
        self.folder = exchange_folder()
        self.errors = open(os.path.join(self.folder, "stderr.txt"), "wb")
        command += ["--dir", self.folder, "--backend", backend]
        if threads or os.environ.get("SYNFIRE_THREADS"):
            command += ["--threads", str(threads or os.environ["SYNFIRE_THREADS"])]
        own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if WINDOWS else {"process_group": 0}  # Ctrl-C is Python's
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, bufsize=0, **own_group)
        except OSError as e:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise EngineLost(f"cannot start {command[0]}: {e}") from e
        self.read_buffer = b""
        self.lock = threading.RLock()
        self.pid = os.getpid()
        self.finalizer = weakref.finalize(self, end, self.process, self.folder, self.errors, os.getpid())
        self.hello = self.ask("hello")
        if self.hello["protocol"] != PROTOCOL:
            self.close()
            raise EngineLost(f"{command[0]} speaks protocol {self.hello['protocol']}, this package {PROTOCOL}: their versions do not go together")

    names = property(lambda self: self.hello["names"])

    # Frames.

    def send(self, request):
        frame = encode(request).encode()
        frame = LENGTH.pack(len(frame)) + frame
        try:
            while frame:
                frame = frame[os.write(self.process.stdin.fileno(), frame):]
        except (OSError, ValueError) as e:
            raise self.lost() from e

    def receive(self, idle=None):
        """The next frame. idle() is called every 50 ms while there is none."""
        fd = self.process.stdout.fileno()
        while True:
            if len(self.read_buffer) >= 4:
                n = LENGTH.unpack_from(self.read_buffer)[0]
                if len(self.read_buffer) >= 4 + n:
                    frame, self.read_buffer = self.read_buffer[4:4 + n], self.read_buffer[4 + n:]
                    try:
                        return json.loads(frame.decode())
                    except ValueError as e:
                        raise self.lost("it sent what is no JSON") from e
            if idle and not WINDOWS:
                while not select.select([fd], [], [], 0.05)[0]:
                    idle()
            try:
                more = os.read(fd, 1 << 16)  # a buffer of more is one of pages, which the system clears
            except (OSError, ValueError) as e:
                raise self.lost() from e
            if not more:
                raise self.lost("it ended within a frame" if self.read_buffer else "")
            self.read_buffer += more

    def lost(self, why=""):
        """The exception for a process that is gone; ends it if it is not."""
        try:
            self.process.kill()
            status = self.process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            status = None
        try:
            said = Path(self.errors.name).read_text(errors="replace").strip()
        except OSError:
            said = ""
        text = f"Synfire's process has ended{': ' + why if why else ''}"
        if status is not None:
            text += f" (killed by signal {-status})" if status < 0 else f" (exit status {status})"
        self.finalizer()
        return EngineLost(text + ("\n" + "\n".join(said.splitlines()[-20:]) if said else ""))

    alive = property(lambda self: self.finalizer.alive and self.process.poll() is None)

    # Requests.

    def ask(self, do, on_event=None, idle=None, **fields):
        """Sends a request, hands events over, returns the answer; raises Answered where it is an error."""
        with self.lock:
            self.send({"do": do, **fields})
            return self.answer(on_event, idle)

    def answer(self, on_event=None, idle=None):
        while True:
            frame = self.receive(idle)
            if "event" in frame:
                if frame["event"] == "log":
                    self.on_log(frame["level"], frame["text"])
                elif on_event:
                    on_event(frame)
            elif frame.get("ok"):
                return frame
            else:
                raise Answered(frame.get("error", {}))

    def interrupt(self):
        """Ends the request that is being worked on; it has no answer of its own."""
        self.send({"do": "stop"})

    # Values.

    def pack(self, array, dim=None):
        """A VALUE for a request: an array as a file, unless it is short."""
        array = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"an array of numbers is needed, not of {array.dtype}")
        value = {} if dim is None else {"dim": [float(d) for d in dim._dims]}
        if array.size <= 64 and (array.dtype.kind != "f" or np.isfinite(array).all()):
            return value | {"dtype": {"b": "bool", "f": "float64"}.get(array.dtype.kind, "int32"), "shape": list(array.shape), "value": array.tolist()}
        name = f"p{next(self.numbers)}.npy"
        try:
            np.save(os.path.join(self.folder, name), array)
        except OSError as e:
            raise MemoryError(f"{array.nbytes} bytes do not fit into {self.folder}: {e}") from e
        return value | {"npy": name}

    def unpack(self, value):
        if "text" in value:
            return value["text"]
        if "npy" not in value:
            return np.array(value["value"], dtype=value["dtype"]).reshape(value["shape"])
        path = os.path.join(self.folder, value["npy"])
        try:
            array = np.load(path, mmap_mode="r" if os.path.getsize(path) > 1 << 20 and not WINDOWS else None)
            os.unlink(path)
        except (OSError, ValueError) as e:
            raise EngineLost(f"the engine's array {value['npy']} cannot be read: {e}") from e
        return array

    def exec(self, text, arrays=()):
        """Runs statements; arrays are names of the text: {name: (array, dimension)}."""
        return self.ask("exec", text=text, arrays={k: self.pack(a, d) for k, (a, d) in dict(arrays).items()})

    def get(self, *what, index=None):
        fields = {} if index is None else {"index": index}
        values = self.ask("get", what=list(what), **fields)["values"]
        return [self.unpack(values[w]) for w in what]

    def set(self, target, value, index=None):
        value = value if isinstance(value, dict) else self.pack(value)
        self.ask("set", target=target, value=value, **({} if index is None else {"index": index}))

    def records(self, monitor, first=0):
        answer = self.ask("records", monitor=monitor, **{"from": first})
        answer["columns"] = {k: self.unpack(v) for k, v in answer["columns"].items()}
        if "count" in answer:
            answer["count"] = self.unpack(answer["count"])
        return answer

    def close(self):
        self.finalizer()


def end(process, folder, errors, pid):
    """Ends a process and removes its folder. A forked child closes its ends of the pipes and leaves the rest to its parent."""
    for pipe in (process.stdin, process.stdout, errors):
        try:
            pipe.close()
        except OSError:
            pass
    if os.getpid() != pid:
        return
    end_process(process, 0.5)
    shutil.rmtree(folder, ignore_errors=True)


def end_process(process, patience=0):
    """Waits for a process to end, and ends it."""
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
