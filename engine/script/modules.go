package script

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/python"
)

// pymodule is what import gives: names with dots before them.
type pymodule struct {
	opaque
	name    string
	members starlark.StringDict
	within  func(name string) (starlark.Value, error) // of a folder of scripts: one of them, nil: there is none
}

func (m *pymodule) String() string { return "<module '" + m.name + "'>" }
func (m *pymodule) Type() string   { return "module" }

func (m *pymodule) Attr(name string) (starlark.Value, error) {
	if v := m.members[name]; v != nil {
		return v, nil
	}
	if m.within != nil {
		if v, err := m.within(name); v != nil || err != nil {
			return v, err
		}
	}
	hint, known := absent[m.name+"."+name]
	if !known {
		hint, known = absent[name]
	}
	if near := eqn.Nearest(name, m.AttrNames()); !known && near != "" {
		hint = near
	}
	return nil, eqn.As(eqn.UnknownName, withHint(hint, "%s has no %s here", m.name, name))
}

func (m *pymodule) AttrNames() []string { return slices.Sorted(maps.Keys(m.members)) }

// numpyNames are the names of np that the language itself has.
const numpyNames = "linspace full clip where repeat tile concatenate hstack round arange zeros ones zeros_like ones_like array asarray power " +
	"minimum maximum nonzero sqrt sign abs pi inf nan e any all around histogram r_ c_ newaxis float64 float32 int32 int64 int_ float_ bool_ uint8 double load empty divmod " +
	"logical_and logical_or logical_not add subtract multiply divide"

// addModules makes the modules that import knows, of the names in d, and adds np.
func (x *script) addModules(d starlark.StringDict) {
	m := map[string]*pymodule{}
	add := func(name string, members starlark.StringDict) *pymodule {
		for n, v := range members {
			if v == nil {
				delete(members, n)
			}
		}
		m[name] = &pymodule{name: name, members: members}
		return m[name]
	}
	take := func(names string) starlark.StringDict {
		r := starlark.StringDict{}
		for _, n := range strings.Fields(names) {
			r[n] = d[n]
		}
		return r
	}
	x.addNumPy(d)
	np := take(numpyNames)
	for _, table := range []map[string]bool{keysOf(array.Pure), keysOf(array.Reductions), keysOf(array.Transforms), keysOf(array.Functions)} {
		for n := range table {
			np[n] = d[n]
		}
	}
	np["random"] = add("numpy.random", x.numpyRandom(d))
	d["random"] = np["random"]
	for _, n := range strings.Fields("binomial choice exponential gamma lognormal normal permutation poisson randint random_sample shuffle standard_normal uniform") {
		d[n] = np["random"].(*pymodule).members[n] // pylab has them, too
	}
	d["np"] = add("numpy", np)
	add("time", timeModule())
	add("math", mathModule(d))
	add("random", x.randomModule(d))
	osNames, pathNames := x.osModule()
	osNames["path"] = add("os.path", pathNames)
	add("os", osNames)
	x.addDevices(d)
	var plt starlark.StringDict
	x.pylab, plt = x.newPylab()
	d["magic_network"] = &magicNetwork{x: x, words: take("run store restore stop")}
	add("brian2.core.functions", starlark.StringDict{"timestep": timestep})
	d["analysis"] = add("analysis", x.analysisModule())
	add("itertools", iterTools())
	mp, scipyStats, optimize := x.multiprocessing(), add("scipy.stats", x.scipyStats()), add("scipy.optimize", x.scipyOptimize())
	add("scipy", starlark.StringDict{"stats": scipyStats, "optimize": optimize})
	mp["pool"] = add("multiprocessing.pool", starlark.StringDict{"Pool": mp["Pool"]})
	add("multiprocessing", mp)
	add("joblib", x.joblib())
	add("argparse", x.argparse())
	add("operator", operatorModule())
	add("sympy", starlark.StringDict{"latex": fn("latex", "expr", func(c argument.Call) (starlark.Value, error) {
		return starlark.String(`\mathrm{` + array.Plain(c.Val["expr"]) + `}`), nil
	})})
	add("brian2tools", x.brian2tools(plt))
	add("sys", x.sysModule())
	add("copy", copyModule(x))
	add("functools", starlark.StringDict{"reduce": x.reduce()})
	add("collections", starlark.StringDict{"OrderedDict": starlark.Universe["dict"]})
	add("warnings", starlark.StringDict{"filterwarnings": accepted(starlark.None, "filterwarnings"), "simplefilter": accepted(starlark.None, "simplefilter"), "catch_warnings": accepted(starlark.None, "catch_warnings")})
	for n, v := range plt {
		if d[n] == nil {
			d[n] = v
		}
	}
	pyplot := add("matplotlib.pyplot", plt)
	m["matplotlib.pylab"], m["pylab"] = pyplot, pyplot
	add("matplotlib.gridspec", starlark.StringDict{"GridSpec": plt["GridSpec"]})
	ticker := starlark.StringDict{}
	for _, n := range strings.Fields("MaxNLocator MultipleLocator FixedLocator NullLocator AutoMinorLocator LogLocator FormatStrFormatter StrMethodFormatter ScalarFormatter FuncFormatter NullFormatter FixedFormatter LogFormatter PercentFormatter") {
		ticker[n] = accepted(starlark.None, n)
		d[n] = ticker[n] // pylab has them, too
	}
	add("matplotlib.ticker", ticker)
	add("cycler", starlark.StringDict{"cycler": cycler})
	animation := add("matplotlib.animation", starlark.StringDict{"FuncAnimation": x.still("FuncAnimation"), "ArtistAnimation": x.still("ArtistAnimation"),
		"PillowWriter": accepted(starlark.None, "PillowWriter"), "FFMpegWriter": accepted(starlark.None, "FFMpegWriter")})
	add("matplotlib", starlark.StringDict{"cycler": cycler, "animation": animation, "pyplot": pyplot, "pylab": pyplot, "cm": colorMaps{}, "rcParams": plt["rcParams"], "gridspec": m["matplotlib.gridspec"], "use": accepted(starlark.None, "use"), "rc": plt["rc"]})
	d["plt"], d["pylab"], d["matplotlib"], d["numpy"] = pyplot, pyplot, m["matplotlib"], m["numpy"]
	members := maps.Clone(d)
	maps.DeleteFunc(members, func(n string, _ starlark.Value) bool { return strings.HasPrefix(n, "<") || strings.HasPrefix(n, "__") })
	members["__version__"] = starlark.String("2.10.1") // whose language this is
	of := add("brian2", members)
	for _, n := range strings.Fields("units fundamentalunits stdunits allunits numpy_ core groups monitors synapses equations input devices only") {
		if members[n] == nil {
			members[n] = of
		}
	}
	x.imports = m
}

func keysOf[V any](m map[string]V) map[string]bool {
	r := map[string]bool{}
	for k := range m {
		r[k] = true
	}
	return r
}

// moduleNamed is a module by its name in an import; those of Brian2's and
// matplotlib's packages are all one.
func (x *script) moduleNamed(name string) *pymodule {
	if m := x.imports[name]; m != nil {
		return m
	}
	if first, _, dotted := strings.Cut(name, "."); dotted && first == "brian2" {
		name = first
	}
	return x.imports[name]
}

// ownModule is where a module of that name stands beside the script: a file, or a
// folder of scripts, which is a package: its file __init__.py, if it has one.
func (x *script) ownModule(name string) (file string, folder, known bool) {
	path := strings.ReplaceAll(name, ".", "/")
	if _, err := x.readFile(path + "/__init__.py"); err == nil {
		return path + "/__init__.py", true, true
	}
	if _, err := x.readFile(path + ".py"); err == nil {
		return path + ".py", false, true
	}
	if x.root == nil {
		return "", false, false
	}
	st, err := x.root.Stat(filepath.FromSlash(path))
	return "", true, err == nil && st.IsDir()
}

// packageOf is the package in which a file of the script's folder stands, "" beside the script.
func (x *script) packageOf(file string) string {
	rel, err := filepath.Rel(x.dir, filepath.Dir(file))
	if err != nil || !filepath.IsLocal(rel) || rel == "." {
		return ""
	}
	return strings.ReplaceAll(filepath.ToSlash(rel), "/", ".")
}

// module is what an import gives: one of ours, or a script of the folder, which
// runs when it is imported first, after the packages in which it stands.
func (x *script) module(name string) (starlark.Value, error) {
	if m := x.moduleNamed(name); m != nil {
		return m, nil
	}
	if k := strings.LastIndexByte(name, '.'); k > 0 {
		if _, err := x.module(name[:k]); err != nil {
			return nil, err
		}
	}
	file, folder, _ := x.ownModule(name)
	m := &pymodule{name: name}
	if folder {
		m.within = func(n string) (starlark.Value, error) {
			if _, _, known := x.ownModule(name + "." + n); !known {
				return nil, nil
			}
			return x.module(name + "." + n)
		}
	}
	if file == "" || folder && x.modules[file] != nil && x.modules[file].loading { // a script of the package imports another one
		return m, nil
	}
	var err error
	m.members, err = x.load(x.thread, file)
	return m, err
}

// allOf are the names that "from name import *" takes of a script of the folder: all that it assigns, defines or imports outside functions, but for
// those that begin with an underscore. The script is read for that, and runs where the import stands.
func (x *script) allOf(name string) ([]string, error) {
	if m := x.moduleNamed(name); m != nil {
		switch name {
		case "brian2tools", "math", "random", "time":
			return m.AttrNames(), nil
		}
		return nil, errors.New("it is not a script of this folder")
	}
	if names, begun := x.starred[name]; begun && names == nil {
		return nil, errors.New("it imports itself, directly or through others")
	} else if begun {
		return names, nil
	}
	if x.starred == nil {
		x.starred = map[string][]string{}
	}
	x.starred[name] = nil // until they are known
	defer func() {
		if x.starred[name] == nil { // of a session that goes on: the script may be mended
			delete(x.starred, name)
		}
	}()
	file, _, _ := x.ownModule(name)
	if file == "" {
		return []string{}, nil
	}
	src, err := x.readFile(file)
	if err != nil {
		return nil, err
	}
	mods := x.imported(filepath.Join(x.dir, filepath.FromSlash(file)))
	mods.Whole = true
	s, err := parse(file, src, mods)
	if err != nil {
		return nil, err
	}
	if _, err := starlark.FileProgram(s.tree, func(n string) bool { return x.predeclared[n] != nil }); err != nil {
		return nil, err
	}
	names := []string{}
	for _, b := range s.tree.Module.(*resolve.Module).Globals {
		if n := b.First.Name; !strings.HasPrefix(n, "_") && !strings.HasPrefix(n, "<") {
			names = append(names, n)
		}
	}
	x.starred[name] = names
	return names, nil
}

// imported tells the parser what import may name in a file.
func (x *script) imported(file string) python.Modules {
	return python.Modules{
		Package:     x.packageOf(file),
		Predeclared: func(name string) bool { return x.predeclared[name] != nil },
		All:         x.allOf,
		Known: func(module string) bool {
			if x.moduleNamed(module) != nil {
				return true
			}
			_, _, known := x.ownModule(module)
			return known
		},
		Has: func(module, name string) bool {
			m := x.moduleNamed(module)
			return m == nil || m.members[name] != nil // what a script of the folder has is known when it has run
		},
		Bound: func(module, name, as string) bool {
			m := x.moduleNamed(module)
			if m == nil {
				return false
			}
			switch name {
			case "*":
				return m == x.imports["brian2"] || m == x.imports["numpy"] || strings.HasPrefix(m.name, "matplotlib")
			case "":
				return x.predeclared[as] == starlark.Value(m)
			}
			v := m.members[name]
			return v != nil && same(v, x.predeclared[as])
		},
	}
}
