"""Puts the program synfire into the wheel: what $SYNFIRE_BINARY names, else what Go makes of the repository."""
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Program(BuildHookInterface):
    def initialize(self, version, build_data):
        if self.target_name != "wheel" or version == "editable":
            return
        given = os.environ.get("SYNFIRE_BINARY")
        programs = given.split(os.pathsep) if given else [self.build()]
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + (os.environ.get("SYNFIRE_TAG") or sysconfig.get_platform().replace("-", "_").replace(".", "_"))
        for p in programs:
            build_data["force_include"][str(Path(p).resolve())] = f"synfire/bin/{Path(p).name}"

    def build(self):
        repository = Path(self.root).parent
        if not (repository/"go.mod").exists():
            raise RuntimeError("Synfire's repository is not around this folder: install from a clone, or let $SYNFIRE_BINARY name the program synfire")
        if not shutil.which("go"):
            raise RuntimeError("there is no Go here to build the program synfire: install Go (https://go.dev/dl), install a wheel, or let $SYNFIRE_BINARY name the program")
        to = Path(self.directory)/"program"/("synfire.exe" if os.name == "nt" else "synfire")
        to.parent.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "GOEXPERIMENT": "simd"}
        command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(to)]
        with_gl = {**env, "PKG_CONFIG_PATH": f"{repository/'shaders'/'egl'}{os.pathsep}{env.get('PKG_CONFIG_PATH', '')}"}
        if os.name == "nt" or subprocess.run([*command, "-tags", "egl", "./cmd/synfire"], cwd=repository, env=with_gl, capture_output=True).returncode:
            subprocess.run([*command, "./cmd/synfire"], cwd=repository, env={**env, "CGO_ENABLED": "0"}, check=True)  # the cpu alone
        return to
