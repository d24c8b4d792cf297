package script

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
)

// MaxSource is the longest text that a script may have, in bytes.
const MaxSource = 1 << 22

// readScript reads the script itself: a file, of a size that a script has.
func readScript(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe that nobody writes to would be waited for
	if err != nil {
		return nil, readError(name, err)
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, readError(name, err)
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", name)
	}
	src, err := readText(name, f)
	if err != nil {
		return nil, err
	}
	return src, nil
}

// readText reads a script or what one loads.
func readText(name string, f *os.File) ([]byte, error) {
	src, err := io.ReadAll(io.LimitReader(f, MaxSource+1))
	if err != nil {
		return nil, readError(name, err)
	}
	if len(src) > MaxSource {
		n := int64(len(src))
		if st, err := f.Stat(); err == nil {
			n = max(n, st.Size())
		}
		return nil, tooLong(name, n)
	}
	return src, nil
}

func tooLong(name string, bytes int64) error {
	return fmt.Errorf("%s: %d bytes are too many for a script: the limit is %d", name, bytes, MaxSource)
}

func readError(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: there is no such file", name)
	}
	return fmt.Errorf("%s cannot be read: %w", name, err)
}

// exec parses and runs a file, the script itself or one that it loads.
func (x *script) exec(name string, src []byte, main bool) (starlark.StringDict, error) {
	mods := x.imported(name)
	mods.Whole = true
	s, err := parse(name, src, mods)
	x.sources[name] = s
	if main {
		x.main = s
	}
	if err != nil {
		return nil, x.explain(err)
	}
	if x.opt.Records == nil && x.opt.Info == nil && x.opt.Warn != nil && s.uses("save_array") {
		x.opt.Warn(fmt.Sprintf("%s: save_array() keeps nothing without a run directory (--out DIR)", name))
	}
	s.texts(s.tree, func(text string, at eqn.Source) { x.texts[text] = append(x.texts[text], at) })
	if main && !s.loads() && !s.parses() {
		if err := x.checkSet(); err != nil {
			return nil, err
		}
	}
	prog, err := starlark.FileProgram(s.tree, func(n string) bool { return x.predeclared[n] != nil })
	if err != nil {
		return nil, x.explain(err)
	}
	for _, a := range s.unused {
		if x.opt.Warn != nil {
			x.opt.Warn(fmt.Sprintf("%s: %s; nothing uses it", a.Pos, a.Msg))
		}
	}
	seen := x.predeclared
	if !main {
		seen = maps.Clone(seen)
		seen["__name__"], seen["__file__"] = starlark.String(strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))), starlark.String(name)
	}
	globals, err := prog.Init(x.thread, seen)
	if x.left.Load() {
		runtime.Goexit()
	}
	if main {
		x.final = globals
	}
	if err != nil {
		return nil, x.explain(err)
	}
	return globals, nil
}

// load is the load statement: each file once, from the script's folder.
func (x *script) load(_ *starlark.Thread, name string) (starlark.StringDict, error) {
	if m := x.modules[name]; m != nil {
		if m.loading {
			return nil, fmt.Errorf("%s loads itself, directly or through others", name)
		}
		return m.globals, m.err
	}
	m := &module{loading: true}
	x.modules[name] = m
	src, err := x.readFile(name)
	if err == nil {
		m.globals, m.err = x.exec(filepath.Join(x.dir, filepath.FromSlash(name)), src, false)
	} else {
		m.err = err
	}
	m.loading = false
	return m.globals, m.err
}
