//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"math"
	"strings"
)

// testVersion is part of the key of a kept result: change it with the cases or
// with what the emitter writes.
const testVersion = "self-test 3\n"

const exact = "bit-exact"

// selfTestKept is the kept result of this device's self-test.
func (d *device) selfTestKept() string {
	data := kept("devices", testVersion+d.driverKey())
	if data == nil {
		return "not yet run"
	}
	return strings.TrimSuffix(string(data), chainNote)
}

const chainNote = "; long chains of dispatches need a fence for each step"

// selfTest compares some 10^5 operations with ir.Eval, unless that was done
// with this driver. It runs on the thread of the context.
func (d *device) selfTest() error {
	key, caches := testVersion+d.driverKey(), !d.opt.NoCache && d.opt.Inject == ""
	said, whence := "", ""
	if data := kept("devices", key); data != nil && caches {
		said, whence = string(data), fmt.Sprintf(" (found by an earlier run and kept in %s; delete it to test again)", cacheFile("devices", key))
	}
	if said == "" {
		var err error
		if said, err = d.testOperations(); err != nil {
			return err
		}
		if said == "" {
			said = exact
			for _, each := range []int{0, 1} { // first as one submission, then step by step
				bad, err := d.testChain(each)
				if err != nil {
					return err
				}
				if bad == "" {
					break
				}
				if said += chainNote; each == 1 {
					said = bad
				}
			}
		}
		if caches {
			keep("devices", key, []byte(said))
		}
	}
	d.chainBad = strings.HasSuffix(said, chainNote)
	d.info.SelfTest = strings.TrimSuffix(said, chainNote)
	if d.info.SelfTest != exact {
		return d.fail(Inexact, "%s%s; choose another device, use --backend cpu, or let it run with --allow-inexact", d.info.SelfTest, whence)
	}
	return nil
}

// testOperations runs the cases and describes the first difference, "" if there is none.
func (d *device) testOperations() (string, error) {
	cases := testCases()
	if d.opt.Inject == "selftest" { // a multiplication that was fused with the addition after it
		for i := range cases {
			if cases[i].name == "a*b+c" {
				cases[i].in[2][testLanes-1] ^= 1 << 22
			}
		}
	}
	plan := testPlan(cases)
	want := expected(plan, 1)
	if d.opt.Inject == "selftest" {
		cases = testCases()
		plan = testPlan(cases)
	}
	p := &program{d: d, plan: plan, programs: map[string]uint32{}, masks: map[int][]uint32{}}
	defer p.free()
	if err := p.load(); err != nil {
		return "", err
	}
	if _, err := p.run(1, nil, nil); err != nil {
		return "", err
	}
	for i, c := range cases {
		s := &plan.Stages[i]
		out := s.Bind[len(s.Bind)-1].Buf
		got := make([]uint32, testLanes)
		if err := p.read(out, got); err != nil {
			return "", err
		}
		for lane, w := range want[out] {
			if got[lane] == w {
				continue
			}
			var in []string
			for _, col := range c.in {
				in = append(in, both(col[lane]))
			}
			return fmt.Sprintf("%s of %s gives %s, expected %s", c.name, strings.Join(in, ", "), both(got[lane]), both(w)), nil
		}
	}
	return "", nil
}

// both shows a word as hexadecimal and as a float.
func both(w uint32) string { return fmt.Sprintf("%#08x (%g)", w, math.Float32frombits(w)) }

// testChain runs a chain of 512 dependent dispatches, each steps to a submission (0: all).
func (d *device) testChain(each int) (string, error) {
	const steps = 256
	plan := testPlan(nil)
	want := expected(plan, steps)
	p := &program{d: d, plan: plan, programs: map[string]uint32{}, masks: map[int][]uint32{}, rate: 1e9}
	defer p.free()
	if err := p.load(); err != nil {
		return "", err
	}
	d.chainBad = each == 1
	_, err := p.run(steps, nil, nil)
	d.chainBad = false
	if err != nil {
		return "", err
	}
	for b, words := range want[2:] {
		got := make([]uint32, len(words))
		p.get(p.l.bufs[b+2], 0, got)
		for i, w := range words {
			if got[i] != w {
				return fmt.Sprintf("a chain of %d dependent dispatches gives word %d as %#08x, expected %#08x", 2*steps, i, got[i], w), nil
			}
		}
	}
	return "", nil
}
