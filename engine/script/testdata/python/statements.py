'''A text at the beginning, with \escapes that Python \does not know.'''
import math, time
from math import sqrt as root
count = 0

def bump(by=1):
    "Counts in a global."
    global count
    count += by
    return count

bump(); bump(2)
print(count, root(16), math.floor(2.5), math.pi > 3, time.time() > 0)
n = 0
while True:
    n += 1
    if n == 2: continue
    elif n > 4: break
print(n)
while n > 0: n -= 1
print(n)

def outer(k: int, scale: float = 2.0) -> float:
    def inner(j):
        return j*scale
    return inner(k)
print(outer(3))

def twice(f):
    return lambda *a: 2*f(*a)

def once(n):
    return lambda f: f

@once(3)
@twice
def plus(a, b):
    return a + b
print(plus(1, 2))

assert n == 0, 'not reached'
if __name__ == '__main__':
    print('main')
else:
    raise ValueError('not reached')

l = [3, 1, 2]
l.sort(); print(l)
l.sort(reverse=True); print(l)
l.reverse(); print(l, l.count(2), l.index(3), l.copy())
l.insert(0, 9); l.extend([7]); l.remove(1); print(l, l.pop(), l)
d = dict(a=1, b=2)
d.update({'c': 3}); d.setdefault('e', 5)
for key, value in sorted(d.items()):
    print(key, value, end=' ')
print()
print(d.get('x', 0), 'a' in d, list(d.keys()), list(d.values()), d.pop('a'), len(d))
def nothing(): pass
print(nothing())
def several():
    return 1, 2
p, q = several()
print(p + q)
sum = sum([1, 2])
print(sum)
class_ = [i for i in range(3)]; print(class_)
squares = {}
for i in range(3): squares[i] = i**2
print(squares)
