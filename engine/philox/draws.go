package philox

// Draws makes the words of counter c, of c with the next draw, and so on: word l of
// the n-th is dst[l][n]. The four must be of one length.
func Draws(dst [4][]uint32, c [4]uint32, key [2]uint32) {
	first := c[2]
	for n := drawsSIMD(dst, c, key); n < len(dst[0]); n++ {
		c[2] = first + uint32(n)
		for l, w := range Block(c, key) {
			dst[l][n] = w
		}
	}
}
