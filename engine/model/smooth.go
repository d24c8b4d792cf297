package model

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"synfire/engine/num"
)

// maxWindow is the most steps that a window extends to either side.
const maxWindow = 1 << 23

// Smooth returns the rate smoothed by a window: "gaussian" (width is its
// standard deviation, cut at two) or "flat" (width is its whole extent, rounded
// to an odd number of steps), as Brian2's smooth_rate does.
func (m *RateMonitor) Smooth(window string, width float64) ([]float64, error) {
	dt := m.Src.Group.Dt()
	var half float64
	switch window {
	case "gaussian":
		half = math.RoundToEven(2 * width / dt) // Brian2: the window is cut at 2 standard deviations on both sides.
	case "flat":
		half = math.RoundToEven(width / (2 * dt))
	default:
		return nil, fmt.Errorf("smooth_rate: window=%q is not known; use \"gaussian\" or \"flat\"", window)
	}
	if !(width > 0) {
		return nil, fmt.Errorf("smooth_rate: width=%g s is not positive", width)
	}
	if half > maxWindow {
		return nil, fmt.Errorf("smooth_rate: width=%g s is a window of %g steps; the limit is %d", width, 2*half+1, 2*maxWindow+1)
	}
	if window == "flat" {
		return m.flat(int(half))
	}
	w := make([]float64, 2*int(half)+1)
	for k := range w {
		x := float64(float64(k-int(half)) * dt)
		w[k] = num.Exp(float64(-x * x * (1 / (2 * width * width))))
	}
	return m.SmoothWith(w)
}

// flat is the mean rate of the steps up to half before and after each.
// The spikes are counted, so that it takes one pass.
func (m *RateMonitor) flat(half int) ([]float64, error) {
	rate, err := m.rate.Floats()
	n, size := len(rate), float64(m.Src.Hi-m.Src.Lo)
	upTo := make([]int64, n+1)
	for k, x := range rate {
		upTo[k+1] = upTo[k] + int64(math.RoundToEven(x*float64(size*m.Src.Group.Dt())))
	}
	reach := min(half, n)
	out := make([]float64, n)
	for k := range out {
		spikes := upTo[min(k+reach, n-1)+1] - upTo[max(k-reach, 0)]
		out[k] = float64(spikes) / float64(size*m.Src.Group.Dt()) / float64(2*half+1)
	}
	return out, err
}

// SmoothWith is the rate convolved with a window of an odd number of steps, whose
// sum is made 1.
func (m *RateMonitor) SmoothWith(window []float64) ([]float64, error) {
	if len(window)%2 != 1 {
		return nil, fmt.Errorf("smooth_rate: a window has an odd number of values, not %d", len(window))
	}
	w, sum := slices.Clone(window), 0.0
	slices.Reverse(w)
	for _, x := range w {
		sum += x
	}
	if sum == 0 || math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("smooth_rate: the values of the window add up to %g", sum)
	}
	rate, err := m.rate.Floats()
	if err != nil {
		return nil, err
	}
	half := len(w) / 2
	if far := half - len(rate); far > 0 { // what no step of the rate meets
		w, half = w[far:len(w)-far], len(rate)
	}
	var out []float64
	if len(w) <= maxDirect || float64(len(rate))*float64(len(w)) <= 1<<24 {
		out = convolve(rate, w, half)
	} else {
		out = convolveFast(rate, w, half)
	}
	for k := range out {
		out[k] /= sum
	}
	return out, nil
}

// maxDirect is the longest window that is always summed directly.
const maxDirect = 256

// convolve is the sum of rate[k+j-half]·w[j] over j, for each k.
func convolve(rate, w []float64, half int) []float64 {
	out := make([]float64, len(rate))
	for k := range out {
		for j := max(0, half-k); j < min(len(w), len(rate)+half-k); j++ {
			out[k] += float64(w[j] * rate[k+j-half])
		}
	}
	return out
}

// convolveFast is convolve by the fast Fourier transform: n log n steps, where
// the direct sum takes n². It differs from that in the last digits of the
// largest value.
func convolveFast(rate, w []float64, half int) []float64 {
	n := 1 << bits.Len(uint(len(rate)+len(w)-1))
	z := make([]complex128, n) // the rate is its real part, the window reversed its imaginary one
	for k, x := range rate {
		z[k] = complex(x, 0)
	}
	for j, x := range w {
		z[len(w)-1-j] += complex(0, x)
	}
	transform(z)
	// With Z = R + iW, the product of the two transforms is (Z_k² - conj(Z_-k)²)/4i.
	p := make([]complex128, n)
	for k := range z {
		a, b := z[k], z[(n-k)&(n-1)]
		re := float64(float64(real(a)*real(a))-float64(imag(a)*imag(a))) - float64(float64(real(b)*real(b))-float64(imag(b)*imag(b)))
		im := 2 * (float64(real(a)*imag(a)) + float64(real(b)*imag(b)))
		p[(n-k)&(n-1)] = complex(im/4, -re/4) // turned round, so that transforming again is the inverse
	}
	transform(p)
	out := make([]float64, len(rate))
	for k := range out {
		out[k] = real(p[k+len(w)-1-half]) / float64(n)
	}
	return out
}

// transform is the discrete Fourier transform in place, of a power of two
// values, the sign of the exponent being negative.
func transform(z []complex128) {
	n := len(z)
	shift := 64 - bits.Len(uint(n-1))
	for k := range z {
		if r := int(bits.Reverse64(uint64(k)) >> shift); n > 1 && r > k {
			z[k], z[r] = z[r], z[k]
		}
	}
	turn := make([]complex128, n/2)
	for k := range turn {
		angle := float64(-2*math.Pi*float64(k)) / float64(n)
		turn[k] = complex(num.Cos(angle), num.Sin(angle))
	}
	for size := 2; size <= n; size *= 2 {
		step := n / size
		for at := 0; at < n; at += size {
			for k := range size / 2 {
				t, x, y := turn[k*step], &z[at+k], &z[at+k+size/2]
				v := complex(float64(real(t)*real(*y))-float64(imag(t)*imag(*y)), float64(real(t)*imag(*y))+float64(imag(t)*real(*y)))
				*x, *y = *x+v, *x-v
			}
		}
	}
}
