package bench

import (
	"fmt"
	"math"
	"slices"
)

// median of values; 0 of none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// spread is half the range of the values over their median, as a fraction.
func spread(v []float64) float64 {
	if m := median(v); len(v) > 1 && m > 0 {
		return (slices.Max(v) - slices.Min(v)) / 2 / m
	}
	return 0
}

// mannWhitney is the two-sided probability of the U test that samples as
// different as a and b come from one distribution: exact, by counting, without
// ties and for few values, else by the normal approximation with ties.
func mannWhitney(a, b []float64) float64 {
	n, m := len(a), len(b)
	if n == 0 || m == 0 {
		return 1
	}
	u, ties := 0.0, 0.0
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				u++
			case x == y:
				u += 0.5
			}
		}
	}
	all := slices.Sorted(slices.Values(append(slices.Clone(a), b...)))
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j] == all[i] {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	u = min(u, float64(n*m)-u)
	if ties == 0 && n <= 30 && m <= 30 {
		return exactU(n, m, int(u))
	}
	N := float64(n + m)
	variance := float64(n*m) / 12 * (N + 1 - ties/(N*(N-1)))
	if variance <= 0 {
		return 1
	}
	z := max(float64(n*m)/2-u-0.5, 0) / math.Sqrt(variance)
	return min(1, math.Erfc(z/math.Sqrt2))
}

// exactU is the probability of a U of at most u or at least n*m-u: the number of
// ways to have each U follows from the larger of the two last values.
func exactU(n, m, u int) float64 {
	ways := make([][][]float64, n+1)
	for i := range ways {
		ways[i] = make([][]float64, m+1)
		for j := range ways[i] {
			ways[i][j] = make([]float64, i*j+1)
			if i == 0 || j == 0 {
				ways[i][j][0] = 1
				continue
			}
			for k := range ways[i][j] {
				if k >= j && k-j < len(ways[i-1][j]) {
					ways[i][j][k] += ways[i-1][j][k-j]
				}
				if k < len(ways[i][j-1]) {
					ways[i][j][k] += ways[i][j-1][k]
				}
			}
		}
	}
	total, tail := 0.0, 0.0
	for k, w := range ways[n][m] {
		total += w
		if k <= u {
			tail += w
		}
	}
	return min(1, 2*tail/total)
}

// Text of numbers for people.

func bytesText(b float64) string {
	switch {
	case b >= 1e9:
		return fmt.Sprintf("%.3g GB", b/1e9)
	case b >= 1e6:
		return fmt.Sprintf("%.3g MB", b/1e6)
	}
	return fmt.Sprintf("%.3g kB", b/1e3)
}

func secondsText(s float64) string {
	switch {
	case s == 0:
		return "-"
	case s < 1e-3:
		return fmt.Sprintf("%.3gµs", s*1e6)
	case s < 1:
		return fmt.Sprintf("%.3gms", s*1e3)
	}
	return fmt.Sprintf("%.3gs", s)
}

func numberText(x float64) string {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return "-"
	}
	if x >= 1000 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}
