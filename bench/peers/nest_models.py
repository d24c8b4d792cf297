"""Random neurons with random stimuli on NEST and on Synfire: how far apart the spikes are, in steps.

usage: PYTHON_WITH_NEST nest_models.py SYNFIRE [--cases 8] [--seed 1] [--dt 0.1,0.05,0.25,0.01] [--models NAME,...] [--defaults] [--verbose]

For each model, resolution and case, parameters are drawn about their defaults, and the neuron gets a step of current, a train of
spikes with bursts, and two random trains (weights above and below 0). NEST runs each neuron four times more, with a capacitance
that differs by 1e-7 and 1e-6 of itself (Synfire's numbers have 24 bits, 6e-8), and, where it integrates no closer than 1e-3 mV a step, twice
with a voltage at first that differs by as much: where its own spikes then move by more than a step, the case says nothing about who is
right and is told apart ("ill-posed"). Spikes that NEST sends twice in a step (aeif without t_ref) count once. gif_psc_exp, which draws, is compared by rate and CV of 200 neurons.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import nest
import numpy as np

T = 500.0  # ms
FLAGS = ["spike_dependent_threshold", "after_spike_currents", "adapting_threshold"]
# What each parameter is in: NEST's unit, by which a number is multiplied in a script.
UNITS = {"C_m": "pF", "I_e": "pA", "b": "pA", "asc_amps": "pA", "asc_init": "pA", "q_stc": "pA", "g": "nS", "a": "nS", "Delta_T": "mV", "Delta_V": "mV",
         "omega": "mV", "alpha_1": "mV", "alpha_2": "mV", "th_spike_add": "mV", "voltage_reset_add": "mV", "c": "mV", "d": "mV", "q_sfa": "mV",
         "th_spike_decay": "/ms", "th_voltage_index": "/ms", "th_voltage_decay": "/ms", "asc_decay": "/ms", "lambda_0": "Hz",
         "t_ref": "ms", "voltage_reset_fraction": "", "asc_r": "", "E_rr": "mV"}
# Weight above 0 and below, and their unit.
WEIGHTS = {
    "iaf_psc_delta": (9.0, -3.0, "mV"), "iaf_psc_exp": (900.0, -300.0, "pA"), "iaf_psc_alpha": (500.0, -150.0, "pA"), "iaf_cond_exp": (120.0, -20.0, "nS"),
    "iaf_cond_alpha": (50.0, -8.0, "nS"), "iaf_psc_exp_multisynapse": (900.0, -300.0, "pA"), "aeif_cond_exp": (250.0, -40.0, "nS"),
    "aeif_cond_alpha": (100.0, -16.0, "nS"), "aeif_psc_exp": (15000.0, -600.0, "pA"), "izhikevich": (9.0, -3.0, "mV"),
    "hh_psc_alpha": (2000.0, -60.0, "pA"), "hh_cond_exp_traub": (4.0, -4.0, "nS"), "mat2_psc_exp": (2800.0, -200.0, "pA"),
    "glif_psc": (250.0, -80.0, "pA"), "gif_psc_exp": (120.0, -40.0, "pA"),
}
# What NEST integrates to within 1e-3 mV (and 1e-3 of a gate) a step, whatever is asked for.
ROUGH = ("iaf_cond_exp", "iaf_cond_alpha", "hh_psc_alpha", "hh_cond_exp_traub", "iaf_cond_exp_sfa_rr")
RNG = np.random.default_rng(0)


def unit(model, name):
    if name in FLAGS:
        return ""
    if model == "izhikevich" and name in ("a", "b"):
        return ""
    if name in UNITS:
        return UNITS[name]
    if name.startswith("q_"):
        return "nS"
    if name.startswith("tau"):
        return "ms"
    return {"E": "mV", "V": "mV", "g": "nS"}[name[0]]


def near(x, by=0.25):
    return float(x * RNG.uniform(1 - by, 1 + by))


def draw(model, defaults):
    """Parameters of a neuron and a current that makes it fire."""
    d = nest.GetDefaults(model)
    p = {}
    if not defaults:
        for k, v in d.items():
            if k in ("C_m", "g_L", "g", "tau_m", "g_Na", "g_K", "tau_w", "a", "b", "Delta_T", "alpha_1", "alpha_2", "tau_1", "tau_2", "th_spike_add", "th_spike_decay",
                     "voltage_reset_fraction", "voltage_reset_add", "th_voltage_index", "th_voltage_decay", "d", "lambda_0", "Delta_V", "tau_rr", "tau_sfa", "q_rr", "q_sfa") and isinstance(v, float):
                p[k] = near(v)
            elif k.startswith("tau_syn") and np.isscalar(v):
                p[k] = float(v * np.exp(RNG.uniform(-0.7, 1.5)))
            elif model == "mat2_psc_exp" and k in ("V_th", "tau_syn"):
                pass
            elif k in ("E_L", "V_th", "E_ex", "E_in", "omega", "V_T", "V_T_star", "c"):
                p[k] = float(v + RNG.uniform(-4, 4))
            elif k == "t_ref":
                p[k] = float(RNG.choice([0.0 if not model.startswith(("mat2", "hh")) else 3.0, 1.0, 2.0, RNG.uniform(0.5, 5)]))
        if "V_reset" in d and model != "glif_psc":
            low = p.get("E_L", d["E_L"]) - 5
            p["V_reset"] = float(RNG.uniform(low, p.get("V_th", d.get("V_th", -50.0)) - 2))
    full = {**d, **p}
    if model == "iaf_psc_exp_multisynapse":
        p["tau_syn"] = [near(2.0, 0.6) for _ in range(RNG.integers(1, 4))]
    if model == "glif_psc":
        forms = [[], FLAGS[:1], FLAGS[1:2], FLAGS[:2], FLAGS]
        p.update({f: True for f in forms[RNG.integers(5)]})
        full.update(p)
        if not p.get("after_spike_currents"):
            [p.pop(k, None) for k in ("asc_amps", "asc_decay", "asc_r")]
        elif not defaults:
            p.update(asc_amps=[near(-9.18, 0.5), near(-198.94, 0.5)], asc_decay=[near(0.003, 0.5), near(0.1, 0.5)], asc_r=[float(RNG.uniform(0, 1)), 1.0])
        if not p.get("spike_dependent_threshold"):
            [p.pop(k, None) for k in ("th_spike_add", "th_spike_decay", "voltage_reset_fraction", "voltage_reset_add")]
        if not p.get("adapting_threshold"):
            [p.pop(k, None) for k in ("th_voltage_index", "th_voltage_decay")]
        if not defaults:
            p["tau_syn"] = [near(2.0, 0.6) for _ in range(RNG.integers(1, 3))]
            p["t_ref"] = max(p["t_ref"], 0.3)
    if model == "gif_psc_exp" and not defaults:
        p.update(q_stc=[near(20.0), near(-5.0)], tau_stc=[near(30.0), near(100.0)], q_sfa=[near(10.0), near(2.0)], tau_sfa=[near(40.0), near(200.0)], V_reset=near(-55.0, 0.1))
    full.update(p)
    by = RNG.uniform(1.15, 2.5)
    if model.startswith("aeif"):
        current = by * (full["g_L"] + full["a"]) * (full["V_th"] - full["E_L"] - full["Delta_T"])
    elif model == "izhikevich":
        current = 6.0 * by
    elif model.startswith("hh"):
        current = (500 if "psc" in model else 250) * by
    elif model == "gif_psc_exp":
        current = 0.8 * by * full["g_L"] * (full["V_T_star"] - full["E_L"])
    else:
        g = full["g_L"] if "g_L" in full else full["g"] if "g" in full else full["C_m"] / full["tau_m"]
        current = by * g * (full.get("omega", full.get("V_th")) - full["E_L"])
    return p, float(current)


def stimuli(model, dt):
    """Spike times of a train and of two random ones, weights and delays, on the grid of dt."""
    def grid(x):
        return np.unique(np.round(np.round(np.asarray(x) / dt) * dt, 6))
    at = np.arange(20, 420, RNG.uniform(2.5, 9.0))
    train = grid(np.concatenate([at, 100 + dt * np.arange(1, 4), [250.0, 250.5]]))
    rates = RNG.uniform(500, 1200), RNG.uniform(100, 500)
    noise = [grid(RNG.uniform(1, T - 10, int(r * T / 1000))) for r in rates]
    up, down, _ = WEIGHTS[model]
    up, down = near(up, 0.4), near(down, 0.4)
    delay = dt * int(RNG.integers(1, max(2, int(2 / dt))))
    return train, noise, up, down, round(delay, 6)


def build(model, p, current, train, noise, up, down, delay, receptors, n=1):
    """NEST's neurons for the three stimuli, a recorder for each."""
    out = []
    for k, what in enumerate(("step", "train", "noise")):
        cell = nest.Create(model, n, params=p)
        rec = nest.Create("spike_recorder")
        nest.Connect(cell, rec)
        syn = {"receptor_type": receptors[0]} if receptors else {}
        if what == "step" and model == "glif_psc":  # which has no I_e
            dt = nest.resolution
            g = nest.Create("step_current_generator", params={"amplitude_times": [dt], "amplitude_values": [current]})
            nest.Connect(g, cell, syn_spec={"delay": dt})
        elif what == "step":
            cell.I_e = current
        else:
            for q, (times, w) in enumerate([(train, up)] if what == "train" else zip(noise, (up, down))):
                g = nest.Create("spike_generator", params={"spike_times": times})
                if receptors:
                    syn = {"receptor_type": receptors[min(q, len(receptors) - 1)]}
                nest.Connect(g, cell, syn_spec=dict(syn, weight=w, delay=delay))
        out.append((cell, rec))
    return out


def number(x):
    return repr(float(x))


def script(cases, dt, n=1):
    """The same neurons as a script that prints each one's spikes, in steps of NEST's time."""
    lines = ["defaultclock.dt = %s*ms" % number(dt)]
    early = any(c["model"] == "glif_psc" for c in cases)
    for c, case in enumerate(cases):
        model, p = case["model"], case["p"]
        args = []
        for k, v in p.items():
            u = unit(model, k)
            u = u if u.startswith("/") or not u else "*" + u
            args.append("%s=%s" % (k, v if isinstance(v, bool) else "[%s]" % ", ".join(number(x) + u for x in v) if isinstance(v, list) else number(v) + u))
        lines.append("G%d = NeuronGroup(%d, %s(%s))" % (c, 3 * n, model, ", ".join(args)))
        for k, (times, w, to) in enumerate([(case["train"], case["up"], 1), (case["noise"][0], case["up"], 2), (case["noise"][1], case["down"], 2)]):
            receptors = case["receptors"]
            r = ", receptor_type=%d" % receptors[min(max(0, k - 1), len(receptors) - 1)] if receptors else ""
            lines.append("P%d_%d = SpikeGeneratorGroup(1, [0]*%d, [%s]*ms)" % (c, k, len(times), ",".join("%.6g" % (x - dt) for x in times)))
            lines.append("S%d_%d = Synapses(P%d_%d, G%d[%d:%d], weight=%s*%s, delay=%s*ms%s)" % (c, k, c, k, c, to * n, to * n + n, number(w), WEIGHTS[model][2], number(case["delay"]), r))
            lines.append("S%d_%d.connect()" % (c, k))
        lines.append("M%d = SpikeMonitor(G%d)" % (c, c))
    if early:  # a generator's current comes two steps later
        lines.append("run(%s*ms)" % number(2 * dt))
    for c, case in enumerate(cases):
        lines.append("G%d[:%d].I_e = %s*pA" % (c, n, number(case["current"])))
    lines.append("run(%s*ms)" % number(T - (2 * dt if early else 0)))
    for c in range(len(cases)):
        lines.append("print('of', *M%d.i)\nprint('at', *[int(x/defaultclock.dt + 0.5) + 1 for x in M%d.t])" % (c, c))
    return "\n".join(lines) + "\n"


def synfire(binary, text):
    with tempfile.NamedTemporaryFile("w", suffix=".star", delete=False) as f:
        f.write(text)
    r = subprocess.run([binary, "run", "--threads", "1", f.name], capture_output=True, text=True)
    if r.returncode:
        sys.exit("%s\n%s" % (f.name, r.stderr))
    os.unlink(f.name)
    words = {w: [np.array(x.split()[1:], int) for x in r.stdout.split("\n") if x.split()[:1] == [w]] for w in ("of", "at")}
    return list(zip(words["of"], words["at"]))


def apart(a, b):
    """The largest distance of spikes in steps; the difference of their numbers where it is not 0."""
    if len(a) != len(b):
        return None
    return int(np.abs(a - b).max()) if len(a) else 0


def kernel(dt):
    nest.ResetKernel()
    nest.resolution = dt


def compare(binary, model, dt, count, defaults, verbose):
    kernel(dt)
    cases, cells = [], []
    for c in range(count):
        p, current = draw(model, defaults)
        train, noise, up, down, delay = stimuli(model, dt)
        receptors = None
        if model in ("iaf_psc_exp_multisynapse", "glif_psc"):
            receptors = list(range(1, 1 + len(p.get("tau_syn", [2.0]))))
        case = dict(model=model, p=p, current=current, train=train, noise=noise, up=up, down=down, delay=delay, receptors=receptors)
        cases.append(case)
        stim = (current, train, noise, up, down, delay, receptors)
        c_m = "C_m" if "C_m" in nest.GetDefaults(model) else "c"
        v = p.get(c_m, nest.GetDefaults(model)[c_m])
        twins = [{**p, c_m: v * (1 + e)} for e in (1e-7, -1e-7, 1e-6, -1e-6)]
        if model in ROUGH:
            twins += [{**p, "V_m": p.get("V_m", nest.GetDefaults(model)["V_m"]) + e} for e in (1e-3, -1e-3)]
        cells.append([build(model, q, *stim) for q in [p] + twins])
    nest.Simulate(T)
    ours = synfire(binary, script(cases, dt))
    worst, wrong, ill, spikes = 0, 0, 0, 0
    for case, cell, (i, t) in zip(cases, cells, ours):
        for k, what in enumerate(("step", "train", "noise")):
            want, *twins = [np.unique(np.round(np.asarray(x[k][1].events["times"]) / dt).astype(int)) for x in cell]
            got = t[i == k]
            spikes += len(want)
            d = apart(got, want)
            own = [apart(x, want) for x in twins]
            moves = any(x is None or x > 1 for x in own)
            if d is not None and d <= 1:
                worst = max(worst, d)
                continue
            first = next((q for q, (x, y) in enumerate(zip(got, want)) if x != y), min(len(got), len(want)))
            ill += moves
            wrong += not moves
            if not moves:
                worst = max(worst, 999999 if d is None else d)
            if verbose:
                print("  %s %s dt %g: %s spikes, NEST %d; apart %s; first at spike %d: %s, NEST %s; NEST's own twins: %s\n    %s"
                      % ("ill-posed" if moves else "DIFFERS", what, dt, len(got), len(want), d, first, got[first:first + 3] * dt, want[first:first + 3] * dt, own,
                         {**case["p"], "current": case["current"], "up": case["up"], "down": case["down"], "delay": case["delay"]}), flush=True)
    print("%-26s dt %-5g %3d trains, %5d spikes: worst %s, beyond a step %d, ill-posed %d" % (model, dt, 3 * count, spikes, "other numbers" if worst == 999999 else worst, wrong, ill), flush=True)
    return dict(model=model, dt=dt, trains=3 * count, spikes=spikes, worst=worst, beyond=wrong, ill=ill)


def random_cells(binary, model, dt, count, defaults, verbose, n=200):
    """Rates and CVs of many neurons that draw: z is their difference in standard errors."""
    worst, spikes = 0.0, 0
    for c in range(count):
        kernel(dt)
        nest.rng_seed = int(RNG.integers(1, 1 << 30))
        p, current = draw(model, defaults)
        train, noise, up, down, delay = stimuli(model, dt)
        case = dict(model=model, p=p, current=current, train=train, noise=noise, up=up, down=down, delay=delay, receptors=None)
        cells = build(model, p, current, train, noise, up, down, delay, None, n)
        nest.Simulate(T)
        (i, t), = synfire(binary, script([case], dt, n))
        for k, (cell, rec) in enumerate(cells):
            e = rec.events
            both = []
            for ids, times in ((np.asarray(e["senders"]) - cell[0].global_id, np.round(np.asarray(e["times"]) / dt)), (i - k * n, t)):
                trains = [np.sort(times[ids == q]) for q in range(n)]
                counts = np.array([len(x) for x in trains], float)
                isi = np.array([np.diff(x).mean() * dt if len(x) > 2 else np.nan for x in trains])
                sd = np.array([np.diff(x).std() * dt if len(x) > 4 else np.nan for x in trains])
                both.append((counts, isi[~np.isnan(isi)], sd[~np.isnan(sd)], np.array([x[0] * dt for x in trains if len(x)])))
            spikes += int(both[0][0].sum())
            for what, a, b in zip(("number", "interval", "spread of intervals", "first"), *both):
                if len(a) > 20 and len(b) > 20:
                    z = (b.mean() - a.mean()) / max(1e-9, np.sqrt(a.var() / len(a) + b.var() / len(b)))
                    if verbose and abs(z) > 3:
                        print("  %s of stimulus %d: %g, NEST %g, z %.1f %s" % (what, k, b.mean(), a.mean(), z, p))
                    worst = max(worst, abs(z))
    print("%-26s dt %-5g %3d trains of %d neurons, %d spikes: worst z %.1f" % (model, dt, 3 * count, n, spikes, worst), flush=True)
    return dict(model=model, dt=dt, trains=3 * count, spikes=spikes, z=worst)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("synfire")
    a.add_argument("--cases", type=int, default=8)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--dt", default="0.1,0.05,0.25,0.01")
    a.add_argument("--models", default=",".join(WEIGHTS))
    a.add_argument("--defaults", action="store_true", help="default parameters; only stimuli are drawn")
    a.add_argument("--verbose", action="store_true")
    a.add_argument("--json", help="a file for the rows")
    o = a.parse_args()
    nest.verbosity = nest.VerbosityLevel.ERROR
    rows = []
    for model in o.models.split(","):
        for dt in map(float, o.dt.split(",")):
            global RNG
            RNG = np.random.default_rng([o.seed, int(dt * 1000), *model.encode()])
            rows.append((random_cells if model == "gif_psc_exp" else compare)(o.synfire, model, dt, o.cases, o.defaults, o.verbose))
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"nest": nest.__version__, "seed": o.seed, "rows": rows}, f, indent=1)
    return any(r.get("beyond") or r.get("z", 0) > 4.5 for r in rows)


if __name__ == "__main__":
    sys.exit(main())
