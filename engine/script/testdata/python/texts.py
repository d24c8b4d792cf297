x, name, data = 3.14159, 'rate', [1, 2]
print('a' 'b' "c" '''d''')
s = ('one '
     'two '
     'three')
print(s)
print(f'{x:.2f} {name} {x!r} {name!r:>8} {data[1]} {x + 1:8.3f}|')
print(f"{name:*^10}|{42:05d}|{1234567:,}|{-3.5:+.1f}|{3.5:+.1f}|{0.25:.1%}|{1e-7:g}|{123456789.0:g}|{255:#x}|{5:b}|{x:e}")
print(f'{x=} {x = :.1f} {{}} {name + "!"} {f"{x:.1f}"}')
width = 9
print(f'{x:{width}.2f}|{x:<{width}}|', f'a{1}b' 'c' f'{2}')
print('%d %5.1f %s %%' % (3, 2.55, 'a'), '%s' % name, '%03d|%-5s|%+d' % (7, 'ab', 3))
print('{} {:.2f} {0:d}'.replace('0', '') .format(1, 2.5, 3), '{1}-{0}'.format('a', 'b'), '{n:>4}|{l[1]}'.format(n='x', l=data))
print('tab\there', r'raw\n', 'quote\'s', "\x41\u00e9\101", len('\\'), 'line\
joined')
print('''several
lines''')
print('a,b,c'.split(','), '-'.join(['x', 'y']), 'Abc'.lower(), 'abc'.upper(), ' a '.strip(), 'abc'.find('c'), 'aXa'.count('a'))
print('ab'*3, 'a' + 'b', 'abc'.startswith('ab'), 'x'.isdigit(), '5'.isdigit(), 'ab'.rjust(4) + '|', 'ab'.ljust(4) + '|', '7'.zfill(3))
print('a', 'b', sep='-', end='.\n')
print(str(3) + repr('a'), int('12'), float('1.5'))
for c in 'xy':
    print(c)
print(list('abc'), tuple('ab'), [c for c in 'ab'], ''.join(reversed(['a', 'b'])))
