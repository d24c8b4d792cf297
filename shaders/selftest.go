//go:build egl && cgo && linux

package shaders

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/backend"
)

const exact = "bit-exact"

// selfTestKept is the kept result of this device's self-test.
func (d *device) selfTestKept() string {
	data := kept("devices", d.testKey())
	if data == nil {
		return "not yet run"
	}
	said := d.take(string(data))
	return strings.TrimSuffix(said, chainNote)
}

// take takes in what is kept of a self-test: what it said, and how many work groups come together.
func (d *device) take(kept string) string {
	said, groups, _ := strings.Cut(kept, "\n")
	d.info.Meet, _ = strconv.Atoi(groups)
	return said
}

const chainNote = "; long chains of dispatches need a fence for each step"

// testKey is the key of a kept result: the driver, and the text of all that is tried, so that
// a change of the emitter or of the cases asks for a new one.
func (d *device) testKey() string {
	h := sha256.New()
	text := func(plan *backend.Plan, span int) {
		for _, ahead := range []bool{false, true} {
			l := d.layout(plan, cut(plan, nil, span, ahead), 1<<24, nil)
			for _, k := range l.sample(d.opt.WorkGroup, d.team(), d.info.MaxBlocks, 1, 0) {
				io.WriteString(h, k.String())
			}
			if ahead && l.sc.single && d.meets() {
				for _, k := range l.sample(d.loopLanes(), d.team(), d.info.MaxBlocks, 1, polls(d.info.Software)) {
					io.WriteString(h, k.String())
				}
			}
		}
		for i := range plan.Bufs {
			binary.Write(h, binary.LittleEndian, plan.Bufs[i].Init)
		}
	}
	text(testPlan(testCases()), 1)
	text(testPlan(nil), 1)
	for _, n := range testNetworks {
		text(testNetwork(n.delays...), 32)
		fmt.Fprintf(h, "%x", n.hash)
	}
	io.WriteString(h, endsText)
	if d.meets() {
		io.WriteString(h, probe(d.loopLanes(), d.info.MaxShared, d.probePolls(), false))
	}
	return fmt.Sprintf("self-test %x\n%s", h.Sum(nil), d.driverKey())
}

// selfTest compares some 10^5 operations with ir.Eval, and small networks with what
// the reference made of them, unless that was done with this driver. It runs on the thread of the context.
func (d *device) selfTest() error {
	key, caches := d.testKey(), !d.opt.NoCache && d.opt.Inject == ""
	said, whence := "", ""
	if data := kept("devices", key); data != nil && caches {
		said, whence = d.take(string(data)), fmt.Sprintf(" (found by an earlier run and kept in %s; delete it to test again)", cacheFile("devices", key))
	}
	if said == "" {
		var err error
		if said, err = d.testOperations(); err != nil {
			return err
		}
		if said == "" {
			said, err = d.testDelivery("0")
		}
		if said == "" && err == nil {
			said, err = d.testEnds()
		}
		if err != nil {
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
		if strings.HasPrefix(said, exact) && d.meets() {
			if err := d.testMeeting(); err != nil {
				return err
			}
		}
		if caches {
			keep("devices", key, fmt.Appendf(nil, "%s\n%d", said, d.info.Meet))
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

// testDelivery runs the networks: lists and masks of spikes, shared memory, barriers in loops, atomics.
func (d *device) testDelivery(persistent string) (string, error) {
	for _, n := range testNetworks {
		plan := testNetwork(n.delays...)
		p := &program{d: d, plan: plan, persistent: persistent, programs: map[string]uint32{}, masks: map[int][]uint32{}, recs: map[backend.BufID][]uint32{}, rate: 1e9}
		got, err := func() (uint64, error) {
			defer p.free()
			if err := p.load(); err != nil {
				return 0, err
			}
			if done, err := p.run(testSteps, nil, nil); err != nil || done != testSteps {
				return 0, errors.Join(err, d.check("run"))
			}
			return hashOf(plan, p.read)
		}()
		if err != nil {
			return "", err
		}
		if got != n.hash {
			return fmt.Sprintf("a network with %s leaves state of hash %016x, expected %016x", n.name, got, n.hash), nil
		}
	}
	return "", nil
}

// meets says whether it is tried how many work groups come together: where it may be of use, or is asked for.
func (d *device) meets() bool {
	return d.opt.Persistent != "0" && d.opt.Resident == 0 && (!d.info.Software || d.opt.Persistent != "")
}

// testMeeting finds how many work groups come together, and has them make the networks' passes. Where anything goes wrong,
// none do: a pass is a dispatch then, which was tested before.
func (d *device) testMeeting() error {
	if err := d.meeting(); err != nil || d.info.Meet == 0 {
		return err
	}
	said, err := d.testDelivery("1")
	if d.apart || said != "" {
		d.apart, d.info.Meet = false, 0
	}
	return err
}

// endsText reads and adds at words of a buffer that P lists.
const endsText = `#version 430
layout(local_size_x = 32) in;
layout(std430, binding = 0) readonly restrict buffer BP { uint P[]; };
layout(std430, binding = 1) restrict buffer BB { uint B[]; };
void main() {
	uint at = P[gl_LocalInvocationID.x];
	atomicAdd(B[at], 5u * B[at] + 3u);
}
`

// testEnds reads and adds at both ends of the largest buffer that a network may
// be given, and around the powers of two between.
func (d *device) testEnds() (string, error) {
	words := d.limitWords()
	big, err := d.reserve(words)
	if err != nil {
		return "", nil // a network that needs as much will say so
	}
	defer big.free()
	var at []uint32
	for _, w := range []int{1 << 14, 1 << 16, 1 << 20, 1 << 24, 1 << 25, 1 << 26, 1 << 27, words} {
		if w <= words {
			at = append(at, uint32(w-2), uint32(w-1))
		}
		if w < words {
			at = append(at, uint32(w))
		}
	}
	slices.Sort(at)
	at = slices.Compact(append([]uint32{0, 1}, at...))
	at = at[:min(len(at), 32)]
	n := len(at)
	for i, w := range at {
		big.write(int(w), []uint32{uint32(i)*2654435761 + 1})
	}
	list, err := d.alloc(32, nil)
	if err != nil {
		return "", err
	}
	defer func() { d.used -= 4 * int64(list.words); list.free() }()
	list.write(0, at)
	prog, err := d.compile("self-test ends", strings.Replace(endsText, "local_size_x = 32", fmt.Sprintf("local_size_x = %d", n), 1), func(int) string { return "" })
	if err != nil {
		return "", err
	}
	defer gl.DeleteProgram(prog)
	gl.UseProgram(prog)
	d.bind([]*memoryBuffer{list, big})
	gl.MemoryBarrier(gl.SHADER_STORAGE_BARRIER_BIT)
	gl.DispatchCompute(1, 1, 1)
	gl.MemoryBarrier(gl.BUFFER_UPDATE_BARRIER_BIT)
	if err := d.wait(); err != nil {
		return "", err
	}
	for i, w := range at {
		got := []uint32{0}
		if big.read(int(w), got); got[0] != 6*(uint32(i)*2654435761+1)+3 {
			return fmt.Sprintf("word %d of a buffer of %d is %#08x after an addition, expected %#08x", w, words, got[0], 6*(uint32(i)*2654435761+1)+3), nil
		}
	}
	return "", d.check("the self-test")
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
