// Package rundir writes run directories (design section 1, "What a run writes"): what monitors record goes to disk while
// the network runs, and run.json says what ran and how it ended.
//
//	dir, err := rundir.Create("results")          // refuses what is no run's; locks it; an earlier run stays for now
//	r, err := net.Run(ctx, 1, engine.RunOptions{Backend: b, Records: dir})
//	rundir.Ran(&dir.Manifest, net, b)             // the device and the hash, after each run
//	rundir.Describe(&dir.Manifest, []*engine.RunResult{r}, net)
//	err = dir.Finish(err)                         // all on the disk, status "complete", "interrupted" or "failed"
//
// An earlier run in the directory is removed when the first Run has compiled, and of it only what its manifest names.
// A process that is killed leaves every array readable up to the last batch, a fraction of a second; arrays of one
// monitor may then differ by that batch in length.
package rundir

import (
	"errors"
	"fmt"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/store"
)

// Dir is a run directory that is being written. It is an engine.Recorder. Not safe for concurrent
// use.
type Dir struct {
	// Manifest is what run.json will say; Version should be set before the first run. Monitors and files are filled in.
	Manifest store.Manifest

	dir     *store.Dir
	begun   []*folder // of each monitor, in the order in which they began
	arrays  []array
	started bool
}

// folder is where a monitor's arrays are.
type folder struct {
	monitor engine.Monitor
	name    string
}

// array is one of Save.
type array struct {
	name    string
	values  []float64
	cols    int
	integer bool
}

// Create makes path a run directory and locks it. Nothing of an earlier run is touched yet.
func Create(path string) (*Dir, error) {
	d, err := store.Create(path)
	if err != nil {
		return nil, err
	}
	return &Dir{dir: d, Manifest: store.Manifest{Version: "unknown"}}, nil
}

// Join is Create for one of several ranks, which run the same network and make the same calls. Each writes parts of what is
// recorded, the first all that is besides: the directory is that of one process.
func Join(path string, r host.Ranks) (*Dir, error) {
	d, err := store.Join(path, meeting{r})
	if err != nil {
		return nil, err
	}
	return &Dir{dir: d, Manifest: store.Manifest{Version: "unknown"}}, nil
}

// meeting is where ranks meet that write a directory.
type meeting struct{ host.Ranks }

func (m meeting) Meet(err error) error {
	if err != nil && m.Rank() > 0 {
		err = fmt.Errorf("rank %d: %w", m.Rank(), err)
	}
	_, err = host.Work{Ranks: m.For(host.MeetOut)}.Meet(0, m.Rank(), err)
	return err
}

// Path is the directory.
func (d *Dir) Path() string { return d.dir.Path() }

// Started says that the run stands in the directory: until then an earlier one does.
func (d *Dir) Started() bool { return d.started }

// Begin gives each column of the network's monitors a file. The first call puts the run in the place of an earlier one.
func (d *Dir) Begin(n *engine.Network) error {
	var fresh []*folder
	var names []string
	for _, m := range n.Monitors() {
		if d.of(m) != nil {
			continue
		}
		if err := d.vacate(m.Name()); err != nil {
			return err
		}
		f := &folder{m, m.Name()}
		for _, other := range fresh {
			if other.name == f.name {
				f.name = d.free(m)
			}
		}
		d.begun = append(d.begun, f)
		fresh = append(fresh, f)
		for _, c := range m.Columns() {
			names = append(names, f.name+"/"+c.Name)
		}
	}
	err := d.start(n, names)
	if err == nil {
		for _, f := range fresh {
			if err = d.open(f); err != nil {
				break
			}
		}
	}
	if err != nil {
		d.begun = d.begun[:len(d.begun)-len(fresh)]
	}
	return err
}

// start puts the run in the place of an earlier one, or announces further arrays.
func (d *Dir) start(n *engine.Network, names []string) error {
	if d.started {
		if len(names) == 0 {
			return nil
		}
		return d.dir.Announce(names...)
	}
	m := d.Manifest
	m.Status = store.Running
	if n != nil {
		Describe(&m, nil, n)
	}
	if err := d.dir.Start(&m, names...); err != nil {
		return err
	}
	d.started = true
	for _, a := range d.arrays {
		if err := d.write(a); err != nil {
			return err
		}
	}
	d.arrays = nil
	return nil
}

// open makes the files of a monitor's columns.
func (d *Dir) open(f *folder) error {
	for _, c := range f.monitor.Columns() {
		if c.Path() != "" {
			return fmt.Errorf("%s is written into another run directory, %s", f.name, c.Path())
		}
		var w *store.Writer
		var err error
		if name := f.name + "/" + c.Name; c.Rows == 0 {
			w, err = d.dir.Vector(name, c.Type)
		} else {
			w, err = d.dir.Matrix(name, c.Type, c.Rows)
		}
		if err == nil {
			err = c.ToFile(w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) of(m engine.Monitor) *folder {
	for _, f := range d.begun {
		if f.monitor == m {
			return f
		}
	}
	return nil
}

// vacate gives the folder of this name, if a monitor has it, to nobody: the variable now holds another monitor, and the
// one that had the name goes by its automatic one.
func (d *Dir) vacate(name string) error {
	for _, f := range d.begun {
		if f.name == name {
			to := d.free(f.monitor)
			if err := d.dir.Rename(f.name, to); err != nil {
				return err
			}
			f.name = to
		}
	}
	return nil
}

// free is a name for a monitor that nothing has: its automatic one, or that with a number.
func (d *Dir) free(m engine.Monitor) string {
	taken := map[string]bool{}
	for _, f := range d.begun {
		taken[f.name] = true
	}
	name := m.AutomaticName()
	for k := 2; taken[name]; k++ {
		name = fmt.Sprintf("%s_%d", m.AutomaticName(), k)
	}
	return name
}

// settle gives each folder the name that its monitor has at the end: the newest first, where several have one.
func (d *Dir) settle() error {
	final := map[string]bool{}
	for _, c := range d.Manifest.Connections {
		final[c.Name] = true
	}
	var errs []error
	for k := len(d.begun) - 1; k >= 0; k-- {
		f := d.begun[k]
		if want := f.monitor.Name(); f.name != want && !final[want] {
			err := d.vacate(want)
			if err == nil {
				err = d.dir.Rename(f.name, want)
			}
			if err == nil {
				f.name = want
			}
			errs = append(errs, err)
		}
		final[f.name] = true
	}
	return errors.Join(errs...)
}

// Save writes an array, as a script's save_array does: at once, or when the run has started. values are in C order; cols
// is 0 for one dimension. An array that was saved under this name is replaced.
func (d *Dir) Save(name string, values []float64, cols int, integer bool) error {
	a := array{name, values, cols, integer}
	if d.started {
		return d.write(a)
	}
	if err := store.CheckName(name); err != nil {
		return err
	}
	for k := range d.arrays {
		if d.arrays[k].name == name {
			d.arrays[k] = a
			return nil
		}
	}
	d.arrays = append(d.arrays, a)
	return nil
}

func (d *Dir) write(a array) error {
	shape := []int{len(a.values)}
	if a.cols > 0 {
		shape = []int{len(a.values) / a.cols, a.cols}
	}
	if !a.integer {
		return d.dir.Save(a.name, a.values, shape...)
	}
	ints := make([]int64, len(a.values))
	for k, x := range a.values {
		ints[k] = int64(x)
	}
	return d.dir.SaveInts(a.name, ints, shape...)
}

// Finish brings everything onto the disk and writes the last manifest; err is how the run ended. Where something cannot
// be written, the manifest says so, and Finish does. A run that failed before it started leaves an earlier one in place.
// Ranks finish a run together, but for one that has failed, which the first does.
func (d *Dir) Finish(err error) error {
	if err != nil {
		d.dir.Part()
		if d.dir.Other() {
			return d.dir.Close()
		}
	}
	m := &d.Manifest
	End(m, err)
	var errs []error
	if !d.started && (m.Status == store.Complete || !d.dir.Earlier()) {
		e := d.start(nil, nil)
		if !d.started {
			return errors.Join(e, d.dir.Close())
		}
		errs = append(errs, e)
	}
	errs = append(errs, d.settle())
	others := m.Monitors
	m.Monitors = nil
	for _, f := range d.begun {
		for _, c := range f.monitor.Columns() {
			errs = append(errs, c.Flush())
		}
		m.Monitors.Set(f.name, f.monitor.Entry())
	}
	for _, o := range others { // that no run has taken in
		_, synapses := m.Connections.Get(o.Name)
		if _, ok := m.Monitors.Get(o.Name); !ok && !synapses {
			m.Monitors.Set(o.Name, o.Value)
		}
	}
	lost := errors.Join(errs...)
	if lost != nil && m.Status != store.Failed {
		m.Status, m.Error = store.Failed, lost.Error()
	}
	e := d.dir.Finish(m)
	if lost == nil {
		lost = e
	}
	return lost
}

// Close lets the directory go without a word about the run; after Finish it does nothing.
func (d *Dir) Close() error { return d.dir.Close() }

// End notes how a run ended.
func End(m *store.Manifest, err error) {
	switch {
	case err == nil:
		m.Status = store.Complete
	case errors.Is(err, engine.ErrInterrupted):
		m.Status = store.Interrupted
	default:
		m.Status, m.Error = store.Failed, err.Error()
	}
}

// Ran notes on what a network has run, and the hash, which can be had only while the program is loaded.
func Ran(m *store.Manifest, n *engine.Network, b backend.Backend) (err error) {
	Device(m, b)
	Seeds(m, n.SeedValue(), n.Random.Network)
	m.Hash.Spikes, m.Hash.State, err = n.Hash()
	return err
}

// Seeds notes the seed, and that of what the network is made of.
func Seeds(m *store.Manifest, seed, network uint64) {
	if m.Seed, m.NetworkSeed = seed, nil; network != seed {
		m.NetworkSeed = &network
	}
}

// Device notes what runs the network; how many threads, only a loaded plan tells.
func Device(m *store.Manifest, b backend.Backend) {
	caps := b.Caps()
	m.Backend, m.Device, m.Threads, m.SIMD, m.Inexact = b.Name(), caps.Device, caps.Threads, caps.SIMD, caps.Inexact
}

// Describe notes what networks there are, the first being the last that has run, and what their runs did.
func Describe(m *store.Manifest, runs []*engine.RunResult, nets ...*engine.Network) {
	m.DtS = nets[0].Dt()
	m.Populations, m.Monitors, m.Runs, m.Neurons = nil, nil, nil, 0
	m.TimeS.Compile, m.TimeS.Build, m.Bytes.Plan = 0, 0, 0
	for _, n := range nets {
		for _, g := range n.Groups() {
			m.Populations.Set(g.Name(), int64(g.N()))
			m.Neurons += int64(g.N())
		}
		for _, mon := range n.Monitors() {
			m.Monitors.Set(mon.Name(), mon.Entry())
		}
	}
	for _, x := range runs {
		if x == nil {
			continue
		}
		run := store.Run{StartS: x.Start, DurationS: x.Duration, Steps: x.Steps, WallS: x.Wall, Events: int64(x.Events)}
		if x.Duration > 0 {
			run.RealTimeFactor = x.Wall / x.Duration
		}
		for _, p := range m.Populations {
			if k, ok := x.Spikes[p.Name]; ok {
				run.Spikes.Set(p.Name, int64(k))
			}
		}
		m.Runs = append(m.Runs, run)
		m.TimeS.Compile += x.Compile
		m.TimeS.Build += x.Build
		m.Synapses = x.Synapses
		m.Bytes.Plan = max(m.Bytes.Plan, x.PlanBytes)
	}
}
