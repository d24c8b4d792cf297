"""Runs one workload of `synfire bench` on Brian2 and prints one line of JSON.

usage: brian2_peer.py '{"workload": "cuba", "size": 4000, "duration_s": 1, "threads": 2, "seed": 1, "backend": "brian2"}'

backend "brian2" is C++ standalone mode with OpenMP, compiled apart from the run; "brian2-cython" is the default mode.
"""
import json
import os
import resource
import shutil
import sys
import tempfile
import time

import numpy as np
import brian2
from brian2 import (Network, NeuronGroup, PoissonGroup, PoissonInput, SpikeMonitor, Synapses, device, prefs, seed, set_device, Hz, mV, ms, nA, nS,
                    pF, second, siemens, ufarad, cm, msiemens, umetre, volt, amp)
from brian2.utils.logger import BrianLogger
from shared import peak_memory, save_spikes

CASE = json.loads(sys.argv[1])
N, MODEL = int(CASE["size"]), CASE["duration_s"] * second
PARAMS = CASE.get("set", {})
FIXED = PARAMS.get("fixed") == "True"  # nothing is drawn: evenly apart instead
STANDALONE = CASE["backend"] == "brian2"

TRAUB = '''
    dm/dt = alpha_m*(1 - m) - beta_m*m : 1
    dn/dt = alpha_n*(1 - n) - beta_n*n : 1
    dh/dt = alpha_h*(1 - h) - beta_h*h : 1
    alpha_m = 0.32*4/exprel((13*mV - v + VT)/(4*mV))/ms : Hz
    beta_m = 0.28*5/exprel((v - VT - 40*mV)/(5*mV))/ms : Hz
    alpha_h = 0.128*exp((17*mV - v + VT)/(18*mV))/ms : Hz
    beta_h = 4./(1 + exp((40*mV - v + VT)/(5*mV)))/ms : Hz
    alpha_n = 0.032*5/exprel((15*mV - v + VT)/(5*mV))/ms : Hz
    beta_n = 0.5*exp((10*mV - v + VT)/(40*mV))/ms : Hz
'''
AREA = 20000*umetre**2
MEMBRANE = dict(Cm=1*ufarad*cm**-2*AREA, gl=5e-5*siemens*cm**-2*AREA, g_na=100*msiemens*cm**-2*AREA, g_kd=30*msiemens*cm**-2*AREA,
                El=-60*mV, EK=-90*mV, ENa=50*mV, VT=-63*mV)


def update():
    P = NeuronGroup(N, 'dv/dt = (1.05 - v)/(20*ms) : 1 (unless refractory)', threshold='v > 1', reset='v = 0', refractory=2*ms, method='exact')
    P.v = 'i/N' if FIXED else 'rand()'
    return P, []


def lif():
    P = NeuronGroup(N, 'dv/dt = (1.05 - v)/tau + 0.1*sqrt(2/tau)*xi : 1 (unless refractory)', threshold='v > 1', reset='v = 0',
                    refractory=2*ms, method='euler', namespace={'tau': 20*ms})
    P.v = 'rand()'
    return P, []


def izhikevich():
    P = NeuronGroup(N, '''dv/dt = (0.04*v**2 + 5*v + 140 - u + I)/ms : 1
                          du/dt = 0.02*(0.2*v - u)/ms : 1
                          c : 1 (constant)
                          d : 1 (constant)
                          I : 1 (constant)''', threshold='v >= 30', reset='v = c; u += d', method='euler')
    P.c = '-65 + 15*i/N' if FIXED else '-65 + 15*rand()'
    P.d = '8 - 6*(c + 65)/15'
    P.I = '4 + 8*i/N' if FIXED else '4 + 8*rand()'
    P.v = -65
    P.u = '0.2*v'
    return P, []


def hh():
    P = NeuronGroup(N, 'dv/dt = (gl*(El - v) - g_na*(m*m*m)*h*(v - ENa) - g_kd*(n*n*n*n)*(v - EK) + I)/Cm : volt\nI : amp (constant)' + TRAUB,
                    threshold='v > -20*mV', refractory=3*ms, method='exponential_euler', namespace=MEMBRANE)
    P.v = 'El' if FIXED else 'El + 5*mV*randn()'
    P.I = '0.7*nA*i/N' if FIXED else '0.7*nA*rand()'
    return P, []


def recurrent(P, on_exc, on_inh, namespace):
    """80 inputs to each cell on average, a fifth of them inhibitory."""
    n_exc = 4*N//5
    Ce = Synapses(P[:n_exc], P, on_pre=on_exc, namespace=namespace)
    Ce.connect(p=80/N)
    Ci = Synapses(P[n_exc:], P, on_pre=on_inh, namespace=namespace)
    Ci.connect(p=80/N)
    return [Ce, Ci]


def cuba():
    names = dict(taum=20*ms, taue=5*ms, taui=10*ms, Vt=-50*mV, Vr=-60*mV, El=-49*mV)
    P = NeuronGroup(N, '''dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
                          dge/dt = -ge/taue : volt
                          dgi/dt = -gi/taui : volt''', threshold='v > Vt', reset='v = Vr', refractory=5*ms, method='exact', namespace=names)
    P.v = 'Vr + rand()*(Vt - Vr)'
    S = recurrent(P, 'ge += 1.62*mV', 'gi -= 9*mV', {})
    for s in S:
        s.delay = 0.1*ms
    return P, S


def coba():
    names = dict(C=200*pF, gl=10*nS, El=-60*mV, Ee=0*mV, Ei=-80*mV, Vt=-50*mV, Vr=-60*mV, taue=5*ms, taui=10*ms)
    P = NeuronGroup(N, '''dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v))/C : volt (unless refractory)
                          dge/dt = -ge/taue : siemens
                          dgi/dt = -gi/taui : siemens''', threshold='v > Vt', reset='v = Vr', refractory=5*ms,
                    method='exponential_euler', namespace=names)
    P.v = 'El + (5*randn() - 5)*mV'
    P.ge = 'clip(40 + 15*randn(), 0, 1000)*nS'
    P.gi = 'clip(200 + 120*randn(), 0, 10000)*nS'
    return P, recurrent(P, 'ge += 6*nS', 'gi += 67*nS', {})


def cobahh():
    names = dict(MEMBRANE, Ee=0*mV, Ei=-80*mV, taue=5*ms, taui=10*ms)
    P = NeuronGroup(N, '''dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v) - g_na*(m*m*m)*h*(v - ENa) - g_kd*(n*n*n*n)*(v - EK))/Cm : volt
                          dge/dt = -ge/taue : siemens
                          dgi/dt = -gi/taui : siemens''' + TRAUB, threshold='v > -20*mV', refractory=3*ms, method='exponential_euler',
                    namespace=names)
    P.v = 'El + (5*randn() - 5)*mV'
    P.ge = '(1.5*randn() + 4)*10*nS'
    P.gi = '(12*randn() + 20)*10*nS'
    return P, recurrent(P, 'ge += 6*nS', 'gi += 67*nS', {})


def brunel():
    n, indegree = int(PARAMS.get("n", N)), int(PARAMS.get("indegree", 1250))
    n_exc, c_exc = 4*n//5, 4*indegree//5
    J = 100*mV/c_exc
    names = dict(taum=20*ms, J=J, J_inh=5*J)
    P = NeuronGroup(n, 'dv/dt = -v/taum : volt (unless refractory)', threshold='v >= 20*mV', reset='v = 10*mV', refractory=2.1*ms,
                    method='exact', namespace=names)
    rng = np.random.default_rng(int(CASE["seed"]))
    objects = []
    for source, count, pre in ((P[:n_exc], c_exc, 'v += J'), (P[n_exc:], indegree - c_exc, 'v -= J_inh')):
        S = Synapses(source, P, on_pre=pre, delay=1.5*ms, namespace=names)
        S.connect(i=rng.integers(0, len(source), n*count), j=np.repeat(np.arange(n), count))
        objects.append(S)
    objects.append(PoissonInput(P, 'v', c_exc, 2*20*mV/(J*c_exc*20*ms), weight=J))
    return P, objects


def fly():
    names = dict(v0=-52*mV, t_mbr=20*ms, tau=5*ms)
    P = NeuronGroup(N, '''dv/dt = (v0 - v + g)/t_mbr : volt (unless refractory)
                          dg/dt = -g/tau : volt (unless refractory)''', threshold='v > -45*mV', reset='v = -52*mV; g = 0*mV',
                    refractory=2.2*ms, method='exact', namespace=names)
    P.v = -52*mV
    S = Synapses(P, P, 'w : volt', on_pre='g += w', delay=1.8*ms)
    i, j, w = (np.load(os.path.join(CASE["dir"], "fly_%s.npy" % c)) for c in "ijw")
    S.connect(i=i, j=j)
    S.w = w*mV
    return P, [S, PoissonInput(P[:int(PARAMS["kicked"])], 'v', 1, float(PARAMS.get("rate", "150*Hz").split("*")[0])*Hz, weight=68.75*mV)]


def stdp():
    names = dict(gmax=0.01, dA=1e-4)
    inputs = PoissonGroup(N, rates=15*Hz)
    P = NeuronGroup(10, '''dv/dt = (ge*(0*mV - v) - 74*mV - v)/(10*ms) : volt
                           dge/dt = -ge/(5*ms) : 1''', threshold='v > -54*mV', reset='v = -60*mV', method='euler')
    P.v = -70*mV
    S = Synapses(inputs, P, '''w : 1
                               dapre/dt = -apre/(20*ms) : 1 (event-driven)
                               dapost/dt = -apost/(20*ms) : 1 (event-driven)''',
                 on_pre='''ge += w*1000/N_pre
                           apre += dA
                           w = clip(w + apost, 0, gmax)''',
                 on_post='''apost -= 1.05*dA
                            w = clip(w + apre, 0, gmax)''', namespace=names, name='S')
    S.connect()
    S.w = 'rand()*gmax'
    return P, [inputs, S]


def brunel_stdp():
    scale = CASE["size"]
    n_exc, n_inh = int(10000*scale), int(2500*scale)
    c_exc, c_inh = min(1000, n_exc//10), min(250, n_inh//10)
    J = 100*mV/c_exc
    names = dict(J=J, J_inh=6*J, wmax=2*J, up=0.004*J, down=1.2*0.004*J, tau=20*ms)
    P = NeuronGroup(n_exc + n_inh, 'dv/dt = -v/tau : volt (unless refractory)', threshold='v > 20*mV', reset='v = 10*mV',
                    refractory=2*ms, method='exact', namespace=names)
    E, I = P[:n_exc], P[n_exc:]
    ee = Synapses(E, E, '''w : volt
                           dapre/dt = -apre/(20*ms) : 1 (event-driven)
                           dapost/dt = -apost/(20*ms) : 1 (event-driven)''',
                  on_pre='''v_post += w
                            apre += 1
                            w = clip(w - down*apost, 0*mV, wmax)''',
                  on_post='''apost += 1
                             w = clip(w + up*apre, 0*mV, wmax)''', delay=1.5*ms, namespace=names, name='ee')
    ee.connect(p=c_exc/n_exc)
    ee.w = J
    ei = Synapses(E, I, on_pre='v_post += J', delay=1.5*ms, namespace=names)
    ei.connect(p=c_exc/n_exc)
    ii = Synapses(I, P, on_pre='v_post -= J_inh', delay=1.5*ms, namespace=names)
    ii.connect(p=c_inh/n_inh)
    return P, [ee, ei, ii, PoissonInput(P, 'v', c_exc, 1.1*20*mV/(J*c_exc*20*ms), weight=J)]


MODELS = dict(update=update, lif=lif, izhikevich=izhikevich, hh=hh, cuba=cuba, coba=coba, cobahh=cobahh, brunel=brunel, brunel100=brunel,
              brunel1000=brunel, indegree=brunel, fly=fly, stdp=stdp, brunel_stdp=brunel_stdp)
WARMUP = 100*ms  # of brunel and brunel_stdp: simulated, not counted


def main():
    BrianLogger.log_level_error()
    folder = tempfile.mkdtemp(prefix="brian2-")
    if STANDALONE:
        set_device('cpp_standalone', directory=folder, build_on_run=False)
        prefs.devices.cpp_standalone.openmp_threads = CASE["threads"]
    else:
        prefs.codegen.target = 'cython'
    if PARAMS.get("precision") == "single":
        prefs.core.default_float_dtype = np.float32
    seed(int(CASE["seed"]) + 3)
    begin = time.perf_counter()
    model = MODELS[CASE["workload"]]
    P, objects = model()
    M = SpikeMonitor(P)
    net = Network(P, M, objects)
    warmup = WARMUP if model in (brunel, brunel_stdp) else 0*ms
    setup = time.perf_counter() - begin
    if STANDALONE:
        begin = time.perf_counter()
        net.run(warmup + MODEL)
        device.build(directory=folder, compile=True, run=False, debug=False)
        compiled = time.perf_counter() - begin
        begin = time.perf_counter()
        device.run(folder, with_output=False)
        run = device._last_run_time
        build = setup + time.perf_counter() - begin - run
        steps = round(float((warmup + MODEL)/(0.1*ms)))
    else:
        begin = time.perf_counter()
        net.run(warmup if warmup > 0*ms else 0.1*ms)
        compiled, build = time.perf_counter() - begin, setup
        begin = time.perf_counter()
        net.run(MODEL)
        run = time.perf_counter() - begin
        steps = round(float(MODEL/(0.1*ms)))
    if "spikes" in CASE:
        save_spikes(CASE["spikes"], "P", M.i, np.asarray(M.t) - float(warmup), CASE["duration_s"])
    counted = int(np.sum(np.asarray(M.t) >= float(warmup)))
    # A standalone run is timed with its warm-up.
    spikes = int(M.num_spikes) if STANDALONE else counted
    weights = {s.name: [float(np.mean(s.w_[:])), float(np.std(s.w_[:]))] for s in objects if isinstance(s, Synapses) and s.name in ("S", "ee")}
    # In standalone mode the simulation is a child, and so is the compiler.
    peak = max(peak_memory(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss*1024)
    print(json.dumps({
        "version": brian2.__version__, "compile_s": compiled, "build_s": build, "run_s": run, "model_s": steps*1e-4, "steps": steps,
        "neurons": len(P), "synapses": sum(len(s) for s in objects if isinstance(s, Synapses)), "spikes": spikes,
        "rates_hz": {"P": counted/len(P)/float(MODEL)}, "weights": weights, "peak_bytes": peak}))
    shutil.rmtree(folder, ignore_errors=True)


main()
