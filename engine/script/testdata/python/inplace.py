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
