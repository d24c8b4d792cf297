# Assignments as Python has them.
a = b = c = 3
print(a, b, c)
(x, y), z = (1, 2), 3
print(x, y, z)
first, *middle, last = range(6)
print(first, middle, last)
*start, end = [1, 2, 3]
print(start, end)
l = m = [1, 2]
l.append(3)
print(m)
l[0] = l[1] = 7
print(l)
l[1:2], q = [8, 9], 5
print(l, q)
l[::2] = [0, 0]
print(l)
n: int = 4
n **= 2
n -= 1; n //= 2
print(n)
d = {'a': 1, 'b': 2}
del d['a'], l[0]
print(d, l)
a, b = b + 1, a
print(a, b)
t = 1,
print(t, len(t))
for i, (u, v) in enumerate(zip([1, 2], 'ab')):
    print(i, u, v)
for k in 5, 6:
    print(k)
w = (10
     + 5)
w = w + \
    1
print(w)
