package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Manifest is run.json: what ran, on what, how long it took and what came out. Times are in seconds, memory in bytes.
type Manifest struct {
	Version      string `json:"version"`
	Script       string `json:"script"`
	ScriptSHA256 string `json:"script_sha256"`
	Seed         uint64 `json:"seed"`
	// NetworkSeed is that of what the network is made of, where it is another one.
	NetworkSeed *uint64 `json:"network_seed,omitempty"`
	// Set holds what --set changed, as the script saw it.
	Set     Ordered[string] `json:"set"`
	Status  Status          `json:"status"`
	Error   string          `json:"error,omitempty"` // of a failed run
	Backend string          `json:"backend"`
	Device  string          `json:"device"`
	// Inexact marks a run on a device that broke the contract of exactness (--allow-inexact).
	Inexact     bool             `json:"inexact,omitempty"`
	Threads     int              `json:"threads"`
	SIMD        string           `json:"simd"`
	DtS         float64          `json:"dt_s"`
	Neurons     int64            `json:"neurons"`
	Synapses    int64            `json:"synapses"`
	Bytes       Bytes            `json:"bytes"`
	TimeS       Times            `json:"time_s"`
	Runs        []Run            `json:"runs"`
	Populations Ordered[int64]   `json:"populations"` // neurons of each
	Monitors    Ordered[Monitor] `json:"monitors"`
	// Connections are the Synapses whose state at the end stands in the directory (--synapses).
	Connections Ordered[Connections] `json:"connections,omitempty"`
	Hash        Hash                 `json:"hash"`
	// Files are the arrays of the run, as NAME.npy or MONITOR/NAME.npy: what a next run in the directory removes.
	Files []string `json:"files,omitempty"`
}

// arrays are the files of the run; of a manifest that does not list them, those that its monitors have.
func (m *Manifest) arrays() []string {
	if m.Files != nil {
		return slices.Clone(m.Files)
	}
	var names []string
	for _, x := range m.Monitors {
		of := []string{"t"}
		switch x.Value.Kind {
		case "rate":
			of = append(of, "rate")
		case "spikes", "events":
			of = append(of, "i")
		}
		for _, v := range append(of, x.Value.Variables...) {
			names = append(names, x.Name+"/"+v+".npy")
		}
	}
	return names
}

// Status says how a run ended.
type Status string

// A manifest that still says Running after its process has gone belongs to a run that was killed.
const (
	Running     Status = "running"
	Complete    Status = "complete"
	Interrupted Status = "interrupted"
	Failed      Status = "failed"
)

// Bytes is the memory of a run: what the plan's buffers and tables take, and the peak of the whole process.
type Bytes struct {
	Plan int64 `json:"plan"`
	Peak int64 `json:"peak"`
}

// Times tells where the time before and around the runs went, in seconds of wall time.
type Times struct {
	Start      float64 `json:"start"`       // of the process, until the script runs
	Compile    float64 `json:"compile"`     // equations to programs
	Build      float64 `json:"build"`       // tables of synapses
	FirstSpike float64 `json:"first_spike"` // from the start of the process to the first spike on the host
}

// Run is one run() of the script.
type Run struct {
	StartS         float64        `json:"start_s"`
	DurationS      float64        `json:"duration_s"`
	Steps          int64          `json:"steps"`
	WallS          float64        `json:"wall_s"`
	RealTimeFactor float64        `json:"real_time_factor"` // wall time over model time
	Events         int64          `json:"events"`           // synaptic deliveries
	Spikes         Ordered[int64] `json:"spikes"`           // of each population, monitored or not
}

// Monitor describes the files of one monitor.
type Monitor struct {
	Kind      string   `json:"kind"` // "spikes", "events", "state" or "rate"
	Events    int64    `json:"-"`    // of the kinds "spikes" and "events"
	Recorded  int64    `json:"-"`    // rows of a "state" monitor's arrays
	Samples   int64    `json:"-"`    // of the kinds "state" and "rate"
	Variables []string `json:"-"`    // recorded besides i and t
	Units     []string `json:"-"`    // of Variables, of the kind "state": "volt", "1" for a number
	Source    string   `json:"-"`    // what is watched: a group, or Synapses
	Neurons   int64    `json:"-"`    // how many neurons that is, of all kinds but "state"
	StartS    float64  `json:"-"`    // from when on it watches
}

// MarshalJSON writes the fields that the monitor's kind has.
func (m Monitor) MarshalJSON() ([]byte, error) {
	type common struct {
		Kind      string   `json:"kind"`
		Events    *int64   `json:"events,omitempty"`
		Recorded  *int64   `json:"recorded,omitempty"`
		Samples   *int64   `json:"samples,omitempty"`
		Variables []string `json:"variables,omitempty"`
		Units     []string `json:"units,omitempty"`
		Source    string   `json:"source,omitempty"`
		Neurons   int64    `json:"neurons,omitempty"`
		StartS    float64  `json:"start_s,omitempty"`
	}
	c := common{Kind: m.Kind, Variables: m.Variables, Units: m.Units, Source: m.Source, Neurons: m.Neurons, StartS: m.StartS}
	switch m.Kind {
	case "state":
		c.Recorded, c.Samples = &m.Recorded, &m.Samples
	case "rate":
		c.Samples = &m.Samples
	default:
		c.Events = &m.Events
	}
	return json.Marshal(c)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Monitor) UnmarshalJSON(b []byte) error {
	var c struct {
		Kind                      string
		Events, Recorded, Samples int64
		Variables, Units          []string
		Source                    string
		Neurons                   int64
		StartS                    float64 `json:"start_s"`
	}
	err := json.Unmarshal(b, &c)
	*m = Monitor(c)
	return err
}

// Connections are the Synapses of a name: NAME/i.npy and NAME/j.npy are the neurons of each synapse.
type Connections struct {
	Source    string   `json:"source"` // the groups, and how many neurons there are
	Target    string   `json:"target"`
	Sources   int64    `json:"sources"`
	Targets   int64    `json:"targets"`
	Synapses  int64    `json:"synapses"`
	Variables []string `json:"variables"` // further arrays
	Units     []string `json:"units"`     // of Variables: "volt", "1" for a number
}

// Hash is the fingerprint of a run (design section 1): equal hashes mean equal runs.
type Hash struct {
	Spikes string `json:"spikes"` // 64 bits in hexadecimal
	State  string `json:"state"`  // SHA-256 of the canonical state
}

// Ordered is a JSON object whose members keep their order: that in which the script declared them.
type Ordered[T any] []Member[T]

// Member is one name and value.
type Member[T any] struct {
	Name  string
	Value T
}

// Get returns the value of name.
func (o Ordered[T]) Get(name string) (v T, ok bool) {
	for _, m := range o {
		if m.Name == name {
			return m.Value, true
		}
	}
	return v, false
}

// Set gives name a value, at the end if it is new.
func (o *Ordered[T]) Set(name string, v T) {
	for k := range *o {
		if (*o)[k].Name == name {
			(*o)[k].Value = v
			return
		}
	}
	*o = append(*o, Member[T]{name, v})
}

// MarshalJSON writes an object.
func (o Ordered[T]) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for k, m := range o {
		if k > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(m.Name)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(m.Value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), v...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads an object.
func (o *Ordered[T]) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t == nil { // null
		*o = nil
		return nil
	}
	if t != json.Delim('{') {
		return fmt.Errorf("an object expected, found %v", t)
	}
	*o = Ordered[T]{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		var v T
		if err := d.Decode(&v); err != nil {
			return err
		}
		*o = append(*o, Member[T]{t.(string), v})
	}
	return nil
}

// JSON returns the manifest as text, in lines of moderate length.
func (m *Manifest) JSON() ([]byte, error) {
	if m.Runs == nil {
		m.Runs = []Run{}
	}
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	return append(b, '\n'), nil
}
