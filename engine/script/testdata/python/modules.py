import argparse
import multiprocessing
import operator
from functools import reduce

import numpy as np


def square(x):
    return x**2


def add(a, b):
    return a + b


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def reached(W, source, found):
    found.add(source)
    for target in range(len(W)):
        if W[source][target] > 0:
            W[source][target] = 0
            reached(W, target, found)


if __name__ == '__main__':
    with multiprocessing.Pool(2) as p, multiprocessing.Pool() as q:
        print(p.map(square, range(4)), q.starmap(add, [(1, 2), (3, 4)]), list(p.imap(square, [5])), p.apply(add, (1, 2)), p.apply(add, (1,), {'b': 5}))
    parser = argparse.ArgumentParser(description='a model')
    parser.add_argument('model')if False else None
    parser.add_argument('-d', '--duration', type=float, default=3, help='seconds')
    parser.add_argument('--n-cells', type=int, default='7')
    parser.add_argument('--fast', action='store_true')
    parser.add_argument('--slow', action='store_false', dest='quick')
    parser.add_argument('--kind', choices=['a', 'b'], default='a')
    parser.add_argument('--name')
    group = parser.add_mutually_exclusive_group()
    group.add_argument('-v', action='count', default=0)
    parser.set_defaults(kind='b', late=1)
    parser.add_argument('--late', default=2)
    args = parser.parse_args([])
    print(args.duration, args.n_cells, args.fast, args.quick, args.kind, args.name, args.v, args.late)
    print(reduce(operator.add, [1, 2, 3]), operator.mul(2, 3.5), operator.lt(1, 2), sorted([(2, 'a'), (1, 'b')], key=operator.itemgetter(1)))
    print(fibonacci(15), even(501))
    W = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]])
    found = set()
    reached(W, 0, found)
    print(sorted(found), W.sum())
    W[1][2] += 5
    W[-1][1:3] = 7
    print(W, W[1][2])
    L = [[1, 2], [3]]
    L[0][1] = 5
    L[0][0] += 1
    d = {'a': [1, 2]}
    d['a'][0] = 9
    print(L, d)
    print(np.array([1.7, 2.2], dtype=int), np.double([1, 2]), np.float64(3))
    nan = np.array([np.nan, 1])[0]
    print(nan > 0.5, nan < 0.5, nan == nan, nan != nan, 1 < nan, float('nan') >= 0, 0 < nan < 1, not nan > 0)
    gaps = [3, np.nan, 1, np.nan]
    print(np.sort(gaps), np.argsort(gaps), np.unique(gaps), np.argmax(gaps), np.argmin(gaps), np.median(gaps), np.percentile(gaps, 50))
