// Package serve keeps a network between the requests of a program that speaks
// through pipes: frames of JSON, and arrays as .npy files in a folder that both
// sides can reach. docs/serve.md is the protocol.
package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/ir"
	"synfire/engine/script"
	"synfire/engine/script/array"
	"synfire/engine/store"
)

// Options say what sessions stand on.
type Options struct {
	Dir       string // of the arrays
	Version   string
	Backend   string // as asked for
	Backends  []string
	Open      func() (backend.Backend, error) // called at the first run
	Seed      *uint64
	Threads   int
	MaxMemory int64
}

// protocol is the version of docs/serve.md.
const protocol = 1

// grace is how long work that was interrupted may take to end.
const grace = 2 * time.Second

// errClosed ends a server that was asked to.
var errClosed = errors.New("closed")

// server is one end of the pipes.
type server struct {
	o       Options
	out     io.Writer
	session *script.Session
	breaker *breaker
	frames  chan frame
	be      backend.Backend
	files   int // arrays written
	current request
	inside  int // callbacks that wait
	unsent  error
}

// frame is a request that was read.
type frame struct {
	body   []byte
	number int
	fields map[string]json.RawMessage
	do     string
	err    error // of reading it, or the one before
}

// request is what answers and events repeat of one.
type request struct{ seq json.RawMessage }

// Run answers requests until the stream ends, or one asks for the end. A stream that
// cannot be read on is an error.
func Run(ctx context.Context, in io.Reader, out io.Writer, o Options) error {
	s := &server{o: o, out: out, breaker: newBreaker(), frames: make(chan frame, pending)}
	s.begin(o.Seed)
	ended := make(chan error, 1)
	over := context.AfterFunc(ctx, s.breaker.end)
	defer over()
	go s.read(in)
	go func() { ended <- s.work() }()
	var err error
	select {
	case err = <-ended:
	case <-s.breaker.lost(): // what is being worked on was interrupted
		select {
		case err = <-ended:
		case <-time.After(grace):
			return fmt.Errorf("serve: what was being worked on has not ended %s after the stream", grace)
		}
	}
	if err == nil && ctx.Err() != nil {
		err = engine.ErrInterrupted
	}
	return err
}

// pending is how many requests may wait before no more are read.
const pending = 1024

// begin begins a session.
func (s *server) begin(seed *uint64) {
	s.session = script.NewSession(s.breaker, s.o.Dir, script.Options{Seed: seed, Open: s.open, Threads: s.o.Threads, MaxMemory: s.o.MaxMemory,
		Stdout: printed{s}, Warn: func(msg string) { s.log("warning", msg) }}, s.call)
}

func (s *server) open() (backend.Backend, error) {
	if s.be != nil {
		return s.be, nil
	}
	be, err := s.o.Open()
	if err != nil {
		return nil, &deviceError{err}
	}
	s.be = be
	return be, nil
}

// deviceError is one of opening a backend.
type deviceError struct{ error }

func (e *deviceError) Unwrap() error { return e.error }

// read reads frames. It hears stop while others are worked on.
func (s *server) read(in io.Reader) {
	defer close(s.frames)
	in = bufio.NewReader(in) // a frame is one call of the system as a rule
	for {
		b, err := readFrame(in)
		if err == io.EOF {
			s.breaker.end()
			return
		}
		f := frame{body: b, err: err}
		if err == nil {
			f.err = f.parse()
		}
		if f.err == nil && f.do == "stop" {
			s.breaker.stop()
		} else {
			f.number = s.breaker.read()
		}
		if err != nil { // of this, the last, somebody may want to hear
			select {
			case s.frames <- f:
			case <-time.After(grace):
			}
			s.breaker.end()
			return
		}
		select {
		case s.frames <- f:
		case <-s.breaker.lost():
			return
		}
	}
}

// parse finds what a request asks for.
func (f *frame) parse() error {
	if err := unmarshal(f.body, &f.fields); err != nil {
		return asked("the request is no JSON object: %v", err)
	}
	if f.fields == nil {
		return asked("the request is no JSON object")
	}
	if err := json.Unmarshal(f.fields["do"], &f.do); err != nil || f.do == "" {
		return asked(`the request has no "do", which is the name of one`)
	}
	return nil
}

// work answers requests, one after another.
func (s *server) work() (err error) {
	defer func() {
		s.session.Close()
		if s.be != nil {
			if e := s.be.Close(); err == nil {
				err = e
			}
		}
	}()
	for {
		f, ok := s.next()
		if !ok {
			return nil
		}
		if f.do == "stop" && f.err == nil {
			continue
		}
		s.breaker.begin(f.number)
		err := s.answer(f)
		s.breaker.finish()
		switch {
		case err == errClosed:
			return nil
		case err != nil:
			return err
		case errors.Is(f.err, errFrame):
			return f.err
		}
	}
}

// next is the next request; false: there is none any more.
func (s *server) next() (frame, bool) {
	select {
	case f, ok := <-s.frames:
		return f, ok
	case <-s.breaker.lost():
	}
	select { // what was read before
	case f, ok := <-s.frames:
		return f, ok
	default:
		return frame{}, false
	}
}

// answer does what a request asks for. Its error is one of the stream.
func (s *server) answer(f frame) error {
	outer := s.current
	s.current = request{f.fields["seq"]}
	defer func() { s.current = outer }()
	var fields map[string]any
	err := f.err
	if err == nil {
		fields, err = s.do(f)
	}
	if err == errClosed {
		s.send(map[string]any{"ok": true})
		return errClosed
	}
	if err != nil {
		fields = map[string]any{"ok": false, "error": describe(err, fields)}
	} else {
		if fields == nil {
			fields = map[string]any{}
		}
		fields["ok"] = true
	}
	s.send(fields)
	return s.unsent
}

// send writes a frame. After the first that cannot be written there are no more.
func (s *server) send(fields map[string]any) {
	if s.current.seq != nil {
		fields["seq"] = s.current.seq
	}
	if s.unsent != nil {
		return
	}
	b, err := json.Marshal(fields)
	if err == nil {
		err = writeFrame(s.out, b)
	}
	if err != nil {
		s.unsent = fmt.Errorf("serve: the answer cannot be written: %w", err)
		s.breaker.end()
	}
}

func (s *server) log(level, text string) {
	s.send(map[string]any{"event": "log", "level": level, "text": text})
}

// printed is what print() writes to.
type printed struct{ s *server }

func (p printed) Write(b []byte) (int, error) {
	p.s.log("print", string(bytes.TrimSuffix(b, []byte("\n"))))
	return len(b), p.s.unsent
}

// do is the work of a request.
func (s *server) do(f frame) (map[string]any, error) {
	r, ok := requests[f.do]
	if !ok {
		return nil, asked("there is no request %q; there are %s", f.do, requestNames())
	}
	if s.inside > 0 && !r.inside {
		return nil, fmt.Errorf("%s: a callback cannot do this, for the network is running", f.do)
	}
	return r.f(s, f.body)
}

// call is a callback: the client's requests are answered until it says that the run
// may go on.
func (s *server) call(id string, t float64) error {
	s.send(map[string]any{"event": "callback", "id": id, "t": t})
	s.inside++
	defer func() { s.inside-- }()
	for {
		if s.unsent != nil {
			return s.unsent
		}
		f, ok := s.next()
		switch {
		case !ok:
			return engine.ErrInterrupted
		case f.err == nil && f.do == "stop":
			s.session.Stop()
		case f.err == nil && f.do == "resume":
			var r struct {
				envelope
				Error *string `json:"error"`
			}
			if err := strict(f.body, &r); err != nil {
				return asked("resume: %v", err)
			}
			if r.Error != nil {
				return &callbackError{id, *r.Error}
			}
			return nil
		default:
			if err := s.answer(f); err != nil {
				return err
			}
			if errors.Is(f.err, errFrame) {
				return f.err
			}
		}
	}
}

// callbackError is an error of the client's function.
type callbackError struct{ id, text string }

func (e *callbackError) Error() string { return fmt.Sprintf("the callback %s: %s", e.id, e.text) }

// envelope is what every request may have.
type envelope struct {
	Do  string          `json:"do"`
	Seq json.RawMessage `json:"seq"`
}

// unmarshal decodes all of b; numbers stay texts.
func unmarshal(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows it")
	}
	return nil
}

// strict decodes a request, whose fields are known.
func strict(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// kind is a request: how it is answered, and whether a callback may ask for it.
type kind struct {
	inside bool
	f      func(s *server, body []byte) (map[string]any, error)
}

// request makes a kind of one whose fields are those of T.
func decoding[T any](inside bool, f func(s *server, r *T) (map[string]any, error)) kind {
	return kind{inside, func(s *server, body []byte) (map[string]any, error) {
		r := new(T)
		if err := strict(body, r); err != nil {
			return nil, asked("%v", err)
		}
		return f(s, r)
	}}
}

var requests map[string]kind

func init() {
	requests = map[string]kind{
		"hello":    decoding(true, (*server).hello),
		"exec":     decoding(true, (*server).exec),
		"run":      decoding(false, (*server).run),
		"get":      decoding(true, (*server).get),
		"set":      decoding(true, (*server).set),
		"records":  decoding(true, (*server).records),
		"snapshot": decoding(false, (*server).snapshot),
		"restore":  decoding(false, (*server).restore),
		"drop":     decoding(false, (*server).drop),
		"reset":    decoding(false, (*server).reset),
		"close":    decoding(false, func(*server, *envelope) (map[string]any, error) { return nil, errClosed }),
		"resume": decoding(false, func(*server, *envelope) (map[string]any, error) {
			return nil, asked("resume: no callback waits")
		}),
	}
}

func requestNames() string {
	names := []string{"stop"}
	for n := range requests {
		names = append(names, n)
	}
	slices.Sort(names)
	return fmt.Sprint(names)
}

func (s *server) hello(*envelope) (map[string]any, error) {
	return map[string]any{"protocol": protocol, "version": s.o.Version, "backend": s.o.Backend, "backends": s.o.Backends, "names": s.session.Names(), "dir": s.o.Dir,
		"limits": map[string]any{"frame_bytes": maxFrame, "text_bytes": script.MaxSource, "delay_steps": 65535, "internal_units": float64(1 << 40), "step": int64(ir.FarStep)}}, nil
}

type execRequest struct {
	envelope
	Text   *string                    `json:"text"`
	Arrays map[string]json.RawMessage `json:"arrays"`
}

func (s *server) exec(r *execRequest) (map[string]any, error) {
	arrays := map[string]*array.Array{}
	var bad error
	for n, raw := range r.Arrays { // the files of all go, whatever is wrong
		g, err := s.given(raw, false)
		if err == nil && g.array == nil {
			err = errors.New("a list or a file was expected")
		}
		if err != nil {
			bad = fmt.Errorf("arrays: %s: %w", n, err)
			continue
		}
		arrays[n] = g.array
	}
	if bad != nil {
		return nil, bad
	}
	if r.Text == nil {
		return nil, asked("exec: text is missing")
	}
	return nil, s.session.Exec(*r.Text, arrays)
}

type runRequest struct {
	envelope
	Duration *float64 `json:"duration_s"`
	Report   *float64 `json:"report_s"`
	Net      string   `json:"net"`
	Hash     *bool    `json:"hash"`
	Profile  bool     `json:"profile"`
}

func (s *server) run(r *runRequest) (map[string]any, error) {
	switch {
	case r.Duration == nil:
		return nil, asked("run: duration_s is missing")
	case r.Report != nil && !(*r.Report > 0):
		return nil, asked("run: report_s is a time of more than 0")
	}
	begin := time.Now()
	last := begin
	var done, total int64
	progress := func(d, t int64) {
		done, total = d, t
		if r.Report != nil && time.Since(last).Seconds() >= *r.Report {
			last = time.Now()
			s.progress(done, total, begin)
		}
	}
	res, net, err := s.session.Run(*r.Duration, r.Net, r.Profile, progress)
	if r.Report != nil && total > 0 {
		s.progress(done, total, begin)
	}
	if res == nil {
		return nil, err
	}
	stopped := errors.Is(err, engine.ErrInterrupted)
	if err != nil && !stopped {
		return map[string]any{"steps": res.Steps, "t": net.T()}, err
	}
	phases := []map[string]any{}
	for _, p := range res.Profile {
		phases = append(phases, map[string]any{"name": p.Name, "seconds": p.Time.Seconds()})
	}
	answer := map[string]any{"steps": res.Steps, "t": net.T(), "wall": res.Wall, "compile": res.Compile, "build": res.Build, "first_spike": res.FirstSpike,
		"events": res.Events, "spikes": res.Spikes, "synapses": res.Synapses, "stopped": stopped || net.Stopped, "backend": s.session.Backend(), "phases": phases}
	if r.Profile {
		objects := map[string]float64{}
		for name, d := range engine.Objects(res.Stages) {
			objects[name] = d.Seconds()
		}
		answer["objects"] = objects
	}
	if r.Hash == nil || *r.Hash {
		spikes, state, err := net.Hash()
		if err != nil {
			return nil, err
		}
		answer["hash"] = map[string]string{"spikes": spikes, "state": state}
	}
	return answer, nil
}

func (s *server) progress(done, total int64, begin time.Time) {
	s.send(map[string]any{"event": "progress", "done": done, "total": total, "t": s.session.T(), "wall": time.Since(begin).Seconds()})
}

type getRequest struct {
	envelope
	What   []string        `json:"what"`
	Index  json.RawMessage `json:"index"`
	Inline *int            `json:"inline"`
}

func (s *server) get(r *getRequest) (map[string]any, error) {
	index, err := s.index(r.Index)
	if err != nil {
		return nil, err
	}
	if r.What == nil {
		return nil, asked("get: what is missing")
	}
	values := map[string]*value{}
	for _, path := range r.What {
		v, err := s.session.Get(path, index)
		if err == nil {
			values[path], err = s.valueOf(v, r.Inline)
		}
		if err != nil {
			s.discard(values)
			return nil, err
		}
	}
	return map[string]any{"values": values}, nil
}

type setRequest struct {
	envelope
	Target *string         `json:"target"`
	Value  json.RawMessage `json:"value"`
	Index  json.RawMessage `json:"index"`
}

func (s *server) set(r *setRequest) (map[string]any, error) {
	index, err := s.index(r.Index)
	if r.Value == nil {
		return nil, asked("set: value is missing")
	}
	g, e := s.given(r.Value, true) // whose file goes in any case
	switch {
	case err != nil:
		return nil, err
	case e != nil:
		return nil, fmt.Errorf("value: %w", e)
	case r.Target == nil:
		return nil, asked("set: target is missing")
	}
	return nil, s.session.Set(*r.Target, index, g.starlark(), g.engine)
}

type recordsRequest struct {
	envelope
	Monitor *string `json:"monitor"`
	From    int     `json:"from"`
	Inline  *int    `json:"inline"`
}

func (s *server) records(r *recordsRequest) (map[string]any, error) {
	if r.Monitor == nil {
		return nil, asked("records: monitor is missing")
	}
	m, err := s.session.Monitor(*r.Monitor)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, c := range m.Columns() {
		n = c.Len()
	}
	if r.From < 0 || r.From > n {
		return nil, fmt.Errorf("records: from %d is outside: %s has %d entries", r.From, m.Name(), n)
	}
	columns := map[string]*value{}
	show := func(name string, x numbers) error {
		v, err := s.shown(x, r.Inline)
		columns[name] = v
		return err
	}
	for _, c := range m.Columns() {
		var v []float64
		if v, err = c.Since(r.From); err == nil {
			x := numbers{v: v, dtype: store.Float64, shape: []int{len(v)}, dim: c.Unit}
			if c.Type == store.Int32 {
				x.dtype = store.Int32
			}
			if c.Rows > 0 {
				x.shape = []int{c.Rows, n - r.From}
			}
			err = show(c.Name, x)
		}
		if err != nil {
			s.discard(columns)
			return nil, err
		}
	}
	answer := map[string]any{"kind": m.Kind(), "n": n, "columns": columns}
	switch m := m.(type) {
	case *engine.SpikeMonitor:
		x := numbers{v: make([]float64, m.N()), dtype: store.Int32, shape: []int{m.N()}}
		for k, c := range m.Count() {
			if x.v[k] = float64(c); c > 1<<31-1 {
				x.dtype = store.Float64
			}
		}
		if answer["count"], err = s.shown(x, r.Inline); err != nil {
			s.discard(columns)
			return nil, err
		}
		answer["total"] = m.Num()
	case *engine.StateMonitor:
		answer["record"] = append([]int{}, m.Recorded()...)
	}
	return answer, nil
}

type stateRequest struct {
	envelope
	Name   *string `json:"name"`
	Net    string  `json:"net"`
	File   string  `json:"file"`
	Random bool    `json:"random"`
}

func (r *stateRequest) name() string {
	if r.Name == nil {
		return "default"
	}
	return *r.Name
}

func (s *server) snapshot(r *stateRequest) (map[string]any, error) {
	return nil, s.session.Store(r.name(), r.Net, r.File)
}

func (s *server) restore(r *stateRequest) (map[string]any, error) {
	t, err := s.session.Restore(r.name(), r.Net, r.File, r.Random)
	if err != nil {
		return nil, err
	}
	return map[string]any{"t": t}, nil
}

func (s *server) drop(r *stateRequest) (map[string]any, error) {
	return nil, s.session.Drop(r.name(), r.Net)
}

type resetRequest struct {
	envelope
	Seed *uint64 `json:"seed"`
}

func (s *server) reset(r *resetRequest) (map[string]any, error) {
	if err := s.session.Close(); err != nil {
		return nil, err
	}
	seed := s.o.Seed
	if r.Seed != nil {
		seed = r.Seed
	}
	s.begin(seed)
	return nil, nil
}
