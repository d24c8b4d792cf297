package engine

import (
	"fmt"
	"strings"
	"time"

	"synfire/engine/host"
	"synfire/engine/model"
)

// Recorder is where records go while a network runs. Without one they stay in
// memory.
type Recorder interface {
	// Begin is called when a run has compiled and is loaded, before its first step.
	// It gives each column of the network's monitors that has none a file, by ToFile.
	Begin(n *Network) error
}

// keeping is how the records of one run are kept.
type keeping struct {
	columns []*model.Column
	seen    int64  // bytes in memory when what is free was looked at last
	ahead   int64  // bytes at which it is looked at again
	held0   int64  // bytes that were in memory before
	steps   int64  // of the run
	done    int64  // of these
	less    string // what to do where they do not fit
	last    time.Time
	took    time.Duration   // by the last flush
	any     func(bool) bool // of several ranks: whether it is true for one of them
	meet    func(error) error

	counts, index []uint32 // of the last batch, to be used again
	values        [][]uint32
}

// keepRecords opens the columns of a run of so many steps.
func (n *Network) keepRecords(o RunOptions, steps int64) (*keeping, error) {
	k := &keeping{steps: steps, less: "with a run directory (--out DIR) they go to disk while the run goes on, else record fewer items (record=) or less often (dt=)"}
	if o.Ranks != nil && o.Ranks.Size() > 1 {
		k.less = "each rank keeps all of them; " + k.less
	}
	k.any, k.meet = func(yes bool) bool { return yes }, func(err error) error { return err }
	if o.Records != nil {
		if o.Ranks != nil {
			k.any = anyOf(o.Backend)
			k.meet = func(err error) error {
				_, err = host.Work{Ranks: o.Ranks.For(host.MeetOut)}.Meet(0, o.Ranks.Rank(), err)
				return err
			}
		}
		if err := o.Records.Begin(n); err != nil {
			return nil, err
		}
	}
	for _, m := range n.Monitors() {
		k.columns = append(k.columns, m.Columns()...)
	}
	k.held0 = k.held()
	k.seen, k.ahead = k.held0, k.held0+lookAhead
	return k, n.recordsFit(steps, k.less)
}

const (
	// lookAhead is after how many bytes of records in memory what is free is asked: few,
	// for a limit of the process (ulimit -v) may leave little, and batches grow.
	lookAhead = 8 << 20
	// spare is for the end of the run, and for the pieces in which Go takes memory.
	spare = 128 << 20
)

// recordsFit refuses a run whose records are known to pass the memory.
func (n *Network) recordsFit(steps int64, less string) error {
	var names []string
	need := int64(0)
	for _, m := range n.Monitors() {
		if b := m.Ahead(steps); b > 0 && m.Base().Active() && m.Columns()[0].File == nil {
			names = append(names, fmt.Sprintf("%s %s", m.Name(), host.Size(b)))
			need += b
		}
	}
	if need < lookAhead {
		return nil
	}
	if free := host.Free(); free > 0 && need > free {
		return fmt.Errorf("the records of this run take %s of memory (%s), %s are free; %s", host.Size(need), strings.Join(names, ", "), host.Size(free), less)
	}
	return nil
}

// flush brings what a batch has recorded onto the disk, where a killed process
// leaves it readable. Where that takes long (thousands of files, a disk far away),
// it waits, so that it costs a twentieth of the time at most.
func (k *keeping) flush(end bool) error {
	if early := !end && time.Since(k.last) < 20*k.took; k.any(early) {
		return nil
	}
	start := time.Now()
	var err error
	for _, c := range k.columns {
		if e := c.Put(); err == nil {
			err = e
		}
	}
	err = k.meet(err)
	for _, c := range k.columns {
		if e := c.Settle(err); err == nil {
			err = e
		}
	}
	if err != nil {
		return err
	}
	held := k.held()
	k.last = time.Now()
	k.took = k.last.Sub(start)
	if held < k.ahead || end {
		return nil
	}
	grown := held - k.seen
	k.seen, k.ahead = held, held+lookAhead
	free := host.Free()
	// What the next batch may record and its passing on take, and a little for the end of the run.
	if free > 0 && free < 3*grown+spare {
		return fmt.Errorf("the records fill the memory: %s, %s are free; %s", host.Size(held), host.Size(free), k.less)
	}
	// Where they have grown to a part of it, the steps to come are taken to bring as much as those so far.
	rest := host.Bytes(float64(float64(held-k.held0) / float64(k.done) * float64(k.steps-k.done)))
	if free > 0 && held-k.held0 > free/16 && rest > free {
		return fmt.Errorf("the records would pass the memory: %s after %d of %d steps, at this pace another %s, %s are free; %s", host.Size(held), k.done, k.steps, host.Size(rest), host.Size(free), k.less)
	}
	return nil
}

// held is what the columns hold in memory, in bytes.
func (k *keeping) held() (b int64) {
	for _, c := range k.columns {
		if c.File == nil {
			b += c.Memory()
		}
	}
	return b
}
