# Writes what published.star reads: python published.py CLONE, a clone of github.com/takuyaisomura/reverse-engineering-py.
import pathlib
import sys

import numpy as np
import scipy.io

clone, to = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent / 'published'
to.mkdir(exist_ok=True)
for condition in ['bic', 'dzp', 'mix0', 'mix50']:
    data = clone / 'example/invitro_bss/data' / f'response_data_{condition}.mat'
    cultures = scipy.io.loadmat(data, simplify_cells=True)[f'data_{condition}']
    for what in 'sor':
        np.save(to / f'{condition}_{what}.npy', np.vstack([c[what] for c in cultures]))
    results = np.load(clone / 'test/correct_results' / f'invitro_bss_{condition}.npz')
    for what, name in [('x', 'x'), ('xp', 'xp'), ('L_list', 'L')]:
        np.save(to / f'{condition}_{what}.npy'.replace(what + '.', name + '.'), results[what])
