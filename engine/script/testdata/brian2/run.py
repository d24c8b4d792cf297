"""Writes NAME.txt for each NAME.star: what Brian2 shows for the same script.

python run.py *.star     (made with Brian2 2.10.1)

The models of the library (engine/models) are plain Python too: Brian2 runs their own texts.
"""
import glob
import os
import sys
import warnings

from brian2 import *

warnings.simplefilter("ignore")
prefs.codegen.target = "numpy"
BrianLogger.log_level_error()


def param(name, default):
    return default


def show(name, x):
    print(name, " ".join("%.6g" % float(v) for v in np.asarray(x).flatten()))


for model in glob.glob(os.path.join(os.path.dirname(__file__), "../../../models/*.star")):
    exec(compile(open(model).read(), model, "exec"), globals())

for file in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        sys.stdout = open(file[:-5] + ".txt", "w")
        exec(compile(open(file).read(), file, "exec"), globals())
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(pid, 0)
