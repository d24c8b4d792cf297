package analysis

import "math"

// VictorPurpura returns the distance of two spike trains (times in s, in order) of Victor and Purpura (J. Neurophysiol.
// 76:1310, 1996): the least cost of turning one into the other, where taking a spike away or adding one costs 1 and moving
// one by dt costs q |dt|; q in 1/s. q = 0 compares the numbers of spikes alone. No unit.
//
//	d(i, j) = min(d(i-1, j) + 1, d(i, j-1) + 1, d(i-1, j-1) + q |a_i - b_j|)
func VictorPurpura(a, b []float64, q float64) float64 {
	d, next := make([]float64, len(b)+1), make([]float64, len(b)+1)
	for j := range d {
		d[j] = float64(j)
	}
	for i, x := range a {
		next[0] = float64(i + 1)
		for j, y := range b {
			next[j+1] = min(d[j+1]+1, next[j]+1, d[j]+q*math.Abs(x-y))
		}
		d, next = next, d
	}
	return d[len(b)]
}

// VanRossum returns the distance of two spike trains (times in s) of van Rossum (Neural Comput. 13:751, 2001): with each
// spike followed by exp(-t/tau), tau in s,
//
//	D^2 = (2/tau) integral (f(t) - g(t))^2 dt
//	    = sum_ij exp(-|a_i - a_j|/tau) + sum_ij exp(-|b_i - b_j|/tau) - 2 sum_ij exp(-|a_i - b_j|/tau)
//
// so that one spike more makes 1, as in Elephant (van Rossum's own D^2 is half of it). Returned is D; no unit.
func VanRossum(a, b []float64, tau float64) float64 {
	return math.Sqrt(max(overlap(a, a, tau)+overlap(b, b, tau)-2*overlap(a, b, tau), 0))
}

func overlap(a, b []float64, tau float64) (sum float64) {
	for _, x := range a {
		for _, y := range b {
			sum += math.Exp(-math.Abs(x-y) / tau)
		}
	}
	return sum
}
