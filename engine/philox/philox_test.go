package philox

import "testing"

// The vectors of Random123's kat_vectors for philox4x32 with 10 rounds.
func TestKnownAnswers(t *testing.T) {
	const f = 0xffffffff
	for _, c := range []struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{f, f, f, f}, [2]uint32{f, f}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Block(c.ctr, c.key); got != c.want {
			t.Errorf("Block(%08x, %08x) = %08x, want %08x", c.ctr, c.key, got, c.want)
		}
	}
}

// A word is lane item%4 of the block of item/4; the other counter words are
// step, draw and stream in this order.
func TestWord(t *testing.T) {
	for lane, want := range []uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1} {
		// Item/4 can reach 2^30: the third vector's first word is in range.
		got := Word(0x243f6a88<<2|uint32(lane), 0x85a308d3, 0x13198a2e, 0x03707344, [2]uint32{0xa4093822, 0x299f31d0})
		if got != want {
			t.Errorf("lane %d: %08x, want %08x", lane, got, want)
		}
	}
	key := [2]uint32{7, 9}
	for item := range uint32(9) {
		b := Block([4]uint32{item / 4, 1, 2, 3}, key)
		if got := Word(item, 1, 2, 3, key); got != b[item%4] {
			t.Errorf("Word(%d) = %08x, want %08x", item, got, b[item%4])
		}
	}
}

// TestDraws compares Draws with Block, over the end of the draws too.
func TestDraws(t *testing.T) {
	key := [2]uint32{7, 0xfffffff0}
	for _, n := range []int{0, 1, 7, 8, 9, 40, 101} {
		var dst [4][]uint32
		for l := range dst {
			dst[l] = make([]uint32, n)
		}
		for _, first := range []uint32{0, 5, 1<<32 - 20} {
			Draws(dst, [4]uint32{3, 1 << 31, first, 99}, key)
			for k := range n {
				b := Block([4]uint32{3, 1 << 31, first + uint32(k), 99}, key)
				for l := range b {
					if dst[l][k] != b[l] {
						t.Fatalf("%d draws from %d: word %d of draw %d is %#x, want %#x", n, first, l, k, dst[l][k], b[l])
					}
				}
			}
		}
	}
}
