package model

import (
	"testing"

	"synfire/engine/connect"
)

// TestPool: a table is kept until the last trial has come to it, and one that is not of all no longer than until a trial is
// over which has not come to it.
func TestPool(t *testing.T) {
	of := func(p *Pool, print uint64) *connect.Spec { return p.Spec(SpecKey{Print: print}, &connect.Spec{}) }
	p := Pools(4)
	common, own := of(p[0], 1), of(p[0], 2)
	if of(p[1], 1) != common || of(p[1], 3) == own {
		t.Error("a table is found by what is in it")
	}
	if of(p[0], 1) == common {
		t.Error("a table of which the trial has made another in the meantime")
	}
	p[0].End()
	if !common.Held() || !own.Held() {
		t.Error("what the others may come to is not kept")
	}
	p[1].End()
	if !common.Held() || own.Held() {
		t.Errorf("held: the common table %t, that of one trial %t", common.Held(), own.Held())
	}
	p[2].End() // failed before it came to any
	if common.Held() {
		t.Error("a table that not all have is kept")
	}
	again := of(p[3], 1)
	if p[3].End(); again == common || again.Held() || len(p[3].specs) > 0 {
		t.Error("something is left when all are over")
	}
}
