import numpy as np
from numpy import array, newaxis
W = np.arange(12).reshape((3, 4))
x = np.array([3.0, 1.0, 2.0])
print(W[1, :], W[:, 1], W[0:2, 1:3], W[-1, ::2], W[:, [0, 2]])
print(W[[0, 2], :], W[1], W[1, 2], W[W > 8], W[..., 0], x[:, newaxis] + x[None, :])
W[1, :] = 0
W[:, 0] = [7, 8, 9]
W[2, 1:3] += 10
W[0] = W[0][::-1]
print(W)
print(W*array([1, 2, 3, 4]), W + array([[1], [2], [3]]))
print(x.sum(), x.mean(), x.argmax(), x.cumsum(), np.sort(x), x.argsort(), x.round(), x.clip(1.5, 2.5), x.reshape(3, 1), x.reshape((1, -1)))
print(np.vstack([x, x]), np.hstack([x, [9.0]]), np.hstack([W, W[:, :1]]), np.concatenate([W, W[:1]], axis=0), np.column_stack([x, x]))
print(np.outer([1, 2], [3, 4]), np.eye(2), np.diag([1, 2]), np.diag(W[:, :3]), np.trace(W), np.dot(W, [1, 0, 0, 1]), np.dot(x, x), W @ W.T)
print(np.logspace(0, 2, 3), np.r_[1:4, 0, [7, 8]], np.tile([1, 2], (2, 2)), np.roll(x, 1), np.flip(x), np.append(x, 4), np.delete(x, 1))
print(np.any(x > 2), np.all(x > 2), any(x > 5), np.isnan(x), np.isfinite(x), np.logical_and(x > 1, x < 3), np.count_nonzero(W), np.flatnonzero(x > 1))
print(np.bincount([0, 2, 2]), np.digitize([0.5, 2.5], [1, 2, 3]), np.searchsorted([1, 2, 3], [2, 2.5]), np.interp([0.5, 5], [0, 1], [10, 20]), np.convolve([1, 2], [1, 1, 1]), np.convolve([1, 2, 3], [1, 1], mode='same'))
print(*np.histogram([1, 2, 2, 3, 4], bins=3), *np.histogram([0.1, 0.9], bins=[0, 0.5, 1]), np.percentile([1, 2, 3, 4], 50), np.average([1, 3], weights=[1, 3]), np.prod([2, 3, 4]), np.ptp([1, 5]))
print(np.arctan2(1, 1), np.mod(-7, 3), np.array_equal([1, 2], [1, 2]), np.allclose([1.0], [1.0 + 1e-9]), np.squeeze([[1, 2]]), np.ravel(W), *np.meshgrid([1, 2], [3, 4]), np.clip(x, None, 2))
print(np.mean(W, axis=0), np.max(W, axis=1), W.T, W.shape, np.size(W), W.ndim, np.unique([3, 1, 3]), np.diff([1, 4, 9]), np.where(x > 1, x, 0), np.full(3, 2.5), np.zeros((2, 2)), np.isin([1, 5], [5, 6]))
m, n = x > 1, array([True, True, False])
print(m + n, m*n, m + True, m + 1, 2*m, m.sum(), (m + n).sum(), 1*m - n)
m += n
W[0][1:3] = [50, 60]
W[1][::2] += 1
(W[2])[[0, 3]] = 7
W[2][1], k = 8, 9
print(m, W, k)
