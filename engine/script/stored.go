package script

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/store"
)

// Checkpoints say where the state of a script's runs is kept while they go on, so
// that a script that was killed goes on from there. FILE holds the run that is in
// progress, FILE.1, FILE.2, ... the ends of those that are done.
type Checkpoints struct {
	File  string        // "": none are written
	Every time.Duration // of a run's own time
	From  string        // go on from this one; "": from the begin
}

// drawsField holds how often the places of the script have drawn.
const drawsField = engine.Beside + "draws of the script"

func (x *script) keepDraws(s *engine.Snapshot) error {
	b, err := json.Marshal(x.draws)
	s.Put(drawsField, store.Text, b)
	return err
}

func (x *script) takeDraws(s *engine.Snapshot) error {
	b, err := s.Get(drawsField, store.Text, -1)
	if err != nil {
		return err
	}
	draws := map[string]uint32{}
	if err := json.Unmarshal(b, &draws); err != nil {
		return fmt.Errorf("restore: the draws of the script: %w", err)
	}
	x.draws = draws
	return nil
}

const (
	storeParams   = "/ name='default' filename=None"
	restoreParams = "/ name='default' filename=None restore_random_state=False"
)

func storeBuiltin(x *script, c *call) (starlark.Value, error)   { return x.store(c, nil) }
func restoreBuiltin(x *script, c *call) (starlark.Value, error) { return x.restore(c, nil) }

// stateOf is the network that store() and restore() are about.
func (x *script) stateOf(what string, only *network) (*engine.Network, error) {
	if x.operating > 0 {
		return nil, fmt.Errorf("%s(): a network_operation cannot do this, for the network is running", what)
	}
	if only != nil {
		return only.unify()
	}
	return x.net, nil
}

// store is store(name=, filename=) of all objects, or of a Network's.
func (x *script) store(c *call, only *network) (starlark.Value, error) {
	name, file := c.str("name", "default"), c.str("filename", "")
	if c.err != nil {
		return nil, c.err
	}
	return starlark.None, x.storeAs(name, file, only)
}

// storeAs stores under a name: in memory, or in a file of the script's folder.
func (x *script) storeAs(name, file string, only *network) error {
	n, err := x.stateOf("store", only)
	if err != nil {
		return err
	}
	if file != "" && x.opt.Pool != nil {
		return withHint("store() without filename= keeps the state of each for itself", "store(filename=%q): trials beside one another would all write that file, and restore what another has stored", file)
	}
	s, err := n.Store()
	if err == nil {
		err = x.keepDraws(s)
	}
	if err != nil {
		return err
	}
	if file == "" {
		if x.stored[n] == nil {
			x.stored[n] = map[string]*engine.Snapshot{}
		}
		x.stored[n][name] = s
		return nil
	}
	path, err := x.statePath(file)
	if err != nil {
		return err
	}
	err = x.writes(func() error {
		all := map[string]*store.State{}
		if _, err := os.Stat(path); err == nil { // further states of the file stay
			if all, err = store.ReadStates(path); err != nil {
				return err
			}
		}
		all[name] = s.State
		return store.WriteStates(path, all)
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// statePath is a file in the script's folder, and nowhere else.
func (x *script) statePath(name string) (string, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return "", withHint("name a file beside the script", "%q is outside the script's folder %s, where alone a script stores states", name, x.dir)
	}
	path := filepath.Join(x.dir, filepath.FromSlash(name))
	root, err := filepath.EvalSymlinks(x.dir)
	if err != nil {
		return "", err
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("%q: %w", name, err)
	}
	if rel, err := filepath.Rel(root, folder); err != nil || !filepath.IsLocal(rel) {
		return "", withHint("copy it into the folder", "%q leads outside the script's folder %s", name, x.dir)
	}
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		return "", fmt.Errorf("%q is not a file", name)
	}
	return path, nil
}

// restore is restore(name=, filename=, restore_random_state=).
func (x *script) restore(c *call, only *network) (starlark.Value, error) {
	name, file, random := c.str("name", "default"), c.str("filename", ""), c.boolean("restore_random_state", false)
	if c.err != nil {
		return nil, c.err
	}
	return starlark.None, x.restoreFrom(name, file, random, only)
}

// restoreFrom restores what storeAs has stored.
func (x *script) restoreFrom(name, file string, random bool, only *network) error {
	n, err := x.stateOf("restore", only)
	if err != nil {
		return err
	}
	var s *engine.Snapshot
	if file == "" {
		if s = x.stored[n][name]; s == nil {
			return withHint("call store() before, or give filename=", "restore: nothing was stored of this network under the name %q", name)
		}
	} else {
		path, err := x.statePath(file)
		if err != nil {
			return err
		}
		all, err := store.ReadStates(path)
		if x.opt.Ranks != nil {
			x.opt.Ranks.Meet() // before one of them writes the file anew
		}
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		if all[name] == nil {
			return fmt.Errorf("restore: %s holds no state of the name %q", file, name)
		}
		s = engine.Stored(all[name])
	}
	if err := n.Restore(s, random); err != nil {
		return err
	}
	if random {
		return x.takeDraws(s)
	}
	return nil
}

// identity is what must be the same for a script to go on from a checkpoint.
type identity struct {
	Script  string            `json:"script"` // SHA-256 of its text
	Set     map[string]string `json:"set"`
	Seed    *uint64           `json:"seed"`
	Network *uint64           `json:"network_seed,omitempty"`
	Run     int               `json:"run"` // from 0
}

const (
	identityField = engine.Beside + "script"
	inProgress    = "run in progress"
	finishedRun   = "finished run"
)

func (x *script) identity() identity {
	return identity{x.res.SHA256, maps.Clone(x.opt.Set), x.opt.Seed, x.opt.NetworkSeed, len(x.res.Runs)}
}

// write writes a checkpoint of the present run.
func (x *script) write(s *engine.Snapshot, name, path string) error {
	b, err := json.Marshal(x.identity())
	if err != nil {
		return err
	}
	s.Put(identityField, store.Text, b)
	if err := x.keepDraws(s); err != nil {
		return err
	}
	return x.writes(func() error { return store.WriteStates(path, map[string]*store.State{name: s.State}) })
}

// finishedFile is where the end of a run is kept.
func finishedFile(file string, run int) string { return fmt.Sprintf("%s.%d", file, run+1) }

// checkpoints sets what a run needs to go on from an earlier one, and to be gone on from.
func (x *script) checkpoints(o *engine.RunOptions) error {
	c := x.opt.Checkpoints
	if c.File != "" {
		for _, ob := range x.objects {
			if p, ok := ob.(*engine.Operation); ok && x.opt.Warn != nil && len(x.res.Runs) == 0 {
				x.opt.Warn(fmt.Sprintf("%s: what the function of a network_operation keeps for itself, such as lists, is not part of a checkpoint", p.Name()))
			}
		}
		o.Every = c.Every
		o.Checkpoint = func(s *engine.Snapshot) error { return x.write(s, inProgress, c.File) }
	}
	if c.From == "" {
		return nil
	}
	if path := finishedFile(c.From, len(x.res.Runs)); fileExists(path) {
		s, _, err := x.read(path, finishedRun)
		if err != nil {
			return err
		}
		o.Resume, o.Finished = s, true
		return nil
	}
	if !fileExists(c.From) {
		return nil // killed between two runs, or before the first checkpoint of this one
	}
	s, id, err := x.read(c.From, inProgress)
	if err == nil && id.Run == len(x.res.Runs) {
		o.Resume = s
	}
	return err
}

// read reads a checkpoint, which must be of this script.
func (x *script) read(path, name string) (*engine.Snapshot, identity, error) {
	var id identity
	all, err := store.ReadStates(path)
	if err != nil {
		return nil, id, fmt.Errorf("--resume: %w", err)
	}
	if all[name] == nil {
		return nil, id, fmt.Errorf("--resume %s: it is no checkpoint of a %s", path, name)
	}
	b, err := all[name].Get(identityField, store.Text, -1)
	if err == nil {
		err = json.Unmarshal(b, &id)
	}
	if err != nil {
		return nil, id, fmt.Errorf("--resume %s: %w", path, err)
	}
	now := x.identity()
	switch {
	case id.Script != now.Script:
		return nil, id, fmt.Errorf("--resume %s: the script is another one than when the checkpoint was written", path)
	case !maps.Equal(id.Set, now.Set):
		return nil, id, fmt.Errorf("--resume %s: the checkpoint is of a run with --set %v, this one has %v", path, id.Set, now.Set)
	case !equal(id.Seed, now.Seed) || !equal(id.Network, now.Network):
		return nil, id, fmt.Errorf("--resume %s: the checkpoint is of a run with another --seed or --network-seed", path)
	}
	return engine.Stored(all[name]), id, nil
}

func equal(a, b *uint64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// finished keeps the end of a run, before the script goes on.
func (x *script) finished(n *engine.Network) {
	c := x.opt.Checkpoints
	if c.File == "" {
		return
	}
	s, err := n.Store()
	if err == nil {
		err = x.write(s, finishedRun, finishedFile(c.File, len(x.res.Runs)))
	}
	if err != nil && x.opt.Warn != nil {
		x.opt.Warn(fmt.Sprintf("no checkpoint was written at the end of run %d: %v", len(x.res.Runs)+1, err))
	}
}

// Done removes the checkpoints of a script that has come to its end.
func (c Checkpoints) Done(runs int) {
	if c.File == "" {
		return
	}
	os.Remove(c.File)
	for k := range runs {
		os.Remove(finishedFile(c.File, k))
	}
}
