x = 3
print(0 < x < 5, 0 < x < 2, 1 < 2 < 3 < 4, 1 == 1.0 != 2, x in [3] in [[3]])
calls = []
def f(n):
    calls.append(n)
    return n
print(f(1) < f(0) < f(5), calls)
print(f(1) < f(2) < f(3), calls)
print(x is None, x is not None, None is None, not x is None, 'a' not in 'bcd')
print(-2**2, 2**-1, 2**3**2, -x**2*2, (-2)**2, 2 ** -x ** 2 > 0)
print(7 // 2, -7 // 2, 7 % 3, -7 % 3, 7 / 2, 1_000, 0x1f, 0b11, 0o17, 1e3, .5, 5.)
print([y*y for y in range(4) if y % 2], {k: v for k, v in [(1, 2)]}, sum(y for y in range(4)))
print(sorted({3, 1, 3}), sorted({y % 2 for y in range(5)}), [*[1, 2], 3, *(4,)], (*[1], 2))
print({**{'a': 1}, 'b': 2})
print('yes' if x > 2 else 'no', (lambda a, b=2: a*b)(4), (lambda *a: len(a))(1, 2, 3))
print([[1, 2], [3, 4]][1][0], 'hello'[1:3], [1, 2, 3, 4][::-2], (1, 2, 3)[-1])
def g(a, *rest, b=1, **more):
    return a, rest, b, sorted(more.items())
print(g(1), g(1, 2, 3, b=4, c=5), g(*[1, 2], b=3), g(*[1], 2, **{'c': 1}, **{'d': 2}))
def k(a, *, b):
    return a - b
print(k(3, b=1))
print(all([1, 2]), any([0]), max(3, 1), min([2, 1]), abs(-2), len('abc'), divmod(7, 3))
print(list(map(lambda a: a + 1, [1, 2])), list(filter(lambda a: a > 1, [1, 2])), list(reversed([1, 2])))
print(sorted(['b', 'a', 'c'], reverse=True), sorted([3, 1], key=lambda a: -a))
print(isinstance(3, int), isinstance('a', str), isinstance(2.0, (int, float)), isinstance([], dict))
print(not 1 == 2, True and not False or False)
print(6 & 3, 6 | 3, 6 ^ 3, ~6, 1 << 4, 256 >> 2)
