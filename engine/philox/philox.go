// Package philox is the counter-based random number generator Philox4x32-10
// (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011). A word is a pure function of a counter and a key, so that any
// thread, device or restart can make it again.
package philox

import "math/bits"

// Multipliers and key increments of the paper, table 2 and section 4.3.
const (
	M0 = 0xD2511F53
	M1 = 0xCD9E8D57
	W0 = 0x9E3779B9
	W1 = 0xBB67AE85
)

// Rounds is the number of rounds that the authors recommend.
const Rounds = 10

// Block returns the four words of counter c under key k.
func Block(c [4]uint32, k [2]uint32) [4]uint32 {
	c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
	k0, k1 := k[0], k[1]
	for range Rounds {
		h0, l0 := bits.Mul32(M0, c0)
		h1, l1 := bits.Mul32(M1, c2)
		c0, c1, c2, c3 = h1^c1^k0, l1, h0^c3^k1, l0
		k0 += W0
		k1 += W1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Word is the random word of an item (design section 3, rule 7): word item%4
// of counter (item/4, step, draw, stream), so that one block serves four
// neighbours.
func Word(item, step, draw, stream uint32, key [2]uint32) uint32 {
	return Block([4]uint32{item / 4, step, draw, stream}, key)[item%4]
}
