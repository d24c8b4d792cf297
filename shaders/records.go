//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"slices"
	"time"

	"synfire/engine/backend"
)

// collect reads the records of a Run, on the thread of the context.
func (j *job) collect() {
	p := j.p
	j.entries, j.values = p.spare, map[backend.BufID][]uint32{}
	if p.spare = nil; j.entries == nil {
		j.entries = make([][]uint32, len(p.plan.Stages))
	}
	for i := range p.plan.Stages {
		s, r := &p.plan.Stages[i], &p.l.recs[i]
		switch s.Form {
		case backend.FormSample:
			taken := 0
			for _, on := range j.samples[i][:min(j.done, len(j.samples[i]))] {
				taken += int(on)
			}
			for k, b := range s.Rec.Dst {
				j.values[b] = make([]uint32, taken*s.Rec.Width())
				p.get(r.dst[k], 0, j.values[b])
			}
		case backend.FormSpikes:
			n := 0
			if r.counter < len(j.control) {
				n = min(int(j.control[r.counter]), r.room)
			}
			n *= 2 + len(s.Rec.Src)
			j.entries[i] = slices.Grow(j.entries[i][:0], n)[:n]
			p.get(r.entries, 0, j.entries[i])
		}
	}
}

// keep makes the records of a Run those that Read gives. Spikes are brought into order when they are asked for, while the
// device may be at the next Run.
func (p *program) keep(j *job) {
	p.unordered = map[backend.BufID]*unordered{}
	p.recs, p.spare, p.last = j.values, p.last, j.entries
	for i := range p.plan.Stages {
		switch s := &p.plan.Stages[i]; s.Form {
		case backend.FormSample:
			p.recs[s.Rec.Count] = j.samples[i][:min(j.done, len(j.samples[i]))]
		case backend.FormSpikes:
			u := &unordered{s, j.entries[i], j.done}
			for _, b := range slices.Concat(s.Rec.Dst, []backend.BufID{s.Rec.Count, s.Rec.Index}) {
				p.unordered[b] = u
			}
		}
	}
}

// unordered is a spike record as the device has made it.
type unordered struct {
	stage   *backend.Stage
	entries []uint32
	done    int
}

// recorded is the words of a record, as the last Run has left it.
func (p *program) recorded(b backend.BufID) ([]uint32, bool) {
	if u := p.unordered[b]; u != nil {
		p.order(u)
	}
	words, ok := p.recs[b]
	return words, ok
}

func (p *program) order(u *unordered) {
	begin, r := time.Now(), &u.stage.Rec
	width := 2 + len(r.Src)
	count, index, entry := spikesInOrder(u.entries, width, r.Lo, r.Hi, u.done)
	p.recs[r.Count], p.recs[r.Index] = count, index
	for d, b := range r.Dst {
		words := make([]uint32, len(entry))
		for k, e := range entry {
			words[k] = u.entries[int(e)*width+2+d]
		}
		p.recs[b] = words
	}
	for b, x := range p.unordered {
		if x == u {
			delete(p.unordered, b)
		}
	}
	p.ordering += time.Since(begin)
}

// giveMasks writes canonical masks into the rings: row s%History holds the last
// step before now of that remainder. Rows that nobody listed are read as masks.
func (p *program) giveMasks(e int, m []uint32) {
	ev, x := &p.plan.Events[e], &p.l.events[e]
	ring := make([]uint32, x.rows*ev.Words())
	for c := range ev.History {
		if at, ok := p.stepOfRow(ev, c); ok {
			copy(ring[int(at%int64(x.rows))*ev.Words():], m[c*ev.Words():(c+1)*ev.Words()])
		}
	}
	p.put(x.masks, 0, ring)
	for t := range p.l.tables {
		if lists := &p.l.tables[t]; lists.cap > 0 {
			p.fill(lists.counts, 0, lists.rows, unlisted)
		}
	}
}

// takeMasks reads canonical masks from the rings.
func (p *program) takeMasks(e int) []uint32 {
	ev, x := &p.plan.Events[e], &p.l.events[e]
	m, ring := make([]uint32, ev.History*ev.Words()), make([]uint32, x.rows*ev.Words())
	p.get(x.masks, 0, ring)
	for c := range ev.History {
		if at, ok := p.stepOfRow(ev, c); ok {
			from := int(at%int64(x.rows)) * ev.Words()
			copy(m[c*ev.Words():(c+1)*ev.Words()], ring[from:from+ev.Words()])
		}
	}
	return m
}

// stepOfRow is the last step before now whose remainder by History is c.
func (p *program) stepOfRow(e *backend.Event, c int) (int64, bool) {
	h := int64(e.History)
	last := p.now() - 1
	at := last - ((last-int64(c))%h+h)%h
	return at, at >= 0
}

func (p *program) guard() backend.Guard {
	return backend.Guard{Name: "gl", Plan: p.plan, Closed: p.closed, Failed: p.failed, Fault: p.fault, Room: func(b backend.BufID) int {
		words, _ := p.recorded(b)
		return max(p.plan.Bufs[b].Len, len(words))
	}}
}

func (p *program) Read(b backend.BufID, dst []uint32) error {
	if err := p.guard().Read(b, len(dst)); err != nil {
		return err
	}
	if p.copied(b, dst) {
		return nil
	}
	if p.begun != nil {
		return p.early(b)
	}
	return p.d.do(func() error { return p.read(b, dst) })
}

// copied gives a record that the host has.
func (p *program) copied(b backend.BufID, dst []uint32) bool {
	words, ok := p.recorded(b)
	if ok {
		clear(dst[copy(dst, words):])
	}
	return ok
}

// early refuses to look at a buffer that a Run is changing.
func (p *program) early(b backend.BufID) error {
	return fmt.Errorf("gl: %s is read or written while a Run goes on", p.plan.Bufs[b].Name)
}

func (p *program) read(b backend.BufID, dst []uint32) error {
	if p.copied(b, dst) {
		return nil
	}
	for e := range p.plan.Events {
		if p.plan.Events[e].Masks == b {
			m := p.masks[e]
			if m == nil {
				m = p.takeMasks(e)
			}
			copy(dst, m)
			return p.d.check("reading " + p.plan.Bufs[b].Name)
		}
	}
	switch {
	case b == p.plan.Step:
		copy(dst, []uint32{p.step})
	case b == p.plan.Due:
		copy(dst, []uint32{uint32(p.due), uint32(p.due >> 32)})
	case p.l.bufs[b].arena >= 0:
		p.get(p.l.bufs[b], 0, dst)
	default:
		clear(dst) // scratch that lives in registers, or a record before any Run
	}
	return p.d.check("reading " + p.plan.Bufs[b].Name)
}

func (p *program) Write(b backend.BufID, src []uint32) error {
	if err := p.guard().Write(b, len(src)); err != nil {
		return err
	}
	if p.begun != nil {
		return p.early(b)
	}
	return p.d.do(func() error { return p.write(b, src) })
}

// write keeps masks on the host until the next Run: which steps their rows
// belong to follows from the step, which may be written before or after them.
func (p *program) write(b backend.BufID, src []uint32) error {
	for e := range p.plan.Events {
		if p.masks[e] == nil && (p.plan.Events[e].Masks == b || b == p.plan.Step) {
			p.masks[e] = p.takeMasks(e)
		}
		if p.plan.Events[e].Masks == b {
			copy(p.masks[e], src)
		}
		if p.masks[e] != nil {
			p.primed = len(p.prime) == 0
		}
	}
	switch {
	case b == p.plan.Step && len(src) > 0:
		p.step = src[0]
	case b == p.plan.Due:
		for k, w := range src[:min(len(src), 2)] {
			p.due = p.due&^(0xffffffff<<(32*k)) | uint64(w)<<(32*k)
		}
	case p.l.bufs[b].arena >= 0:
		p.put(p.l.bufs[b], 0, src)
	}
	return p.d.check("writing " + p.plan.Bufs[b].Name)
}
