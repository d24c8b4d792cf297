package script

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
)

// Session is a script that comes piece by piece: statements are executed as if
// they stood below all earlier ones, and in between a program runs the network,
// reads and sets. It is for one goroutine at a time.
type Session struct {
	x      *script
	call   func(id string, t float64) error
	kept   starlark.StringDict       // the names that its statements have assigned
	own    starlark.StringDict       // what the language has under these
	done   int                       // pieces of text
	stages bool                      // the run times them
	lost   bool                      // an interrupted piece of text has not come to its end
	read   map[windowAt]*array.Array // of variables of synapses of which single values were asked for, since something may have changed
}

// NewSession begins a session. Files are read from the folder dir, and nowhere
// else. call is the function of the program that callback(id) means in a text. Of
// the options, File and Src have no meaning, nor has what is about checkpoints.
func NewSession(ctx context.Context, dir string, o Options, call func(id string, t float64) error) *Session {
	o.File, o.Src = filepath.Join(dir, "session"), []byte{}
	x := newScript(ctx, o)
	s := &Session{x: x, kept: starlark.StringDict{}}
	if call != nil {
		s.call = func(id string, t float64) error {
			s.read = nil
			return call(id, t)
		}
	}
	x.begin()
	x.session, x.main = s, &source{name: "<exec>", assigned: []string{}}
	x.predeclared["callback"] = starlark.NewBuiltin("callback", s.callback)
	s.own = maps.Clone(x.predeclared)
	return s
}

// Close releases what the session has loaded on a backend, which stays open.
func (s *Session) Close() error {
	if s.x.root != nil {
		s.x.root.Close()
	}
	return s.x.res.Net.Close()
}

// Names are those that a text may use before it has assigned any.
func (s *Session) Names() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.own)), func(n string) bool { return strings.HasPrefix(n, "<") })
}

// guard makes an error of a panic, and gives errors their place.
func (s *Session) guard(f func() error) (err error) {
	if s.lost {
		return eqn.As(eqn.Interrupted, errors.New("an interrupted exec has not come to its end: begin a new session (reset)"))
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v; please report it with what the session did\n%s", r, debug.Stack())
		}
	}()
	err = s.x.explain(f())
	var h *hinted
	if errors.As(err, &h) && !errors.As(err, new(*failure)) {
		err = &failure{at: &eqn.Error{Msg: h.msg, Hint: h.hint, Class: eqn.ClassOf(err)}, cause: err}
	}
	return err
}

// Exec executes statements. Arrays are names that they may use, and no later ones.
func (s *Session) Exec(text string, arrays map[string]*array.Array) error {
	s.read = nil
	if len(text) > MaxSource {
		return tooLong("exec", int64(len(text)))
	}
	return s.guard(func() error {
		for n, a := range arrays {
			if !nameRE.MatchString(n) {
				return fmt.Errorf("%q cannot be the name of an array: letters, digits and _ were expected", n)
			}
			defer s.assign(n, s.kept[n])
			s.assign(n, a)
		}
		x := s.x
		if x.operating > 0 {
			return s.piece(text)
		}
		x.allowSteps()
		x.thread.Uncancel()
		defer context.AfterFunc(x.ctx, func() { x.thread.Cancel("interrupted") })()
		defer x.watch()()
		err := x.execute(func() error { return s.piece(text) })
		if s.lost = x.left.Load(); err != nil && x.ctx.Err() != nil {
			err = engine.ErrInterrupted
		}
		return err
	})
}

// piece executes a text.
func (s *Session) piece(text string) error {
	x := s.x
	s.done++
	src, err := parse(fmt.Sprintf("<exec %d>", s.done), []byte(text), x.imported(""))
	x.sources[src.name] = src
	delete(x.sources, fmt.Sprintf("<exec %d>", s.done-keptPieces))
	if err != nil {
		return x.explain(err)
	}
	src.texts(src.tree, func(text string, at eqn.Source) {
		some := x.texts[text]
		x.texts[text] = append(some[:min(len(some), 7)], at)
	})
	prog, err := starlark.FileProgram(src.tree, func(n string) bool { return x.predeclared[n] != nil })
	if err != nil {
		return x.explain(err)
	}
	for _, n := range src.globals() {
		if !slices.Contains(x.main.assigned, n) {
			x.main.assigned = append(x.main.assigned, n)
		}
	}
	outer := x.main.name
	x.main.name = src.name
	globals, err := prog.Init(x.thread, x.predeclared)
	x.main.name = outer
	if x.left.Load() {
		return engine.ErrInterrupted
	}
	for n, v := range globals {
		s.assign(n, v)
	}
	for n, v := range x.shared.values { // to those to come they are names like others
		s.assign(n, v)
	}
	x.shared.values = nil
	src.tree = nil
	return x.explain(err)
}

// keptPieces is of how many texts the lines are kept, for messages.
const keptPieces = 1000

// assign gives a name a value, for all that follows; nil: the language's own.
func (s *Session) assign(name string, v starlark.Value) {
	if own := s.own[name]; v == nil || own != nil && same(v, own) {
		delete(s.kept, name)
		if delete(s.x.predeclared, name); own != nil {
			s.x.predeclared[name] = own
		}
		return
	}
	s.kept[name], s.x.predeclared[name] = v, v
}

// names calls f with what earlier texts have assigned, but for names that the
// present one has assigned anew.
func (s *Session) names(anew starlark.StringDict, f func(name string, v starlark.Value) bool) {
	for n, v := range s.kept {
		if anew[n] == nil && !f(n, v) {
			return
		}
	}
}

// network is the Network of a name; nil for "".
func (s *Session) network(name string) (*network, error) {
	if name == "" {
		return nil, nil
	}
	n, ok := s.kept[name].(*network)
	if !ok {
		return nil, eqn.As(eqn.UnknownName, fmt.Errorf("%q is not the name of a Network", name))
	}
	return n, nil
}

// Run advances all objects, or the Network of a name, by seconds of model time.
// With stages, the result says how long each stage took. What comes beside an error is
// what was done until then; nil: nothing.
func (s *Session) Run(seconds float64, net string, stages bool, progress func(done, total int64)) (r *engine.RunResult, n *engine.Network, err error) {
	x := s.x
	s.stages = stages
	s.read = nil
	defer func() { s.read = nil }() // of callbacks
	err = s.guard(func() error {
		if x.operating > 0 {
			return fmt.Errorf("a network_operation cannot run a network")
		}
		only, err := s.network(net)
		if err != nil {
			return err
		}
		if only != nil && len(only.objects) == 0 {
			return fmt.Errorf("the Network %s has no object: add(...) some", net)
		}
		x.allowSteps() // to the functions of operations
		x.thread.Uncancel()
		x.res.Runs = nil
		_, err = x.engine(func() (starlark.Value, error) {
			if n, err = x.runs(only); err != nil {
				return nil, err
			}
			return nil, x.runFor(seconds, n, only == nil, progress)
		})
		if len(x.res.Runs) > 0 {
			r = x.res.Runs[0]
		}
		return err
	})
	return r, n, err
}

// Backend is what runs the networks; "" before the first run.
func (s *Session) Backend() string {
	if s.x.be == nil {
		return ""
	}
	return s.x.be.Name()
}

// T is the time that the network which has run last is at, in seconds.
func (s *Session) T() float64 { return s.x.res.Net.T() }

// Stop ends the run in progress when its step is done: for callbacks.
func (s *Session) Stop() { s.x.res.Net.Stop() }

// find is what a path such as "S.pre.delay" means.
func (s *Session) find(path string) (starlark.Value, error) {
	name, rest, more := strings.Cut(path, ".")
	v := s.kept[name]
	if v == nil && !strings.HasPrefix(name, "<") {
		v = s.own[name]
	}
	if v == nil {
		return nil, eqn.As(eqn.UnknownName, withHint(eqn.Nearest(name, slices.Collect(maps.Keys(s.kept))), "%q is not a name of the session", name))
	}
	for more {
		name, rest, more = strings.Cut(rest, ".")
		h, ok := v.(starlark.HasAttrs)
		if !ok {
			return nil, eqn.As(eqn.UnknownName, fmt.Errorf("%s of %q: a %s has no attributes", name, path, v.Type()))
		}
		y, err := h.Attr(name)
		if err == nil && y == nil {
			err = eqn.As(eqn.UnknownName, fmt.Errorf("%q: a %s has no %s", path, v.Type(), name))
		}
		if err != nil {
			return nil, err
		}
		v = y
	}
	return v, nil
}

// Get is the value of a path such as "G.v", "S.pre.delay" or "G.N", at an index of
// the script language (nil: all of it).
func (s *Session) Get(path string, index starlark.Value) (v starlark.Value, err error) {
	err = s.guard(func() error {
		if v, err = s.find(path); err != nil {
			return err
		}
		w, ok := v.(*variable)
		switch {
		case !ok && index != nil:
			return eqn.As(eqn.BadIndex, fmt.Errorf("%s is no variable of the model: it takes no index", path))
		case !ok:
			return nil
		}
		var ix any
		if index != nil {
			if ix, err = w.index(index); err != nil {
				return eqn.As(eqn.BadIndex, err)
			}
		}
		if k, one := ix.(int); one && w.ends != nil {
			v, err = s.ofSynapse(path, w, k)
		} else {
			v, err = w.get(ix)
		}
		return err
	})
	return v, err
}

// nearby is how many values of neighbouring synapses are kept where one is asked for.
// A variable, so that tests can make it small. Of so many windows at most.
var nearby = 1 << 22

const windows = 8

// windowAt is a window of a variable's values: the number-th.
type windowAt struct {
	path   string
	number int
}

// ofSynapse is the value of synapse k. To find one synapse takes as long as to find
// all before it, so what stands near it is kept for the next.
func (s *Session) ofSynapse(path string, w *variable, k int) (starlark.Value, error) {
	n, err := w.v.Len()
	if err != nil || w.v.Scalar() || k < 0 || k >= n {
		return w.get(k)
	}
	at := windowAt{path, k / nearby}
	a, lo := s.read[at], at.number*nearby
	if a == nil {
		some, _ := w.get(engine.Slice{Lo: lo, Hi: min(lo+nearby, n), Step: 1}) // one that has no value may not be asked for
		if a, _ = some.(*array.Array); a == nil {
			return w.get(k)
		}
		if s.read == nil || len(s.read) == windows {
			s.read = map[windowAt]*array.Array{}
		}
		s.read[at] = a
	}
	return a.At(k - lo), nil
}

// Set assigns to a path. To a variable of the model x is what engine.Var takes, in
// SI units whatever its dimension; to other attributes, and to names, v.
func (s *Session) Set(path string, index starlark.Value, v starlark.Value, x func(d eqn.Dim) any) error {
	s.read = nil
	return s.guard(func() error {
		k := strings.LastIndexByte(path, '.')
		if k < 0 {
			if index != nil {
				return eqn.As(eqn.BadIndex, fmt.Errorf("%s: a name is assigned as a whole", path))
			}
			if !nameRE.MatchString(path) {
				return eqn.As(eqn.UnknownName, fmt.Errorf("%q cannot be a name", path))
			}
			if !slices.Contains(s.x.main.assigned, path) {
				s.x.main.assigned = append(s.x.main.assigned, path)
			}
			s.assign(path, v)
			return nil
		}
		owner, err := s.find(path[:k])
		if err != nil {
			return err
		}
		if h, ok := owner.(starlark.HasAttrs); ok {
			at, err := h.Attr(path[k+1:])
			if err != nil {
				return err
			}
			if w, ok := at.(*variable); ok {
				var ix any
				if index != nil {
					if ix, err = w.index(index); err != nil {
						return eqn.As(eqn.BadIndex, err)
					}
				}
				_, err = w.x.engine(func() (starlark.Value, error) { return nil, w.v.Set(ix, x(w.v.Dim())) })
				return err
			}
		}
		f, ok := owner.(starlark.HasSetField)
		if !ok || index != nil {
			return eqn.As(eqn.UnknownName, fmt.Errorf("%s cannot be assigned", path))
		}
		return f.SetField(path[k+1:], v)
	})
}

// Monitor is the monitor of a name.
func (s *Session) Monitor(name string) (m engine.Monitor, err error) {
	err = s.guard(func() error {
		v, err := s.find(name)
		if err != nil {
			return err
		}
		w, ok := v.(*monitor)
		if !ok {
			return eqn.As(eqn.UnknownName, fmt.Errorf("%s is not a monitor, but %s", name, array.Describe(v)))
		}
		m = w.m
		return nil
	})
	return m, err
}

// Store keeps the state of all objects, or of a Network's, under a name: in memory,
// or in a file of the session's folder.
func (s *Session) Store(name, net, file string) error {
	return s.guard(func() error {
		only, err := s.network(net)
		if err != nil {
			return err
		}
		return s.x.storeAs(name, file, only)
	})
}

// Restore brings it back, and tells the time that it is of.
func (s *Session) Restore(name, net, file string, random bool) (t float64, err error) {
	s.read = nil
	err = s.guard(func() error {
		only, err := s.network(net)
		if err != nil {
			return err
		}
		if err := s.x.restoreFrom(name, file, random, only); err != nil {
			return err
		}
		n := s.x.net
		if only != nil {
			n, _ = only.unify()
		}
		t = n.T()
		return nil
	})
	return t, err
}

// Drop forgets what Store has kept in memory.
func (s *Session) Drop(name, net string) error {
	return s.guard(func() error {
		only, err := s.network(net)
		if err != nil {
			return err
		}
		n, err := s.x.stateOf("drop", only)
		if err != nil {
			return err
		}
		if s.x.stored[n][name] == nil {
			return eqn.As(eqn.UnknownName, fmt.Errorf("drop: nothing was stored of this network under the name %q", name))
		}
		delete(s.x.stored[n], name)
		return nil
	})
}

// Array reads an array of the session's folder, and removes the file. Its numbers are
// finite unless unbounded is true.
func (s *Session) Array(name string, unbounded bool) (*array.Array, error) {
	f, err := s.x.open(name)
	if err != nil {
		return nil, err
	}
	defer os.Remove(filepath.Join(s.x.dir, name))
	defer f.Close()
	read := decode
	if unbounded {
		read = decodeAny
	}
	a, err := read(name, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

// hostFunction is a function of the program, which a network_operation calls.
type hostFunction struct {
	opaque
	id   string
	call func(id string, t float64) error
}

// callback is callback(id).
func (s *Session) callback(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	f := &hostFunction{call: s.call}
	if err := starlark.UnpackPositionalArgs("callback", args, kwargs, 1, &f.id); err != nil {
		return nil, err
	}
	if s.call == nil {
		return nil, errors.New("callback(): there is no program to call")
	}
	return f, nil
}

func (f *hostFunction) String() string { return fmt.Sprintf("<callback %s>", f.id) }
func (f *hostFunction) Type() string   { return "function" }
func (f *hostFunction) Name() string   { return f.id }

// CallInternal implements starlark.Callable.
func (f *hostFunction) CallInternal(_ *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	var t float64
	if len(args) == 1 {
		if q, err := array.ToMeasure(args[0], second); err == nil {
			t = q
		}
	}
	return starlark.None, f.call(f.id, t)
}
