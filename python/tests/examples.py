"""Runs the scripts of Brian2's example folder on Synfire and compares with Brian2's own runs.

    python examples.py reference FOLDER [NAME ...]   what Brian2 itself gives, into examples.json
    python examples.py gate FOLDER [NAME ...]        the same on Synfire; a change against examples.txt fails

FOLDER is `examples` of Brian2's source distribution (`make brian2-examples` downloads it). A script is run as it stands,
but for the two lines `import brian2synfire; set_device('synfire')` below its import of brian2 (one that chooses a device
itself has the name of that changed) and for plt.show(), which draws into files. Those in LONG make shorter runs, on
both sides. After each run of a network is noted what its monitors hold: numbers of spikes, means and deviations
of what was recorded. Brian2 has run each script with two seeds: what these differ by is what a random number may differ by.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
REFERENCE, EXPECTED = os.path.join(here, 'examples.json'), os.path.join(here, 'examples.txt')
MORPHOLOGY = re.compile(r'SpatialNeuron|Morphology|Soma')
MODULES = ('params.py', 'plot_utils.py')  # imported by others

# Scripts of many minutes or hours in Brian2: seconds of model time after which each run ends.
LONG = {'frompapers/Brunel_2000.py': 0.05, 'frompapers/Brunel_Wang_2001.py': 0.2, 'frompapers/Clopath_et_al_2010_no_homeostasis.py': 0.2, 'frompapers/Graupner_Brunel_2012.py': 1,
        'frompapers/Kremer_et_al_2011_barrel_cortex.py': 0.2, 'frompapers/Maass_Natschlaeger_Markram_2002.py': 0.1, 'frompapers/Tetzlaff_2015.py': 1,
        'frompapers/Vogels_et_al_2011.py': 0.1, 'frompapers/Nicola_Clopath_2017.py': 0.2, 'advanced/float_32_64_benchmark.py': 0.1,
        'frompapers/Wang_2002.py': 0.2, 'synapses/STDP.py': 10, 'standalone/STDP_standalone.py': 10,
        'frompapers/Spreizer_et_al_2019/Spreizer_et_al_2019.py': 0.2, 'frompapers/Stimberg_et_al_2018/example_1_COBA.py': 0.2,
        'frompapers/Stimberg_et_al_2018/example_6_COBA_with_astro.py': 0.2, 'frompapers/Stimberg_et_al_2018/example_2_gchi_astrocyte.py': 5}


def scripts(folder):
    found = []
    for root, _, files in sorted(os.walk(folder)):
        for f in sorted(files):
            path = os.path.join(root, f)
            if f.endswith('.py') and f not in MODULES and not MORPHOLOGY.search(open(path, encoding='utf-8').read()):
                found.append(os.path.relpath(path, folder))
    return found


def two_lines(text, device):
    """The script with the device chosen."""
    text, changed = re.subn(r'''(set_device\(\s*['"])(cpp_standalone|cuda_standalone|genn)(['"])''', r'\g<1>%s\g<3>' % device, text)
    if device == 'runtime':
        return text
    lines = 'import brian2synfire' if changed else "import brian2synfire; from brian2 import set_device; set_device('synfire')"
    at = re.search(r'^(from brian2 import .*|import brian2.*)$', text, re.M)
    end = at.end()
    if text[at.start():end].rstrip().endswith('('):
        end = text.index(')', end) + 1
    return text[:end] + '\n' + lines + text[end:]


def summary(objects):
    """What the monitors of a network hold, in a few numbers each."""
    import numpy as np
    from brian2 import EventMonitor, PopulationRateMonitor, StateMonitor
    held = {}
    for m in sorted(objects, key=lambda o: o.name):
        if isinstance(m, EventMonitor):
            held[m.name] = [float(m.num_events)]
        elif isinstance(m, PopulationRateMonitor):
            r = np.asarray(m.rate)
            held[m.name] = [float(len(r)), float(r.mean()) if len(r) else 0.0]
        elif isinstance(m, StateMonitor):
            for v in m.record_variables:
                x = np.asarray(getattr(m, v), dtype=float)
                if x.size:
                    held[m.name + '.' + v] = [float(x.mean()), float(x.std()), float(x[..., -1].mean())]
    return held


def run_one(file, device, seed, cap, out):
    """Runs a script here, and writes to out what came of it."""
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    import random

    import numpy as np
    import brian2
    from brian2 import BrianObject, Network, second

    brian2.prefs.codegen.target = os.environ.get('BRIAN2_TARGET', 'numpy')
    for of in (brian2, np.random, random):  # where a script has a seed of its own, that many later
        of.seed = (lambda inner: lambda s=None: inner(None if s is None else s + seed - 1))(of.seed)
    brian2.seed(1)
    plots = tempfile.mkdtemp(prefix='plots')
    runs, places = [], []
    inner = Network.run

    def run(self, duration, *args, level=0, **kwds):
        r = inner(self, min(float(duration), cap or float('inf'))*second, *args, level=level + 1, **kwds)
        if device == 'synfire':
            import brian2synfire
            places.append(brian2synfire.synfire_device.ran_on(self))
        if len(runs) < 100:
            alive = [o() for o in BrianObject.__instances__()]
            runs.append(summary(o for o in alive if o is not None and o._network == self.id))
        return r
    run.original_function = getattr(inner, 'original_function', inner)
    Network.run = run

    def show(*_, **__):
        for n in plt.get_fignums():
            plt.figure(n).savefig(os.path.join(plots, '%d.png' % n))
        plt.close('all')
    plt.show = show
    os.chdir(os.path.dirname(file))
    sys.path.insert(0, os.getcwd())
    sys.argv = [file]
    text = two_lines(open(file, encoding='utf-8').read(), device)
    began = time.time()
    main = sys.modules['__main__']
    main.__dict__.update(__file__=file)
    exec(compile(text, file, 'exec'), main.__dict__)
    show()
    result = {'runs': runs, 'seconds': round(time.time() - began, 1)}
    if device == 'synfire':
        result['where'] = where(places)
    json.dump(result, open(out, 'w'))


def where(places):
    """Where the networks of this process ran, from where each run did: on the engine, or why not."""
    away = [p for p in places if p != 'synfire']
    if not places:
        return 'engine (no network runs in this process)'
    if not away:
        return 'engine'
    return '%s: %s' % ('fallback' if len(away) == len(places) else 'partly', away[0])


def start(folder, name, device, seed, timeout):
    """Runs a script in a process of its own; what came of it, or why nothing."""
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, 'out.json')
        env = dict(os.environ, OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', MPLBACKEND='Agg')
        cmd = [sys.executable, os.path.abspath(__file__), 'one', os.path.abspath(os.path.join(folder, name)), device, str(seed), str(LONG.get(name, 0)), out]
        p = subprocess.Popen(cmd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=d, start_new_session=True)
        try:
            log, _ = p.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, 9)
            log = p.communicate()[0]
            return {'error': 'not done after %d s' % timeout, 'log': log}
        if not os.path.exists(out):
            last = [x for x in log.strip().splitlines() if x.strip()]
            return {'error': last[-1].strip() if last else 'exit status %d' % p.returncode, 'log': log}
        return dict(json.load(open(out)), log=log)


def reference(folder, names, timeout):
    known = json.load(open(REFERENCE)) if os.path.exists(REFERENCE) else {}
    for name in names:
        a = start(folder, name, 'runtime', 1, timeout)
        entry = {'cap': LONG.get(name)}
        if 'error' in a:
            entry['error'] = a['error']
        else:
            b = start(folder, name, 'runtime', 2, 2*timeout)
            entry.update(runs=[a['runs'], b.get('runs', [])], seconds=a['seconds'])
        if os.path.exists(REFERENCE):
            known = json.load(open(REFERENCE))
        known[name] = entry
        print(name, entry.get('seconds'), entry.get('error', ''), flush=True)
        json.dump(known, open(REFERENCE, 'w'), indent=0, sort_keys=True)


def differences(ours, theirs):
    """What two lists of summaries differ by beyond what chance and float32 allow. theirs has two runs with two seeds."""
    a, b = theirs
    if len(ours) != len(a):
        return ['%d runs, Brian2 makes %d' % (len(ours), len(a))]
    def plain(runs):  # the numbers of automatic names tell what is still alive elsewhere
        return [{re.sub(r'_\d+(?=\.|$)', '', n) if len(r) < 3 else n: v for n, v in r.items()} for r in runs]
    ours, a, b = plain(ours), plain(a), plain(b)
    found = []
    for k, run in enumerate(a):
        for name, x in run.items():
            z = ours[k].get(name)
            y = b[k].get(name, x) if k < len(b) else x
            if z is None or len(z) != len(x):
                found.append('run %d: %s is missing' % (k, name))
                continue
            certain = x == y
            scale = abs(x[0]) + abs(x[1]) if len(x) == 3 else abs(x[0])
            for q, (u, v, w) in enumerate(zip(x, y, z)):
                allowed = 4*abs(u - v) + 0.02*(scale if len(x) == 3 else abs(u))
                if len(x) == 1 and not certain:
                    allowed += 4*abs(u)**0.5
                if len(x) == 3 and not certain:
                    allowed += (0.5, 0.5, 2)[q]*abs(x[1])
                if not abs(w - (u if certain else (u + v)/2)) <= allowed:
                    found.append('run %d: %s[%d] is %.6g, Brian2: %.6g, %.6g' % (k, name, q, w, u, v))
    return found


def expected():
    lines = {}
    if os.path.exists(EXPECTED):
        for line in open(EXPECTED):
            if line.strip() and not line.startswith('#'):
                name, _, said = line.strip().partition('  ')
                lines[name] = said.strip()
    return lines


HEADER = """# Scripts of Brian2 2.10.1's example folder without morphology on the device: where they ran (examples.py gate).
# engine, or partly: some networks fell back, or fallback: all did, or fails: with the reason. "numbers" says how they compare with Brian2's own.
"""


def gate(folder, names, timeout, write):
    theirs, want, good, said = json.load(open(REFERENCE)), expected(), True, {}
    for name in names:
        r = start(folder, name, 'synfire', 1, timeout)
        known = theirs.get(name, {})
        differing = []
        if 'error' in r:
            here = 'fails: ' + r['error'][:200]
        else:
            here = r['where']
            if 'runs' not in known:
                here += '; numbers: none, Brian2: ' + known.get('error', 'not run')
            elif known['cap'] != LONG.get(name):
                here += '; numbers: none, Brian2 ran for another time'
            else:
                differing = differences(r['runs'], known['runs'])
                here += '; numbers: ' + ('differ' if differing else 'agree' if any(r['runs']) else 'none, it has no monitors')
        said[name] = here
        print('%-60s %6.1f s (Brian2 %s)  %s' % (name, r.get('seconds', 0), known.get('seconds'), here), *differing[:3], sep='\n      ', flush=True)
        if want.get(name, '').split(':')[0] != here.split(':')[0] or ('numbers: differ' in here) != ('numbers: differ' in want.get(name, '')):
            good = False
            if not write:
                print('   expected: ' + want.get(name, 'nothing'), flush=True)
    if write:
        want.update(said)
        with open(EXPECTED, 'w') as f:
            f.write(HEADER)
            for name in sorted(want):
                f.write('%s  %s\n' % (name, want[name]))
    ran = [x for x in said.values() if not x.startswith('fails')]
    print('%d of %d scripts run: %d on the engine, %d partly, %d fall back' % (
        len(ran), len(said), sum(x.startswith('engine') for x in ran), sum(x.startswith('partly') for x in ran), sum(x.startswith('fallback') for x in ran)))
    return good or write


if __name__ == '__main__':
    if sys.argv[1] == 'one':
        import examples  # the script's names are those of the main module
        examples.run_one(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), sys.argv[6])
        sys.exit()
    ap = argparse.ArgumentParser()
    ap.add_argument('what', choices=['reference', 'gate'])
    ap.add_argument('folder')
    ap.add_argument('names', nargs='*')
    ap.add_argument('--timeout', type=int, default=300)
    ap.add_argument('--write', action='store_true', help='write examples.txt')
    o = ap.parse_args()
    if o.what == 'reference':
        reference(o.folder, o.names or scripts(o.folder), o.timeout)
    elif not gate(o.folder, o.names or scripts(o.folder), o.timeout, o.write):
        sys.exit(1)
