"""PyNN's own system tests and scenarios with its brian2 backend on the device 'synfire'.

    python pynn.py FOLDER            FOLDER is that of PyNN's source distribution; against pynn.txt
    python pynn.py FOLDER --write    writes pynn.txt anew (reasons are then to be written by hand)
    python pynn.py FOLDER --plain    on Brian2 itself, without the device: what fails there is none of ours

pynn.txt has a line for each test: where it ran ('engine', 'loop' with the reason, 'none' where nothing was run), 'skips', or
'fails' with the reason; 'not run' (but by -k) what takes too long. A test that does otherwise than its line says fails the gate.
"""
import argparse
import collections
import os
import signal
import sys

import pytest

EXPECTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'pynn.txt')
SECONDS = 120  # for one test
HEADER = "# PyNN 0.13.0's tests of its brian2 backend on the device 'synfire': where each ran (pynn.py).\n"


def short(nodeid):
    return '/'.join(nodeid.split('/')[2:])


def told():
    """What pynn.txt says of each test."""
    if not os.path.exists(EXPECTED):
        return {}
    return dict(line.rstrip('\n').split('  ', 1) for line in open(EXPECTED) if line.strip() and not line.startswith('#'))


class Outcomes:
    def __init__(self, plain, every):
        self.of, self.plain, self.all = collections.OrderedDict(), plain, every

    def pytest_collection_modifyitems(self, items):
        items[:] = [x for x in items if ('test_brian2.py' in x.nodeid or 'brian2' in x.name) and (self.all or not told().get(short(x.nodeid), '').startswith('not run'))]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item):
        import brian2
        if not self.plain:
            brian2.device.reinit()
            brian2.set_device('synfire', fallback='silent')
        def late(*_):
            raise TimeoutError('not done after %d s' % SECONDS)
        signal.signal(signal.SIGALRM, late)
        signal.alarm(SECONDS)
        yield
        signal.alarm(0)

    def where(self):
        if self.plain:
            return 'passes'
        from brian2synfire import synfire_device
        if synfire_device.in_loop:
            return 'loop  ' + '; '.join(sorted(set(synfire_device.in_loop.values())))
        return 'engine' if synfire_device.last else 'none'

    def pytest_runtest_logreport(self, report):
        name = short(report.nodeid)
        if report.failed:
            crash = getattr(report.longrepr, 'reprcrash', None)
            self.of[name] = 'fails  ' + (crash.message if crash else str(report.longrepr)).strip().replace('\n', ' ')[:300]
        elif report.skipped:
            self.of.setdefault(name, 'skips')
        elif report.when == 'call':
            self.of.setdefault(name, self.where())


def main():
    p = argparse.ArgumentParser()
    p.add_argument('folder')
    p.add_argument('--write', action='store_true')
    p.add_argument('--plain', action='store_true')
    p.add_argument('-k', default='')
    o = p.parse_args()
    import brian2
    brian2.prefs.codegen.target = 'numpy'
    if not o.plain:
        import brian2synfire  # noqa: F401  adds the device
        brian2.set_device('synfire', fallback='silent')
    outcomes = Outcomes(o.plain, bool(o.k))
    os.chdir(o.folder)
    sys.path.insert(0, os.getcwd())
    pytest.main(['-q', '--tb=short', '-p', 'no:cacheprovider', '-W', 'ignore', 'test/system/scenarios', 'test/system/test_brian2.py'] + (['-k', o.k] if o.k else []), plugins=[outcomes])
    known = told()
    print('\n'.join(f'{n}  {r}' for n, r in outcomes.of.items()))
    count = collections.Counter(r.split('  ')[0] for r in outcomes.of.values())
    print(f"{len(outcomes.of)} tests: " + ', '.join(f'{n} {r}' for r, n in sorted(count.items())))
    if o.plain:
        return True
    if o.write:
        with open(EXPECTED, 'w') as f:
            f.write(HEADER)
            for n, r in outcomes.of.items():
                kind = r.split('  ')[0]
                f.write(f"{n}  {known[n] if known.get(n, '').split('  ')[0] == kind else r}\n")
            f.writelines(f'{n}  {r}\n' for n, r in known.items() if n not in outcomes.of and r.startswith('not run'))
        return True
    wrong = [f'{n}: {r}; pynn.txt says {known.get(n, "nothing of it")}' for n, r in outcomes.of.items() if known.get(n, '').split('  ')[0] != r.split('  ')[0]]
    if not o.k:
        wrong += [f'{n} is in pynn.txt, and did not run' for n, r in known.items() if n not in outcomes.of and not r.startswith('not run')]
    print('\n'.join(wrong))
    return not wrong


if __name__ == '__main__':
    sys.exit(0 if main() else 1)
