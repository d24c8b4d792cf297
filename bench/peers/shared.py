"""What the scripts of several simulators share: the peak of memory, and the mechanism of hh.star in NMODL."""
import os
import resource

import numpy as np


def peak_memory():
    """Largest resident size in bytes. Linux's getrusage counts the process that started this one too, the high water mark does not."""
    try:
        with open("/proc/self/status") as lines:
            return max(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))*1024
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*1024


def save_spikes(folder, name, i, t, duration):
    """Writes spikes as `synfire run --out` does: cells from 0, times in seconds from the begin of what is counted, each that of its step's begin."""
    os.makedirs(os.path.join(folder, name), exist_ok=True)
    i, t = np.asarray(i), np.asarray(t)
    counted = (t > -1e-9) & (t < duration - 1e-9)
    np.save(os.path.join(folder, name, "i.npy"), i[counted].astype(np.int32))
    np.save(os.path.join(folder, name, "t.npy"), t[counted].astype(np.float64))


# Traub and Miles' channels and the leak, as in hh.star; the gates start closed, as Brian2's do.
TRAUB = """
NEURON {
    SUFFIX traub
    NONSPECIFIC_CURRENT i
    %(neuron)s
}
PARAMETER {
    gl = 5e-5 (S/cm2)
    gna = 0.1 (S/cm2)
    gk = 0.03 (S/cm2)
    el = -60 (mV)
    ena = 50 (mV)
    ek = -90 (mV)
    vt = -63 (mV)
}
STATE { m h n }
INITIAL {
    m = 0
    h = 0
    n = 0
}
BREAKPOINT {
    SOLVE states METHOD cnexp
    i = gl*(v - el) + gna*m*m*m*h*(v - ena) + gk*n*n*n*n*(v - ek)
}
DERIVATIVE states {
    LOCAL u, am, bm, ah, bh, an, bn
    u = v - vt
    am = 0.32*4%(over)s((13 - u)/4)
    bm = 0.28*5%(over)s((u - 40)/5)
    ah = 0.128*exp((17 - u)/18)
    bh = 4/(1 + exp((40 - u)/5))
    an = 0.032*5%(over)s((15 - u)/5)
    bn = 0.5*exp((10 - u)/40)
    m' = am*(1 - m) - bm*m
    h' = ah*(1 - h) - bh*h
    n' = an*(1 - n) - bn*n
}
%(more)s
"""
