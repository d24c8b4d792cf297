package model

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/engine/eqn"
	"synfire/engine/store"
)

// Snapshot is the state of a network at a moment: named fields, as in a file of
// package store, and what of it is shared with the network that it is of.
type Snapshot struct {
	*store.State
	texts map[string]*lazyExpr // values that were given as texts, by field
	conns map[string][]*Conn   // of Synapses, by name
}

// StoredState is the fields of a snapshot, as a file holds them.
type StoredState = store.State

// Beside begins the names of fields that are not the network's: a program may keep
// its own there.
const Beside = "beside: "

// Stored is a snapshot that was read from a file.
func Stored(s *StoredState) *Snapshot { return &Snapshot{State: s} }

// Store is the state of the network now, between two runs.
func (n *Network) Store() (*Snapshot, error) {
	if err := n.still("store"); err != nil {
		return nil, err
	}
	return n.Snapshot()
}

// Snapshot is Store in the middle of a run, of the words that the host holds.
func (n *Network) Snapshot() (*Snapshot, error) {
	s := &Snapshot{State: store.NewState(), texts: map[string]*lazyExpr{}, conns: map[string][]*Conn{}}
	w := &stateList{Snapshot: s, n: n}
	w.network()
	return s, w.err
}

// Restore brings the network back to a snapshot: of itself, or of one that was
// made in the same way. Nothing has changed where it does not fit. With random,
// what is drawn repeats from there; else it goes on.
func (n *Network) Restore(s *Snapshot, random bool) error {
	if err := n.still("restore"); err != nil {
		return err
	}
	before, err := n.Snapshot()
	if err != nil {
		return err
	}
	if err := n.restore(s, random); err != nil {
		if e := n.restore(before, true); e != nil {
			return fmt.Errorf("%w; and then: %v", err, e)
		}
		return err
	}
	return nil
}

func (n *Network) restore(s *Snapshot, random bool) error {
	r := &stateList{Snapshot: s, n: n, read: true, random: random, used: map[string]bool{}}
	if r.network(); r.err != nil {
		return r.err
	}
	for _, name := range s.Names() {
		if !r.used[name] && !strings.HasPrefix(name, Beside) {
			return fmt.Errorf("restore: the stored state has %s, which the network has not: it is of other objects", name)
		}
	}
	return nil
}

// stateList goes through what is state, in one order, to take it down or to bring
// it back. This is the list: what is not here, such as connections, code, delays as
// texts, and tables, is made by the script or worked out from what is here.
type stateList struct {
	grouped []grouped // of the synapses that are read
	*Snapshot
	n      *Network
	read   bool // bring back
	random bool // random numbers too
	used   map[string]bool
	err    error
}

// network is the list.
func (l *stateList) network() {
	n := l.n
	l.names()
	l.same("step of the network", &n.StepSize)
	l.same("step of the default clock", &n.dt)
	step, drawn := n.Step, n.Drawn
	l.int("steps", &n.Step)
	l.int("clock", &n.Default.Step)
	l.float("end", &n.T0)
	l.words("due", n.Due[:])
	l.uint("spikes", &n.SpikeHash)
	l.randomness()
	if l.read && !l.random { // the steps of random words go on from where they were
		n.Drawn = n.Step - (step - drawn)
	}
	for _, ob := range n.Objects {
		at := ob.Base().AutoName
		l.bool(at+" has run", &ob.Base().HasRun)
		if since := at + " since"; !l.read || l.Has(since) { // states of earlier versions do not tell
			l.float(since, &ob.Base().Since)
		}
		switch x := ob.(type) {
		case *NeuronGroup:
			l.group(at, x)
		case *Synapses:
			l.synapses(at, x)
		case *SpikeMonitor:
			l.columns(at, x.ColumnList)
			l.int(at+" events", &x.num)
			l.ints(at+" counts", x.count)
		case *StateMonitor:
			l.columns(at, x.ColumnList)
		case *RateMonitor:
			l.columns(at, x.ColumnList)
		}
	}
}

func (l *stateList) group(at string, g *NeuronGroup) {
	for _, v := range g.Vars {
		if v.Words == nil {
			continue
		}
		name := at + "." + v.Name
		l.words(name, v.Words)
		l.bool(name+" operated", &v.Operated)
		l.bool(name+" remade", &v.Remade)
		l.bool(name+" in steps", &v.Symbol.Steps)
		two := v.Low != nil
		if l.bool(name+" has a second word", &two); l.read {
			switch {
			case two && v.Low == nil:
				v.Low = make([]uint32, len(v.Words))
				v.Symbol.TwoWords = true
			case !two: // it was decided later: none has a part there yet
				clear(v.Low)
			}
		}
		if two {
			l.words(name+" second word", v.Low)
		}
	}
	for _, e := range g.Events {
		name := at + "." + e.Name
		hist := int64(e.Hist)
		l.int(name+" kept steps", &hist)
		masks := e.Masks
		l.anyWords(name+" masks", &masks)
		l.uint(name+" events", &e.Counts)
		last := e.last
		l.anyWords(name+" last", &last)
		if l.read {
			e.Hist, e.Masks, e.last = int(hist), masks, last
		}
		for _, i := range last {
			if int64(i) >= int64(g.Size) {
				l.fail("%s: neuron %d of %d fired", name, i, g.Size)
				break
			}
		}
		if l.read && hist*int64((g.Size+31)/32) != int64(len(masks)) {
			l.fail("%s: %d words of masks for %d steps of %d neurons", name, len(masks), hist, g.Size)
		}
	}
	if gen := g.Generator; gen != nil {
		fresh := *gen
		l.anyFloats(at+" times", &fresh.times)
		which := make([]float64, len(fresh.indices))
		for k, i := range fresh.indices {
			which[k] = float64(i)
		}
		l.anyFloats(at+" indices", &which)
		l.float(at+" period", &fresh.seconds)
		if l.read {
			fresh.indices = make([]int, len(which))
			for k, i := range which {
				if fresh.indices[k] = int(i); !(i >= 0 && i < float64(g.Size)) {
					l.fail("%s: a spike of neuron %g", at, i)
				}
			}
			if len(which) != len(fresh.times) {
				l.fail("%s: %d spikes at %d times", at, len(which), len(fresh.times))
			}
			if l.err == nil {
				g.Generator = &fresh
			}
		}
	}
}

func (l *stateList) synapses(at string, s *Synapses) {
	made := int64(len(s.Conns))
	l.int(at+" connect calls", &made)
	if l.read {
		kept := l.Snapshot.conns[at]
		if kept == nil && made != int64(len(s.Conns)) {
			l.fail("%s: the stored state has %d connect calls, the network %d", at, made, len(s.Conns))
			return
		}
		if kept != nil {
			s.Conns = slices.Clone(kept)
		}
	} else {
		l.Snapshot.conns[at] = append([]*Conn{}, s.Conns...)
	}
	for k, c := range s.Conns[:min(len(s.Conns), int(made))] {
		count := int64(c.n)
		l.int(fmt.Sprintf("%s connect call %d", at, k), &count)
		if l.read && count >= 0 && c.n >= 0 && int(count) != c.n && l.Snapshot.conns[at] == nil {
			l.fail("%s: connect call %d made %d synapses, the stored state has %d", at, k, c.n, count)
		}
	}
	held := append(append([]*Variable{}, s.Vars...), s.Hidden...)
	for _, v := range held {
		if v.Symbol.Kind != eqn.Variable {
			continue
		}
		l.held(at+"."+v.Name, v, int(made))
		second := v.Second != nil
		if l.bool(at+"."+v.Name+" has a second word", &second); second {
			low := v.Second
			if low == nil {
				low = v.NewSecond()
			}
			if l.held(at+"."+v.Name+" second word", low, int(made)); l.read {
				v.Second = low
			}
		} else if l.read {
			v.Second = nil
		}
		l.bool(at+"."+v.Name+" in steps", &v.Symbol.Steps)
	}
	for _, w := range s.Paths {
		name := at + " " + w.Name
		l.held(name+" delay", w.Delay, int(made))
		l.bool(name+" delay is one", &w.Delay.single)
		l.bool(name+" asleep", &w.asleep)
		past, open := l.lives(name+" past", w.past, int(made)), l.lives(name+" open", w.open, int(made))
		size := s.Src.Hi - s.Src.Lo
		if w.Post {
			size = s.Tgt.Hi - s.Tgt.Lo
		}
		for _, x := range open {
			if x.Groups != nil && slices.ContainsFunc(x.Groups.End, func(e uint32) bool { return int(e) >= size }) {
				l.fail("%s: a group of a neuron that is not there", name)
			}
		}
		if l.read {
			w.past, w.open = past, open
		}
	}
	for _, g := range l.grouped {
		if g.conn >= len(g.w.open) || g.w.open[g.conn].Groups == nil || len(g.w.open[g.conn].Groups.End) != len(g.near.words) {
			l.fail("%s: the groups of connect call %d of %s are not there", at, g.conn, g.w.Name)
			break
		}
		g.near.groups = g.w.open[g.conn].Groups
	}
	l.grouped = nil
}

// grouped is words by neuron and delay, whose groups are read later.
type grouped struct {
	near *nearby
	w    *Path
	conn int
}

// groups are those of a life.
func (l *stateList) groups(name string, x *Life) {
	has := x.Groups != nil
	if l.bool(name+" has groups", &has); !has {
		return
	}
	g := &Groups{}
	if !l.read {
		g = x.Groups
	}
	delays := make([]uint32, len(g.Delay))
	for k, d := range g.Delay {
		delays[k] = uint32(d)
	}
	l.anyWords(name+" group ends", &g.End)
	l.anyWords(name+" group delays", &delays)
	l.anyWords(name+" groups", &g.Of)
	if !l.read {
		return
	}
	if len(g.End) != len(delays) {
		l.fail("%s: %d groups, %d delays", name, len(g.End), len(delays))
		return
	}
	for _, d := range delays {
		g.Delay = append(g.Delay, float32(d))
	}
	for _, k := range g.Of {
		if int(k) >= len(g.End) {
			l.fail("%s: group %d of %d", name, k, len(g.End))
			return
		}
	}
	x.Groups = g
}

// lives are those of a pathway, with the delays that the past ones keep.
func (l *stateList) lives(name string, list []*Life, conns int) []*Life {
	count := int64(len(list))
	if l.int(name, &count); l.err != nil || count < 0 || count > 1<<31 {
		l.fail("%s: %d of them", name, count)
		return nil
	}
	if l.read {
		list = make([]*Life, count)
	}
	for k := range list {
		if l.read {
			list[k] = &Life{}
		}
		x, at := list[k], fmt.Sprintf("%s %d", name, k)
		conn, longest := int64(x.Conn), int64(x.longest)
		l.int(at+" of", &conn)
		l.int(at+" first", &x.first)
		l.int(at+" last", &x.Last)
		l.int(at+" longest", &longest)
		x.Conn, x.longest = int(conn), int(longest)
		if l.read && (conn < 0 || conn >= int64(conns) || x.Last < 0 || longest < 0 || longest > 65535) {
			l.fail("%s: no such stretch of steps", at)
			return list
		}
		if x.Last != forever {
			l.value(at+" delays", &x.delays, nil)
		}
		l.groups(at, x)
	}
	return list
}

// held is what a variable of synapses holds for each connect call, and for those to come.
func (l *stateList) held(name string, v *Variable, conns int) {
	explicit := int64(len(v.cols))
	if l.int(name+" columns", &explicit); l.read && (explicit < 0 || explicit > int64(conns)) {
		l.fail("%s: %d columns of %d connect calls", name, explicit, conns)
		return
	}
	cols := v.cols
	if l.read {
		cols = make([]Held, explicit)
		for k := range cols {
			cols[k] = v.Col(k)
		}
	}
	for k := range cols {
		at := fmt.Sprintf("%s %d", name, k)
		l.value(at, &cols[k], v)
		if near := cols[k].Near; near != nil {
			by := int64(0) // by neuron alone, or by the delays of a pathway too: its number from 1 on
			for n, w := range v.Syn.Paths {
				if near.groups != nil && k < len(w.open) && w.open[k].Groups == near.groups {
					by = int64(n) + 1
				}
			}
			if l.int(at+" by the delays of", &by); l.read && (by < 0 || by > int64(len(v.Syn.Paths))) {
				l.fail("%s: there is no pathway %d", at, by)
			} else if l.read && by > 0 {
				l.grouped = append(l.grouped, grouped{near, v.Syn.Paths[by-1], k})
			}
		}
	}
	later := v.later
	if l.value(name+" to come", &later, v); l.read {
		v.cols, v.later = cols, later
	}
}

// kindsOfHeld are the forms of a Held, in the field "NAME form".
const (
	heldValue = iota
	heldWide
	heldShort
	heldWords
	heldPre
	heldPost
	heldText
)

// value is one Held; v is whose it is.
func (l *stateList) value(name string, h *Held, v *Variable) {
	form := int64(heldValue)
	switch {
	case h.Lazy != nil:
		form = heldText
	case h.Near != nil && h.Near.post:
		form = heldPost
	case h.Near != nil:
		form = heldPre
	case h.List != nil && h.List.of != nil:
		form = heldWords
	case h.List != nil && h.List.short != nil:
		form = heldShort
	case h.List != nil:
		form = heldWide
	}
	now := *h
	l.int(name+" form", &form)
	out := Held{}
	list := &list{}
	if h.List != nil && !l.read {
		var err error
		if list, err = h.List.home(); err != nil {
			l.fail("%v", err)
		}
	}
	switch form {
	case heldValue:
		out.Value = h.Value
		l.float(name, &out.Value)
	case heldWide:
		l.anyFloats(name, &list.wide)
		out.List = list
	case heldShort:
		words := make([]uint32, len(list.short))
		for k, x := range list.short {
			words[k] = math.Float32bits(x)
		}
		l.anyWords(name, &words)
		l.float(name+" unit", &list.unit)
		if l.read {
			list.short = make([]float32, len(words))
			for k, w := range words {
				list.short[k] = math.Float32frombits(w)
			}
		}
		out.List = list
	case heldWords:
		l.anyWords(name, &list.words)
		if out.List = list; l.read && v != nil {
			list.of, list.dt, list.live = v.Symbol, l.n.StepSize, true
		}
	case heldPre, heldPost:
		near := &nearby{post: form == heldPost}
		if h.Near != nil && !l.read {
			near = h.Near
		}
		l.anyWords(name, &near.words)
		out.Near = near
	case heldText:
		text := ""
		if h.Lazy != nil {
			text = h.Lazy.x.String()
		}
		l.text(name, &text)
		out.Lazy = h.Lazy
		if !l.read {
			l.Snapshot.texts[name] = h.Lazy
		} else if kept := l.Snapshot.texts[name]; kept != nil {
			out.Lazy = kept
		} else if now.Lazy == nil || now.Lazy.x.String() != text {
			l.fail("%s was given as the text %q, which the network does not have there", name, text)
		}
	default:
		l.fail("%s: a value of the unknown form %d", name, form)
	}
	if (form == heldWide || form == heldShort) && l.err == nil { // words that stand beside the values
		has := list.words != nil
		if l.bool(name+" is encoded", &has); has {
			l.anyWords(name+" encoded", &list.words)
		}
	}
	if l.read {
		*h = out
	}
}

// columns are what a monitor has recorded.
func (l *stateList) columns(at string, list ColumnList) {
	for _, c := range list {
		name := at + "." + c.Name
		if l.read {
			b, err := l.take(name, store.Text, -1)
			if err != nil {
				l.fail("%v", err)
				return
			}
			if len(b)%(c.Type.Size()*max(c.Rows, 1)) != 0 {
				l.fail("%s: %d bytes are no whole number of samples", name, len(b))
				return
			}
			if err := c.restart(b); err != nil {
				l.fail("%s: %v", name, err)
			}
			continue
		}
		var b []byte
		if err := c.read(func(part []byte) error { b = append(b, part...); return nil }); err != nil {
			l.fail("%s: %v", name, err)
		}
		l.Put(name, store.Text, b)
	}
}

// restart has the column hold these values and no others.
func (c *Column) restart(b []byte) error {
	c.chunks, c.tail, c.values = nil, nil, int64(len(b)/c.Type.Size())
	if c.File != nil {
		if err := c.File.Restart(); err != nil {
			return err
		}
		return c.File.AppendBytes(b)
	}
	whole := chunkBytes / (c.Type.Size() * max(c.Rows, 1)) * (c.Type.Size() * max(c.Rows, 1))
	for whole > 0 && len(b) > whole {
		c.chunks, b = append(c.chunks, slices.Clone(b[:whole])), b[whole:]
	}
	c.tail = slices.Clone(b)
	return nil
}

// savedRandomness is Randomness as a file has it.
type savedRandomness struct {
	Seed    uint64            `json:"seed"`
	Network *uint64           `json:"network_seed,omitempty"` // absent: Seed
	Given   int               `json:"given"`
	First   map[string]int    `json:"first"`
	Made    map[string]int    `json:"made"`
	Objects uint64            `json:"objects"`
	Owners  map[string]uint64 `json:"owners"`
	Drawers map[uint64]string `json:"drawers"`
	Visits  map[string]uint32 `json:"visits"`
	Streams map[uint32]string `json:"streams"`
	With    int               `json:"drawn_with"`
	Drawn   int64             `json:"drawn"`
}

func (l *stateList) randomness() {
	n := l.n
	r := n.Random
	text := ""
	if !l.read {
		var other *uint64
		if r.Network != r.Seed {
			other = &r.Network
		}
		b, err := json.Marshal(savedRandomness{r.Seed, other, r.given, r.first, r.made, r.objects, r.owners, r.drawers, r.visits, r.streams, n.DrawnWith, n.Drawn})
		if err != nil {
			l.fail("random numbers: %v", err)
		}
		text = string(b)
	}
	l.text("random numbers", &text)
	if !l.read || l.err != nil || !l.random {
		return
	}
	var s savedRandomness
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		l.fail("random numbers: %v", err)
		return
	}
	fresh := newRandomness(s.Seed)
	if s.Network != nil {
		fresh.Network = *s.Network
	}
	fresh.given, fresh.first, fresh.made, fresh.objects = s.Given, s.First, orEmpty(s.Made), max(s.Objects, r.objects)
	fresh.owners, fresh.drawers, fresh.visits, fresh.streams = orEmpty(s.Owners), orEmpty(s.Drawers), orEmpty(s.Visits), orEmpty(s.Streams)
	*r = *fresh
	n.DrawnWith, n.Drawn = s.With, s.Drawn
}

func orEmpty[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}

// names are the objects, with their kinds and sizes, which must be the same.
func (l *stateList) names() {
	var list []string
	for _, ob := range l.n.Objects {
		size := 0
		switch x := ob.(type) {
		case *NeuronGroup:
			size = x.Size
		case *StateMonitor:
			size = len(x.Items)
		case *SpikeMonitor:
			size = len(x.count)
		}
		list = append(list, fmt.Sprintf("%s: %s of %d", ob.Base().AutoName, strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", ob), "*model.")), size))
	}
	slices.Sort(list)
	text := strings.Join(list, "\n")
	now := list
	if l.text("objects", &text); !l.read {
		return
	}
	had := strings.Split(text, "\n")
	for _, x := range had {
		if !slices.Contains(now, x) && text != "" {
			l.fail("the stored state has %s, which the network has not", x)
			return
		}
	}
	for _, x := range now {
		if !slices.Contains(had, x) {
			l.fail("the network has %s, which the stored state has not: make the same objects, under the same names", x)
			return
		}
	}
}
