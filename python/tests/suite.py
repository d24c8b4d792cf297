"""Brian2's own test-suite on the device 'synfire'.

    python suite.py              all tests in scope on the engine, without fallback; against expected.txt
    python suite.py --short      every sixth of them, for CI
    python suite.py --write      the same as without; writes expected.txt anew (a reason is then to be written by hand)
    python suite.py --fallback   Brian2's own call, brian2.test(test_standalone='synfire', float_dtype=float32)

In scope are the 216 standalone-compatible tests that need neither GSL nor a morphology. expected.txt has a line for each test
that does not pass on the engine, with the reason; a test that fails without being there, and one that is there and
passes, fail the gate.

Brian2's tests compare with a tolerance of 4.5e8 machine epsilons and 1e-9: of float64 that is 1e-7, of float32 more than 50
times the value, and 1e-9 hides every nA. Here it is 2e-5 of each value, and 1e-6 of the largest one of an array.
"""
import argparse
import collections
import os
import signal
import sys
import time

import numpy as np
import pytest

here = os.path.dirname(os.path.abspath(__file__))
EXPECTED = os.path.join(here, 'expected.txt')
IN_SCOPE = 216
SECONDS = 300  # for one test


def strict(actual, desired, rtol=2e-5, atol=None, **kwds):
    """numpy's assert_allclose for what float32 can be held to. A test's own atol counts, its rtol (in epsilons) does not."""
    from brian2.units.fundamentalunits import have_same_dimensions
    assert have_same_dimensions(actual, desired)
    actual, desired = np.asarray(actual), np.asarray(desired)
    if atol is None:
        finite = np.abs(desired[np.isfinite(desired)]) if desired.size else desired
        atol = 1e-6*finite.max() if finite.size else 0
    np.testing.assert_allclose(actual, desired, rtol=2e-5, atol=atol, **kwds)


class Outcomes:
    """Of each test: 'passed', 'skipped', or the last line of what it raised."""

    def __init__(self, every=1):
        self.of, self.every, self.collected, self.seconds = collections.OrderedDict(), every, 0, {}

    @pytest.hookimpl(trylast=True)  # behind the choice by markers
    def pytest_collection_modifyitems(self, config, items):
        self.collected += len(items)
        items[:] = [x for k, x in enumerate(items) if k % self.every == 0]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item):
        def late(*_):
            raise TimeoutError('not done after %d s' % SECONDS)
        signal.signal(signal.SIGALRM, late)
        signal.alarm(SECONDS)
        yield
        signal.alarm(0)

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split('/')[-1]
        self.seconds[name] = self.seconds.get(name, 0) + report.duration
        if report.failed:
            crash = getattr(report.longrepr, 'reprcrash', None)
            self.of[name] = (crash.message if crash else str(report.longrepr)).strip().replace('\n', ' ')[:300]
        elif report.skipped:
            self.of.setdefault(name, 'skipped')
        elif report.when == 'call':
            self.of.setdefault(name, 'passed')


def on_the_engine(every, only):
    """Runs the tests in scope with fallback='error'."""
    import brian2.tests.utils
    brian2.tests.utils.assert_allclose = strict
    import brian2synfire  # noqa: F401  adds the device
    from brian2.tests import PreferencePlugin, clear_caches
    from brian2.utils.logger import LOG_LEVELS, BrianLogger

    brian2.prefs.reset_to_defaults()
    brian2.prefs['core.default_float_dtype'] = np.float64  # state that the host holds
    brian2.prefs['codegen.target'] = 'numpy'
    brian2.prefs['logging.warn_for_unused_objects'] = False
    BrianLogger.console_handler.setLevel(LOG_LEVELS['ERROR'])
    folder = os.path.dirname(brian2.tests.__file__)
    plugin, outcomes = PreferencePlugin(brian2.prefs), Outcomes(every)
    plugin.device = 'synfire'
    for kind, options in ('not multiple_runs', {}), ('multiple_runs', {'build_on_run': False}):
        plugin.device_options = {'directory': None, 'with_output': False, 'fallback': 'error', **options}
        args = [folder, '-c', os.path.join(folder, 'pytest.ini'), '-q', '--tb=short', '-p', 'no:cacheprovider', '--confcutdir', os.path.dirname(folder),
                '--ignore', os.path.join(folder, 'test_spatialneuron.py'), '-m', f'standalone_compatible and not gsl and {kind}']
        pytest.main(args + (['-k', only] if only else []), plugins=[plugin, outcomes])
        clear_caches()
    return outcomes


def expected():
    """The tests that do not pass, with their reasons."""
    reasons = {}
    if os.path.exists(EXPECTED):
        for line in open(EXPECTED):
            if line.strip() and not line.startswith('#'):
                name, _, reason = line.strip().partition('  ')
                reasons[name] = reason.strip()
    return reasons


HEADER = """# Tests of Brian2 2.10.1 in scope that do not pass on the engine without fallback, each with its reason (suite.py).
"""


def gate(outcomes, write, part):
    reasons = expected()
    failed = {n: o for n, o in outcomes.of.items() if o not in ('passed', 'skipped')}
    if write:
        with open(EXPECTED, 'w') as f:
            f.write(HEADER)
            for n in sorted(failed):
                f.write(f'{n}  {reasons.get(n) or failed[n]}\n')
    passed = sum(o == 'passed' for o in outcomes.of.values())
    skipped = sum(o == 'skipped' for o in outcomes.of.values())
    wrong = []
    if not part and outcomes.collected != IN_SCOPE:
        wrong.append(f'{outcomes.collected} tests are in scope, {IN_SCOPE} were: is this Brian2 2.10.1?')
    for n, o in failed.items():
        if n not in reasons and not write:
            wrong.append(f'{n} fails and is not in expected.txt: {o}')
        elif n in reasons and not reasons[n]:
            wrong.append(f'{n} has no reason in expected.txt')
    for n in reasons:
        if n in outcomes.of and n not in failed and not write:
            wrong.append(f'{n} is in expected.txt, and passes: take it out')
        if not part and n not in outcomes.of:
            wrong.append(f'{n} is in expected.txt, and is no test in scope')
    print(f'\n{len(outcomes.of)} tests in scope ran on the engine, without fallback: {passed} pass, {skipped} skip themselves, {len(failed)} fail')
    for n in sorted(outcomes.seconds, key=outcomes.seconds.get)[-5:]:
        print(f'  {outcomes.seconds[n]:6.1f} s  {n}')
    print('\n'.join(wrong))
    return not wrong


def with_fallback(only):
    """Brian2's own call, and nothing left out."""
    import brian2
    import brian2synfire  # noqa: F401  adds the device
    return brian2.test(codegen_targets=[], test_codegen_independent=False, test_standalone='synfire', float_dtype=np.float32, **({'additional_args': ['-k', only]} if only else {}))


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--fallback', action='store_true')
    p.add_argument('--short', action='store_true')
    p.add_argument('--write', action='store_true')
    p.add_argument('-k', default='', help='those whose names hold this, as pytest takes it')
    o = p.parse_args()
    began = time.time()
    good = with_fallback(o.k) if o.fallback else gate(on_the_engine(6 if o.short else 1, o.k), o.write, o.short or bool(o.k))
    print(f'{time.time() - began:.0f} s')
    sys.exit(0 if good else 1)
