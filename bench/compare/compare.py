"""Random networks on Brian2 and on Synfire, compared spike by spike and value by value; see README.md here.

python compare.py SYNFIRE [--networks 40] [--seed 1] [--minutes 5] [--keep FOLDER] [SCRIPT...]
"""
import argparse
import collections
import gc
import multiprocessing
import os
import signal
import sys
import time
import traceback
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
warnings.simplefilter("ignore")
import brian2

brian2.prefs.codegen.target = "numpy"
brian2.prefs.codegen.loop_invariant_optimisations = False
brian2.BrianLogger.log_level_error()

import brian
import judge
import network
import shrink
import synfire


def late(*_):
    raise brian.Late


def verdict(src, a):
    """judge(), within a time limit, whatever happens."""
    for text in a.skip:
        if text in src:
            return "skipped", "holds " + text, 0, None
    signal.signal(signal.SIGALRM, late)
    signal.alarm(a.limit)
    try:
        return judge.judge(src, a.synfire, a.backend)
    except brian.Late:
        return "skipped", "Brian2: no end in time", 0, None
    except Exception:
        return "broken", traceback.format_exc(), 0, None
    finally:
        signal.alarm(0)
        gc.collect()
        gc.freeze()  # what Brian2 keeps of all networks; its own collections would walk through it after each run


def smaller(src, reason, line, a):
    """A small script that shows the same, and what it shows. Without the parts that do not matter Synfire shows the very same line, which is quickly seen; the
    rest is tried on both."""
    def shown(text):
        return [v for k, n, v in synfire.simulate(a.synfire, text, a.backend, 20).get("lines", []) if (k, n) == line]

    def differs(text):
        result, why, _, where = verdict(text, a)
        return result == "differs" and (where is not None if line else why.split("\n")[0] == reason.split("\n")[0])

    if line:
        first = shown(src)
        less = shrink.shrink(src, lambda text: shown(text) == first, a.shrink/2)
        if differs(less):
            src = less
    small = shrink.shrink(src, differs, a.shrink/2)
    return small, verdict(small, a)[1] or reason


def work(a, todo, done):
    while (job := todo.get()) is not None:
        name, src = job
        result, reason, share, line = verdict(src, a)
        small = src
        if result == "differs" and a.shrink:
            small, reason = smaller(src, reason, line, a)
        done.put((name, src, small, result, reason, share))
    done.put(None)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("synfire")
    p.add_argument("scripts", nargs="*", help="scripts to compare, in place of random ones")
    p.add_argument("--networks", type=int, default=40)
    p.add_argument("--seed", type=int, default=1, help="of the first network; the next ones follow")
    p.add_argument("--minutes", type=float, default=5, help="no network is begun after these")
    p.add_argument("--jobs", type=int, default=min(2, os.cpu_count()))
    p.add_argument("--backend", default="cpu")
    p.add_argument("--limit", type=int, default=120, help="seconds for one network")
    p.add_argument("--shrink", type=int, default=120, help="seconds for making a script small; 0: not at all")
    p.add_argument("--keep", default="bin/compare", help="folder for scripts that differ")
    p.add_argument("--skip", action="append", default=[], metavar="TEXT", help="skip scripts that hold this text: a fault that is known")
    a = p.parse_args()
    a.synfire = os.path.abspath(a.synfire)
    jobs = [(os.path.basename(f), open(f).read().split(synfire.WORDS)[-1]) for f in a.scripts] or [(f"seed {s}", None) for s in range(a.seed, a.seed + a.networks)]
    print(f"{len(jobs)} networks" + ("" if a.scripts else f", seeds {a.seed} to {a.seed + a.networks - 1}"), flush=True)

    gc.collect()
    gc.freeze()
    todo, done, end = multiprocessing.Queue(1), multiprocessing.Queue(), time.time() + 60*a.minutes
    workers = [multiprocessing.Process(target=work, args=(a, todo, done), daemon=True) for _ in range(a.jobs)]
    for w in workers:
        w.start()
    counts, skipped, shares, begun = collections.Counter(), collections.Counter(), [], 0

    def take(block):
        while block or not done.empty():
            r = done.get()
            if r is None:
                return
            name, src, small, result, reason, share = r
            counts[result] += 1
            if counts.total() % 20 == 0:
                print(f"{counts.total()} done", file=sys.stderr, flush=True)
            if result == "skipped":
                skipped[reason] += 1
            elif result == "equal":
                shares.append(share)
            else:
                os.makedirs(a.keep, exist_ok=True)
                file = os.path.join(a.keep, name.replace(" ", "_").removesuffix(".star"))
                for path, text in ((file + ".star", small), (file + ".whole.star", src)):
                    with open(path, "w") as f:
                        f.write(f"# {name}: {reason.splitlines()[0]}\n{synfire.WORDS}{text}")
                print(f"\n{name}: {reason}\n{file}.star:\n{small}", flush=True)

    for name, src in jobs:
        if time.time() > end:
            break
        todo.put((name, src or network.write(int(name.split()[1]))))
        begun += 1
        take(False)
    for w in workers:
        todo.put(None)
    for w in workers:
        take(True)
    for w in workers:
        w.join()
    print(f"\n{begun} of {len(jobs)} networks: {counts['equal']} equal (compared over {sum(shares)/max(1, len(shares)):.0%} of their time, {sum(s == 1 for s in shares)} over all of it), "
          f"{sum(skipped.values())} skipped, {counts['differs']} differing" + (f", {counts['broken']} broken" if counts["broken"] else ""))
    for reason, n in skipped.most_common():
        print(f"{n:5} skipped: {reason}")
    sys.exit(1 if counts["differs"] or counts["broken"] else 0)


if __name__ == "__main__":
    main()
