x = [1, 2]
y = x
x += (3,)
x += x
print(y, x is y)
d = {'a': 1}
e = d
d |= {'b': 2}
print(e)
s = '%d-%d'
s %= (1, 2)
print(s)
n = True
n += True
print(n)
t = (1,)
u = t
t += (2,)
print(t, u)
k = 7
k //= 2
k **= 2
k <<= 1
k %= 5
print(k)
nan, inf = float('nan'), float('inf')
print('%g|%6.1f|%-6e|%F|%+f' % (nan, -inf, inf, nan, inf), f'{nan:.2f} {inf}')


def grow(v):
    v += [1]


grow(x)
print(y)
a = [1, 2]
b = a
a *= 2
print(b)
s = {1, 2}
r = s
s |= {3}
s -= {1}
s ^= {7}
s &= {2, 7}
print(sorted(r))
d = {'l': [1], 'n': 2, 's': {1}, 'd': {}}
l, s, e = d['l'], d['s'], d['d']
d['l'] += [2]
d['l'] *= 2
d['n'] *= 1.5
d['s'] |= {2}
d['d'] |= {3: 4}
d['n'] **= 2
print(l, sorted(s), e, d['n'])
t = [5, 6, 7, 'x%d']
t[0] <<= 2
t[1] %= 4
t[-2] //= 2
t[3] %= 8
print(t)
