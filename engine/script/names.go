package script

import (
	"fmt"
	"strings"

	"synfire/engine/eqn"
	"synfire/engine/script/python"
)

// absent are names of Brian2's import that Synfire does not have, or not yet,
// each with what to do instead ("" where there is nothing to say).
var absent = map[string]string{}

func init() {
	for _, line := range []struct{ names, hint string }{
		{"restore_initial_state", "it comes with the full language"},
		{"Morphology SpatialNeuron Section Cylinder Soma", "models with a morphology are outside Synfire's scope"},
		{"device.run", "store() before the first run(); then restore(), assign the value and run() for each; or: synfire sweep SCRIPT --set NAME=..."},
		{"collections.defaultdict", "d.setdefault(key, []).append(x) does the same with a dictionary"},
		{"collections.Counter collections.namedtuple collections.deque", "lists and dictionaries do the same"},
		{"codegen", "prefs.codegen.target is a preference of how Brian2 compiles; nothing is compiled here"},
		{"Expression Statements", "pass the text itself"},
		{"brian_prefs BrianPreference check_cache CythonCodeObject NumpyCodeObject", "nothing is compiled here: choose with --backend on the command line"},
		{"register_new_unit get_or_create_dimension Unit", "a function of one expression under check_units() can be called in equations"},
		{"MagicNetwork get_logger logger scheduling_summary std_silent test ImportExport", ""},
		{"StateUpdateMethod ExplicitStateUpdater independent gsl_rk2 gsl_rk4 gsl_rk8pd gsl_rkck gsl_rkf45", "name the method as a text: method='rk4'"},
		{"Group CodeRunner BrianObject Nameable SpikeSource Subgroup VariableOwner Trackable", ""},
		{"DimensionMismatchError MagicError PreferenceError BrianObjectException", "errors cannot be caught in a script"},
		{"arcsinh arccosh arctanh", "write log(x + sqrt(x*x + 1)) and the like"},
		{"diagonal get_unit get_local_namespace is_scalar_type", ""},
		{"brian_plot plot_synapses", "from brian2tools import brian_plot, plot_synapses"},
		{"fft polyfit dstack", "save_array('name', values) and use NumPy on the file"},
	} {
		for _, n := range strings.Fields(line.names) {
			absent[n] = line.hint
		}
	}
}

// unknownName explains a name that a script uses and nobody defines.
func (x *script) unknownName(name string) (msg, hint string) {
	if why := x.notImported(name); why.Msg != "" {
		return why.Msg, why.Hint
	}
	if h, ok := absent[name]; ok {
		return fmt.Sprintf("Brian2 has %s; Synfire does not yet", name), h
	}
	if x.globals()[name] {
		return name + " has no value yet", belowHint
	}
	var known []string
	for n := range x.predeclared {
		if !strings.HasPrefix(n, "<") {
			known = append(known, n)
		}
	}
	for n := range x.globals() {
		known = append(known, n)
	}
	return fmt.Sprintf("unknown name %s", name), eqn.Nearest(name, known)
}

// notImported says why an import has not given a name.
func (x *script) notImported(name string) python.Absent {
	for _, s := range x.sources {
		if why := s.absent[name]; why.Msg != "" {
			return why
		}
	}
	return python.Absent{}
}
