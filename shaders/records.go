//go:build egl && cgo && linux

package shaders

import (
	"slices"

	"synfire/engine/backend"
)

// collect brings the spike records of done steps into order and counts the
// samples. Words of samples stay on the device until they are read.
func (p *program) collect(done int, samples [][]uint32, control []uint32) {
	clear(p.recs)
	for i := range p.plan.Stages {
		s := &p.plan.Stages[i]
		switch s.Form {
		case backend.FormSample:
			p.recs[s.Rec.Count] = samples[i][:min(done, len(samples[i]))]
		case backend.FormSpikes:
			p.collectSpikes(s, &p.l.recs[i], done, control)
		}
	}
}

func (p *program) collectSpikes(s *backend.Stage, r *recordLayout, done int, control []uint32) {
	width := 2 + len(s.Rec.Src)
	n := 0
	if r.counter < len(control) {
		n = min(int(control[r.counter]), r.room)
	}
	raw := make([]uint32, n*width)
	p.get(r.entries, 0, raw)
	count, index, entry := spikesInOrder(raw, width, s.Rec.Lo, s.Rec.Hi, done)
	p.recs[s.Rec.Count], p.recs[s.Rec.Index] = count, index
	for d, b := range s.Rec.Dst {
		words := make([]uint32, len(entry))
		for k, e := range entry {
			words[k] = raw[int(e)*width+2+d]
		}
		p.recs[b] = words
	}
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
		return max(p.plan.Bufs[b].Len, len(p.recs[b]))
	}}
}

func (p *program) Read(b backend.BufID, dst []uint32) error {
	if err := p.guard().Read(b, len(dst)); err != nil {
		return err
	}
	return p.d.do(func() error { return p.read(b, dst) })
}

func (p *program) read(b backend.BufID, dst []uint32) error {
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
	switch words, ok := p.recs[b]; {
	case b == p.plan.Step:
		copy(dst, []uint32{p.step})
	case b == p.plan.Due:
		copy(dst, []uint32{uint32(p.due), uint32(p.due >> 32)})
	case ok:
		clear(dst[copy(dst, words):])
	case p.plan.Bufs[b].Kind == backend.Record:
		clear(dst)
		for i := range p.plan.Stages {
			if k := slices.Index(p.plan.Stages[i].Rec.Dst, b); k >= 0 && p.plan.Stages[i].Form == backend.FormSample {
				p.get(p.l.recs[i].dst[k], 0, dst)
			}
		}
	case p.l.bufs[b].arena >= 0:
		p.get(p.l.bufs[b], 0, dst)
	default:
		clear(dst) // scratch that lives in registers
	}
	return p.d.check("reading " + p.plan.Bufs[b].Name)
}

func (p *program) Write(b backend.BufID, src []uint32) error {
	if err := p.guard().Write(b, len(src)); err != nil {
		return err
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
