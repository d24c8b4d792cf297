package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"synfire/engine/host"
	"synfire/engine/store"
)

// Recorded is a run directory that is read: what ran, and what its monitors recorded.
type Recorded struct {
	Manifest *store.Manifest
	Path     string
}

// Open reads the manifest of a run directory; arrays are read as they are asked for.
func Open(path string) (*Recorded, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such directory; `synfire run MODEL --out %s` makes one", path, path)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file; a run directory was expected, as `synfire run MODEL --out DIR` makes it", path)
	}
	m, err := store.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no run: there is no %s in it; `synfire run MODEL --out DIR` makes one", path, store.ManifestName)
	}
	if err != nil {
		return nil, err
	}
	return &Recorded{m, path}, nil
}

// Stop is the time that the run has reached, s: that of its manifest, or of what was recorded last where the process was
// killed.
func (r *Recorded) Stop() (stop float64) {
	for _, x := range r.Manifest.Runs {
		stop = max(stop, x.StartS+x.DurationS)
	}
	if r.Manifest.Status == store.Complete {
		return stop
	}
	for _, m := range r.Manifest.Monitors {
		if a, err := r.read(m.Name, "t"); err == nil && a.Len() > 0 {
			stop = max(stop, a.F[a.Len()-1]+r.Manifest.DtS)
		}
	}
	return stop
}

// Simulations is how many of the runs begin at time 0: how many networks the script has made and run.
func (r *Recorded) Simulations() (n int) {
	for _, x := range r.Manifest.Runs {
		if x.StartS == 0 {
			n++
		}
	}
	return n
}

// read is an array of a monitor.
func (r *Recorded) read(monitor, name string) (*store.Array, error) {
	path := filepath.Join(r.Path, monitor, name+".npy")
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing, of which the run's %s speaks: the directory is not whole", path, store.ManifestName)
	}
	if err != nil {
		return nil, err
	}
	// A value of four bytes becomes one of eight, and what is worked out of it takes as much again.
	if err := (host.Work{}).Room(6*info.Size(), "reading %s", path); err != nil {
		return nil, err
	}
	if r.Manifest.Status == store.Running {
		return store.ReadGrowing(path)
	}
	return store.ReadNPY(path)
}

// Spikes are the events of a monitor: which neuron, when (s), and how many neurons there are. exact is false where the
// manifest, of an earlier version, does not tell that: n is then the last neuron with a spike.
func (r *Recorded) Spikes(monitor string) (i []int32, t []float64, n int, exact bool, err error) {
	m, _ := r.Manifest.Monitors.Get(monitor)
	of, err := r.read(monitor, "i")
	if err != nil {
		return nil, nil, 0, false, err
	}
	at, err := r.read(monitor, "t")
	if err != nil {
		return nil, nil, 0, false, err
	}
	whole := min(of.Len(), at.Len()) // of a run that was killed, one may be longer
	if of.Len() != at.Len() && r.Manifest.Status == store.Complete {
		return nil, nil, 0, false, fmt.Errorf("%s: %d indices, but %d times: the files do not belong together", filepath.Join(r.Path, monitor), of.Len(), at.Len())
	}
	for k, x := range of.F[:whole] {
		if x != float64(int32(x)) || x < 0 {
			return nil, nil, 0, false, fmt.Errorf("%s: index %d is %g, no neuron", filepath.Join(r.Path, monitor, "i.npy"), k, x)
		}
		i = append(i, int32(x))
		n = max(n, int(x)+1)
	}
	if m.Neurons > 1<<31 || m.Neurons > 0 && int(m.Neurons) < n {
		return nil, nil, 0, false, fmt.Errorf("%s: the manifest tells of %d neurons, and neuron %d fired", filepath.Join(r.Path, monitor), m.Neurons, n-1)
	}
	if m.Neurons > 0 {
		n, exact = int(m.Neurons), true
	}
	if err := (host.Work{}).Room(64*int64(n), "measuring %d neurons", n); err != nil { // for what is measured of each
		return nil, nil, 0, false, err
	}
	return i, at.F[:whole], n, exact, nil
}

// Has says that there is an array of that name of a monitor.
func (r *Recorded) Has(monitor, name string) bool {
	_, err := os.Stat(filepath.Join(r.Path, monitor, name+".npy"))
	return err == nil
}

// Records says that a monitor of spikes or events has recorded indices: one with record=False counts.
func (r *Recorded) Records(monitor string) bool {
	return r.Has(monitor, "i") || slices.Contains(r.Manifest.Files, monitor+"/i.npy")
}

// Rate is what a PopulationRateMonitor has recorded, Hz, and the times of the samples, s.
func (r *Recorded) Rate(monitor string) (rate, t []float64, err error) {
	a, err := r.read(monitor, "rate")
	if err != nil {
		return nil, nil, err
	}
	at, err := r.read(monitor, "t")
	if err != nil {
		return nil, nil, err
	}
	n := min(a.Len(), at.Len())
	return a.F[:n], at.F[:n], nil
}

// Values are a variable of a StateMonitor, one row for each neuron, in SI units, and the times of the samples, s.
func (r *Recorded) Values(monitor, variable string) (rows [][]float64, t []float64, err error) {
	if m, ok := r.Manifest.Monitors.Get(monitor); ok && m.Recorded == 0 && !r.Has(monitor, variable) {
		return nil, nil, nil // of no neuron: there is no file
	}
	a, err := r.read(monitor, variable)
	if err != nil {
		return nil, nil, err
	}
	at, err := r.read(monitor, "t")
	if err != nil {
		return nil, nil, err
	}
	if len(a.Shape) != 2 {
		return nil, nil, fmt.Errorf("%s has the shape %v: a row for each neuron was expected", filepath.Join(r.Path, monitor, variable+".npy"), a.Shape)
	}
	n := min(a.Shape[1], at.Len())
	for k := range a.Shape[0] {
		rows = append(rows, slices.Clone(a.F[k*a.Shape[1]:k*a.Shape[1]+n]))
	}
	return rows, at.F[:n], nil
}

// Unit is that of a variable of a StateMonitor: "volt"; "1" of a number, "" where the manifest does not tell.
func (r *Recorded) Unit(monitor, variable string) string {
	m, _ := r.Manifest.Monitors.Get(monitor)
	if k := slices.Index(m.Variables, variable); k >= 0 && k < len(m.Units) {
		return m.Units[k]
	}
	return ""
}
