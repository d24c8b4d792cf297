package script

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/script/argument"
	"synfire/kernels/ref"
)

// brian2 is the arguments of Brian2 2.10, as inspect.signature gives them.
var brian2 = map[string]string{
	"NeuronGroup":           "N model method method_options threshold reset refractory events namespace dtype dt clock order name codeobj_class",
	"PoissonGroup":          "N rates dt clock when order namespace name codeobj_class",
	"SpikeGeneratorGroup":   "N indices times dt clock period when order sorted name codeobj_class",
	"PoissonInput":          "target target_var N rate weight when order",
	"TimedArray":            "values dt name",
	"Synapses":              "source target model on_pre pre on_post post connect delay on_event multisynaptic_index namespace dtype codeobj_class dt clock order method method_options name",
	"SpikeMonitor":          "source variables record when order name codeobj_class",
	"EventMonitor":          "source event variables record when order name codeobj_class",
	"StateMonitor":          "source variables record dt clock when order name codeobj_class",
	"PopulationRateMonitor": "source name codeobj_class dtype",
	"NetworkOperation":      "function dt clock when order name",
	"stop":                  "",
	"linked_var":            "group_or_variable name index",
	"BinomialFunction":      "n p approximate name",
	"store":                 "name filename",
	"restore":               "name filename restore_random_state",
	"Network":               "objs name",
	"run":                   "duration report report_period namespace profile level",
	"seed":                  "seed",
	"start_scope":           "",
	"connect":               "condition i j p n skip_if_invalid namespace level",
	"run_regularly":         "code dt clock when order name codeobj_class",
	"run_at":                "code times when order name codeobj_class",
	"Clock":                 "dt name",
	"EventClock":            "times name",
	"run_on_event":          "event code when order",
	"set_event_schedule":    "event when order",
	"set_spikes":            "indices times period sorted",
	"smooth_rate":           "window width",
	"values":                "var",
}

// arguments has rows for each argument of each function and method: a script
// with «given|not given» in it. Where a refusal is named, the script fails with
// it, at the argument's place, and does not fail without the argument;
// "warning: ..." is one. Otherwise what it prints changes with the argument.
var arguments = []struct{ arg, src, refusal string }{
	{"NetworkOperation.function", "a = []; o = NetworkOperation(lambda: a.append(«1|2»)); run(0.1*ms); print(a)", ""},
	{"NetworkOperation.function", "o = NetworkOperation(lambda «x, y|x»: 1)", "2 parameters"},
	{"NetworkOperation.function", "o = NetworkOperation(«3|len»)", "takes a function, not"},
	{"NetworkOperation.dt", "a = []; o = NetworkOperation(lambda t: a.append(t)«, dt=0.5*ms|»); run(1*ms); print(a)", ""},
	{"NetworkOperation.clock", "a = []; o = NetworkOperation(lambda t: a.append(t)«, clock=EventClock([0.3, 0.1]*ms)|»); run(1*ms); print(a)", ""},
	{"NetworkOperation.clock", "o = NetworkOperation(lambda: 1, clock=«3*ms|defaultclock»)", "clock= must be a Clock"},
	{"Clock.dt", "print(Clock(«1*ms|2*ms»))", ""},
	{"Clock.name", "print(Clock(1*ms«, name='ab'|, name='ac'»).name)", ""},
	{"EventClock.times", "print(EventClock(«[1]|[1, 2]»*ms).times)", ""},
	{"EventClock.times", "EventClock(«[1]|[1]*ms»)", "must be a list of times"},
	{"EventClock.name", "print(EventClock([1]*ms«, name='ab'|, name='ac'»).name)", ""},
	{"NetworkOperation.when", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler'); a = []; o = NetworkOperation(lambda: a.append(G.v[0])«, when='end'|»); run(1*ms); print(a)", ""},
	{"NetworkOperation.when", "o = NetworkOperation(lambda: 1«, when='groups'|»)", "not in groups"},
	{"NetworkOperation.order", "a = []; o = NetworkOperation(lambda: a.append(1)«, order=1|»); p = NetworkOperation(lambda: a.append(2)); run(0.1*ms); print(a)", ""},
	{"store.name", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler'); store('a'); run(1*ms); store(«'a'|'b'»); run(1*ms); restore('a'); print(G.v[0])", ""},
	{"store.filename", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler'); store(filename=«'/tmp/x'|'x'»)", "outside the script's folder"},
	{"store.filename", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler'); store(); run(1*ms); store(«filename='x'|»); run(1*ms); restore(); print(G.v[0])", ""},
	{"restore.name", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler'); store('a'); run(1*ms); store('b'); restore(«'a'|'b'»); print(G.v[0])", ""},
	{"restore.name", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler'); store('a'); restore(«'c'|'a'»)", "nothing was stored of this network under the name"},
	{"restore.filename", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler'); store(filename='x'); run(1*ms); store(); restore(«filename='x'|»); print(G.v[0])", ""},
	{"restore.filename", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler'); store(filename='x'); restore(filename=«'y'|'x'»)", "no such file"},
	{"restore.restore_random_state", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler'); store(); a = rand(); restore(«restore_random_state=True|»); print(rand() == a)", ""},
	{"BinomialFunction.n", "f = BinomialFunction(«5|50», 0.5); G = NeuronGroup(3, 'x : 1'); G.x = 'f()'; print(G.x)", ""},
	{"BinomialFunction.n", "BinomialFunction(«-1|1», 0.5)", "number of trials"},
	{"BinomialFunction.p", "f = BinomialFunction(5, «0.1|0.9»); G = NeuronGroup(3, 'x : 1'); G.x = 'f()'; print(G.x)", ""},
	{"BinomialFunction.p", "BinomialFunction(5, «1.5|0.5»)", "a probability"},
	{"BinomialFunction.approximate", "print(BinomialFunction(5, 0.5, approximate=«3|True»))", "True or False"},
	{"BinomialFunction.name", "print(BinomialFunction(5, 0.5, name=«'a b'|'a'»))", "letters, digits"},
	{"linked_var.group_or_variable", "G = NeuronGroup(2, 'v : 1'); G.v = [1, 2]; K = NeuronGroup(2, 'v : 1'); K.v = 3; H = NeuronGroup(2, 'x : 1 (linked)'); H.x = linked_var(«G|K», 'v'); print(H.x)", ""},
	{"linked_var.group_or_variable", "linked_var(«3|NeuronGroup(1, 'v : 1').v»)", "takes a group and the name"},
	{"linked_var.name", "G = NeuronGroup(2, 'v : 1\\nw : 1'); G.v = 1; H = NeuronGroup(2, 'x : 1 (linked)'); H.x = linked_var(G, «'v'|'w'»); print(H.x)", ""},
	{"linked_var.name", "G = NeuronGroup(2, 'v : 1'); linked_var(G, «'u'|'v'»)", "has no variable u"},
	{"linked_var.index", "G = NeuronGroup(2, 'v : 1'); G.v = [1, 2]; H = NeuronGroup(2, 'x : 1 (linked)'); H.x = linked_var(G, 'v'«, index=[1, 1]|»); print(H.x)", ""},
	{"linked_var.index", "G = NeuronGroup(2, 'v : 1'); H = NeuronGroup(2, 'x : 1 (linked)'); H.x = linked_var(G, 'v'«, index=[1, 2]|»)", "out of range"},
	{"NetworkOperation.name", "print(NetworkOperation(lambda: 1«, name='op'|»).name)", ""},
	{"NeuronGroup.N", "print(len(NeuronGroup(«3|2», 'v : 1')))", ""},
	{"NeuronGroup.N", "NeuronGroup(«0|1», 'v : 1')", "at least one"},
	{"NeuronGroup.model", "print(NeuronGroup(1, «'v = 3 : 1'|'v : 1'»).v[0])", ""},
	{"NeuronGroup.method", "G = NeuronGroup(1, 'dv/dt = -v/ms : 1'«, method='euler'|»); G.v = 1; run(1*ms); print(G.v[0])", ""},
	{"NeuronGroup.method", "NeuronGroup(1, 'dv/dt = -v/ms : 1'«, method='eular'|»)", "did you mean 'euler'?"},
	{"NeuronGroup.method", "NeuronGroup(1, 'v : 1'«, method='no_such'|»)", "is not a method of integration"},
	{"NeuronGroup.method", "NeuronGroup(1, 'v : 1'«, method='rk4'|»)", "warning: NeuronGroup: method=\"rk4\" has no effect"},
	{"NeuronGroup.method_options", "NeuronGroup(1, 'v : 1'«, method_options={'a': 1}|»)", "there are {'substeps': n}"},
	{"NeuronGroup.method_options", "G = NeuronGroup(1, 'dv/dt = -v**2/ms : 1', method='rk2'«, method_options={'longest': 25*us}|»); G.v = 1; run(1*ms); print(G.v[0])", ""},
	{"NeuronGroup.method_options", "NeuronGroup(1, 'dv/dt = -v**2/ms : 1', method='rk2'«, method_options={'longest': 0.1*us}|»); run(1*ms)", "has 1000 substeps"},
	{"NeuronGroup.method_options", "NeuronGroup(1, 'dv/dt = -v**2/ms : 1', method='rk2'«, method_options={'longest': 25}|»)", "longest"},
	{"NeuronGroup.method_options", "NeuronGroup(1, 'dv/dt = -v/ms : 1', method='euler'«, method_options={'longest': 25*us}|»)", "substeps are those of"},
	{"NeuronGroup.method_options", "defaultclock.dt = 0.01*ms; G = NeuronGroup(1, 'dv/dt = -v/(50*ms) : 1', method='exact'«, method_options={'slow': 0.001}|»); G.v = 1; run(20*ms); print(G.v[0])", ""},
	{"NeuronGroup.method_options", "NeuronGroup(1, 'dv/dt = -v/ms : 1'«, method_options={'slow': 2}|»)", "between 0 and 1"},
	{"NeuronGroup.method_options", "G = NeuronGroup(1, 'dv/dt = -v**2/ms : 1', method='rk2'«, method_options={'substeps': 3}|»); G.v = 1; run(1*ms); print(G.v[0])", ""},
	{"NeuronGroup.method_options", "NeuronGroup(1, 'dv/dt = -v/ms : 1', method='euler'«, method_options={'substeps': 3}|»)", "substeps are those of"},
	{"NeuronGroup.threshold", firing("threshold=«'v > 3'|'v > 5'»"), ""},
	{"NeuronGroup.reset", spiking(", threshold='v > 3'«, reset='v = 0'|»"), ""},
	{"NeuronGroup.reset", spiking("«, reset='v = 0'|»"), "needs a threshold"},
	{"NeuronGroup.refractory", firing("threshold='v > 3'«, refractory=0.3*ms|»"), ""},
	{"NeuronGroup.refractory", spiking("«, refractory=0.3*ms|»"), "needs a threshold"},
	{"NeuronGroup.events", spiking(", threshold='v > 3'«, events={'e': 'v > 2'}|»") + "; print(hasattr(G, 'e')); «G.run_on_event('e', 'v = 0'); run(1*ms); print(G.v)|»", ""},
	{"NeuronGroup.events", spiking(", threshold='v > 3'«, events={'spike': 'v > 2'}|»"), "both say when"},
	{"NeuronGroup.events", spiking("«, events={'a b': 'v > 2'}|»"), "cannot name an event"},
	{"NeuronGroup.namespace", "tau = 1*ms; G = NeuronGroup(1, 'dv/dt = -v/tau : 1'«, namespace={'tau': 2*ms}|»); G.v = 1; run(1*ms); print(G.v[0])", ""},
	{"NeuronGroup.dtype", "NeuronGroup(1, 'v : 1'«, dtype='f8'|»)", "float32 on every backend"},
	{"NeuronGroup.dt", spiking("«, dt=0.3*ms|»"), ""},
	{"NeuronGroup.dt", "H = NeuronGroup(1, 'v : 1'); G = NeuronGroup(1, 'v : 1', dt=«0.1*pi*ms|0.3*ms»)", "no common part"},
	{"NeuronGroup.dt", "NeuronGroup(1, 'v : 1'«, dt=0*ms|»)", "positive time"},
	{"NeuronGroup.clock", "print(NeuronGroup(1, 'v : 1'«, clock=Clock(0.2*ms)|»).dt)", ""},
	{"NeuronGroup.clock", "NeuronGroup(1, 'v : 1'«, clock=EventClock([1]*ms)|»)", "an EventClock has no dt"},
	{"NeuronGroup.clock", "NeuronGroup(1, 'v : 1', clock=defaultclock«, dt=1*ms|»)", "dt= or clock=, not both"},
	{"NeuronGroup.order", "G = NeuronGroup(1, 'dv/dt = 1/ms : 1'«, order=-1|»); G.run_regularly('v = 0', when='groups'); run(1*ms); print(G.v[0])", ""},
	{"NeuronGroup.order", "NeuronGroup(1, 'v : 1'«, order='first'|»)", "whole number"},
	{"NeuronGroup.name", "print(NeuronGroup(1, 'v : 1'«, name='abc'|»).name)", ""},
	{"NeuronGroup.name", "NeuronGroup(1, 'v : 1'«, name='a b'|»)", "letters, digits"},
	{"NeuronGroup.codeobj_class", "NeuronGroup(1, 'v : 1'«, codeobj_class=1|»)", "Brian2 has codeobj_class="},
	{"NeuronGroup.", "NeuronGroup(1, 'v : 1'«, treshold='v > 1'|»)", "did you mean 'threshold'?"},
	{"NeuronGroup.", "NeuronGroup(1, 'v : 1'«, when='end'|»)", "has no argument when"},

	{"PoissonGroup.N", "print(len(PoissonGroup(«3|2», 1*Hz)))", ""},
	{"PoissonGroup.rates", "P = PoissonGroup(1, «10*kHz|0*Hz»); M = SpikeMonitor(P); run(1*ms); print(M.num_spikes)", ""},
	{"PoissonGroup.rates", "PoissonGroup(1, «-1*Hz|1*Hz»)", "negative"},
	{"PoissonGroup.dt", "G = PoissonGroup(1, 5*kHz«, dt=0.2*ms|»); M = SpikeMonitor(G); run(1*ms); print(M.t)", ""},
	{"PoissonGroup.clock", "print(PoissonGroup(1, 1*Hz«, clock=Clock(0.2*ms)|»).dt)", ""},
	{"PoissonGroup.when", "PoissonGroup(1, 1*Hz«, when='start'|, when='thresholds'»)", "Brian2 has when='start'"},
	{"PoissonGroup.order", "P = PoissonGroup(1, 10*kHz«, order=-1|»); P.run_regularly('rates = 0*Hz', when='thresholds'); M = SpikeMonitor(P); run(1*ms); print(M.num_spikes)", ""},
	{"PoissonGroup.namespace", "r = 0*Hz; P = PoissonGroup(1, 'r'«, namespace={'r': 10*kHz}|»); M = SpikeMonitor(P); run(1*ms); print(M.num_spikes)", ""},
	{"PoissonGroup.name", "print(PoissonGroup(1, 1*Hz«, name='abc'|»).name)", ""},
	{"PoissonGroup.codeobj_class", "PoissonGroup(1, 1*Hz«, codeobj_class=1|»)", "Brian2 has codeobj_class="},

	{"SpikeGeneratorGroup.N", "print(len(SpikeGeneratorGroup(«3|2», [0], [0]*ms)))", ""},
	{"SpikeGeneratorGroup.indices", generated("«[1, 0]|[0, 1]», [0, 0.5]*ms"), ""},
	{"SpikeGeneratorGroup.indices", generated("«[1, 2]|[0, 1]», [0, 0.5]*ms"), "out of range"},
	{"SpikeGeneratorGroup.times", generated("[0, 1], «[0, 0.6]|[0, 0.5]»*ms"), ""},
	{"SpikeGeneratorGroup.dt", generated("[0, 1], [0, 0.5]*ms«, dt=0.2*ms|»"), ""},
	{"SpikeGeneratorGroup.clock", generated("[0, 1], [0, 0.5]*ms«, clock=Clock(0.2*ms)|»"), ""},
	{"SpikeGeneratorGroup.period", generated("[0, 1], [0, 0.1]*ms«, period=0.3*ms|»"), ""},
	{"SpikeGeneratorGroup.period", generated("[0, 1], [0, 0.1]*ms«, period=-0.3*ms|»"), "period=-0.0003 s is not a time"},
	{"SpikeGeneratorGroup.when", generated("[0, 1], [0, 0.5]*ms«, when='end'|, when='thresholds'»"), "Brian2 has when='end'"},
	{"SpikeGeneratorGroup.order", "G = SpikeGeneratorGroup(1, [0], [0]*ms«, order=1|»); M = SpikeMonitor(G, when='thresholds'); run(1*ms)", "order=0 lies before the events of G"},
	{"SpikeGeneratorGroup.sorted", generated("[0, 1], [0.5, 0]*ms«, sorted=True|, sorted=False»"), "not in ascending order"},
	{"SpikeGeneratorGroup.name", "print(SpikeGeneratorGroup(1, [0], [0]*ms«, name='abc'|»).name)", ""},
	{"SpikeGeneratorGroup.codeobj_class", generated("[0, 1], [0, 0.5]*ms«, codeobj_class=1|»"), "Brian2 has codeobj_class="},
	{"set_spikes.indices", generated("[0], [0]*ms") + "; G.set_spikes(«[1]|[0]», [1.5]*ms); run(1*ms); print(M.i)", ""},
	{"set_spikes.times", generated("[0], [0]*ms") + "; G.set_spikes([0], «[1.5]|[1.6]»*ms); run(1*ms); print(M.t)", ""},
	{"set_spikes.period", generated("[0], [0]*ms") + "; G.set_spikes([0], [0.1]*ms«, period=0.3*ms|»); run(1*ms); print(M.t)", ""},
	{"set_spikes.sorted", generated("[0], [0]*ms") + "; G.set_spikes([0, 0], [1.5, 1.2]*ms«, sorted=True|»)", "not in ascending order"},

	{"PoissonInput.target", "A = NeuronGroup(1, 'v : 1'); B = NeuronGroup(1, 'v : 1'); P = PoissonInput(«A|B», 'v', 1, 10*kHz, 1); run(1*ms); print(A.v)", ""},
	{"PoissonInput.target_var", poissonInto("«'v'|'w'», 1, 10*kHz, 1"), ""},
	{"PoissonInput.target_var", poissonInto("«'vv'|'w'», 1, 10*kHz, 1"), "is not a variable of G"},
	{"PoissonInput.N", poissonInto("'v', «2|1», 10*kHz, 1"), ""},
	{"PoissonInput.rate", poissonInto("'v', 1, «10*kHz|0*Hz», 1"), ""},
	{"PoissonInput.rate", poissonInto("'v', 1, «20*kHz|0*Hz», 1"), "not a probability"},
	{"PoissonInput.weight", poissonInto("'v', 1, 10*kHz, «2|1»"), ""},
	{"PoissonInput.when", poissonInto("'v', 1, 10*kHz, 1«, when='after_end'|»"), ""},
	{"PoissonInput.when", poissonInto("'v', 1, 10*kHz, 1«, when='synapse'|»"), "did you mean 'synapses'?"},
	{"PoissonInput.order", poissonInto("'v', 1, 10*kHz, 1«, order=-1|»"), ""},
	{"PoissonInput.name", "G = NeuronGroup(1, 'v : 1'); print(PoissonInput(G, 'v', 1, 1*Hz, 1«, name='abc'|»).name)", ""},

	{"TimedArray.values", "A = TimedArray([1, «2|3»], dt=1*ms); print(A(1*ms))", ""},
	{"TimedArray.dt", "A = TimedArray([1, 2], dt=«1*ms|3*ms»); print(A(1*ms))", ""},
	{"TimedArray.dt", "TimedArray([1, 2], dt=«0*ms|1*ms»)", "positive time"},
	{"TimedArray.name", "TimedArray([1, 2], dt=1*ms«, name='a b'|, name='ab'»)", "letters, digits"},
	{"TimedArray.", "A = TimedArray([1, 2], dt=1*ms); A(1*ms«, foo=3|»)", "no argument by name"},

	{"Synapses.source", "A = NeuronGroup(1, 'v : 1'); B = NeuronGroup(2, 'v : 1'); print(Synapses(«A|B», B).N_pre)", ""},
	{"Synapses.target", "A = NeuronGroup(1, 'v : 1'); B = NeuronGroup(2, 'v : 1'); print(Synapses(A«, B|»).N_post)", ""},
	{"Synapses.model", synapses2("«'w = 2 : 1'|'w = 1 : 1'», on_pre='x += w'"), ""},
	{"Synapses.on_pre", synapses2("'w : 1'«, on_pre='x += 1'|»"), ""},
	{"Synapses.pre", synapses2("'w : 1'«, pre='x += 1'|»"), ""},
	{"Synapses.pre", synapses2("'w : 1', on_pre='x += 1'«, pre='x += 2'|»"), "are one argument"},
	{"Synapses.on_post", synapses2("'w : 1'«, on_post='x += 1'|»"), ""},
	{"Synapses.post", synapses2("'w : 1'«, post='x += 1'|»"), ""},
	{"Synapses.post", synapses2("'w : 1', on_post='x += 1'«, post='x += 2'|»"), "are one argument"},
	{"Synapses.on_pre", synapses2("on_pre={'a': 'x += 1'}«, on_post={'a': 'x += 2'}|»"), "two pathways of the name \"a\""},
	{"Synapses.connect", synapses2("on_pre='x += 1'«, connect=True|»"), "call S.connect(...)"},
	{"Synapses.delay", synapses2("on_pre='x += 1'«, delay=2*ms|»"), ""},
	{"Synapses.delay", synapses2("on_pre='x += 1'«, delay={'pre': 2*ms}|»"), ""},
	{"Synapses.delay", synapses2("on_pre={'path': 'x += 1'}«, delay={'pth': 2*ms}|»"), "did you mean 'path'?"},
	{"Synapses.delay", synapses2("on_pre='x += 1'«, delay={1: 2*ms}|»"), "names of pathways"},
	{"Synapses.delay", synapses2("on_post='x += 1'«, delay=2*ms|»"), "\"pre\" is not a pathway"},
	{"Synapses.delay", synapses2("«delay=2*ms|»"), "there is no pathway"},
	{"Synapses.on_event", synapses2("on_pre='x += 1'«, on_event='e'|»"), ""},
	{"Synapses.on_event", synapses2("on_pre='x += 1'«, on_event={'pre': 'e'}|»"), ""},
	{"Synapses.on_event", synapses2("on_pre='x += 1'«, on_event='ee'|»"), "did you mean 'e'?"},
	{"Synapses.on_event", synapses2("on_pre={'path': 'x += 1'}«, on_event={'pat': 'e'}|»"), "did you mean 'path'?"},
	{"Synapses.on_event", synapses2("'w : 1'«, on_event='e'|»"), "give on_pre= or on_post="},
	{"Synapses.multisynaptic_index", synapses2("'w : 1'«, multisynaptic_index='k'|»") + "; print(hasattr(S, 'k'))", ""},
	{"Synapses.multisynaptic_index", synapses2("'w : 1'«, multisynaptic_index='a b'|»"), "cannot name a variable"},
	{"Synapses.namespace", "c = 1; " + synapses2("on_pre='x += c'«, namespace={'c': 2}|»"), ""},
	{"Synapses.dtype", synapses2("'w : 1'«, dtype='f8'|»"), "Brian2 has dtype="},
	{"Synapses.codeobj_class", synapses2("'w : 1'«, codeobj_class=1|»"), "Brian2 has codeobj_class="},
	{"Synapses.dt", synapses2("on_pre='x_post += dt/ms'«, dt=0.2*ms|»"), ""},
	{"Synapses.clock", synapses2("'dw/dt = 1/ms : 1 (clock-driven)', method='euler'«, clock=Clock(0.2*ms)|»") + "; run(0.5*ms); print(S.w)", ""},
	{"Synapses.order", synapses2("'w : 1'«, order=2|»"), "warning: Synapses: order=2 has no effect"},
	{"Synapses.method", synapses2("'w : 1'«, method='no_such'|»"), "is not a method of integration"},
	{"Synapses.method", synapses2("'w : 1'«, method='euler'|»"), "warning: Synapses: method=\"euler\" has no effect"},
	{"Synapses.delay", "P, G = SpikeGeneratorGroup(1, [0], [0]*ms), NeuronGroup(1, iaf_psc_delta()); S = Synapses(P, G, weight=1*mV«, delay=0*ms|»); S.connect(); run(1*ms)", "a delay is 0"},
	{"Synapses.method_options", synapses2("'w : 1'«, method_options={'a': 1}|»"), "the one option there is"},
	{"Synapses.method_options", synapses2("'dw/dt = -w**2/ms : 1 (clock-driven)', method='rk4'«, method_options={'substeps': 3}|»") + "; S.w = 1; run(1*ms); print(S.w)", ""},
	{"Synapses.weight", library2("weight=«300*pA|200*pA»"), ""},
	{"Synapses.weight", library2("weight=«'300*i*pA'|200*pA»"), ""},
	{"Synapses.weight", library2("weight=«array([2, 3])*pA|200*pA»"), ""},
	{"Synapses.weight", library2("weight=«3*mV|300*pA»"), "must be in A"},
	{"Synapses.weight", library2("on_pre='V_m_post += mV'«, weight=300*pA|»"), "which has no on_pre="},
	{"Synapses.weight", synapses2("'w : 1'«, weight=300*pA|»"), "which has no model="},
	{"Synapses.weight", synapses2("«weight=300*pA|»"), "for targets that say what a weight means"},
	{"Synapses.weight", library2("weight=«[2*pA, 3*pA]|200*pA»"), ""},
	{"Synapses.weight", library2("weight='300*pA'") + "«; S.connect()|»", "are those of one connect()"},
	{"NeuronGroup.model", "NeuronGroup(1, «{'model': 'v : 1', 'receives': {'unit': 'amp', 'receptors': 5}}|'v : 1'»)", "must have 'unit' and 'receptors'"},
	{"NeuronGroup.model", "NeuronGroup(1, «{'model': 'v : 1', 'update': 5}|'v : 1'»)", "'update' of a model's dictionary must be a text"},
	{"NeuronGroup.model", "G = NeuronGroup(1, «{'model': 'v : 1', 'update': 'v += 1'}|'v : 1'»); run(1*ms); print(G.v[0])", ""},
	{"NeuronGroup.model", "NeuronGroup(1, «{'model': 'v : 1', 'receives': {'unit': 'amp', 'when': 'end', 'receptors': [['v_post += 1']]}}|'v : 1'»)", "is 'before_groups' or 'before_thresholds'"},
	{"NeuronGroup.model", "NeuronGroup(1, «{'model': 'v : 1', 'receives': {'unit': 'amp', 'receptors': [[]]}}|'v : 1'»)", "must have 'unit' and 'receptors'"},
	{"NeuronGroup.model", "NeuronGroup(1, «{'model': 'v : 1', 'receives': {'unit': 'pear', 'receptors': [['v_post += {w}']]}}|'v : 1'»)", "must have a 'unit'"},
	{"NeuronGroup.model", "NeuronGroup(1, «{'model': 'v : 1', 'initial': 3}|'v : 1'»)", "must be a dictionary"},
	{"Synapses.receptor_type", library2("weight=300*pA«, receptor_type=2|»"), ""},
	{"Synapses.receptor_type", library2("weight=300*pA«, receptor_type=3|»"), "has receptors 1 to 2"},
	{"Synapses.name", synapses2("'w : 1'«, name='abc'|»") + "; print(S.name)", ""},

	{"connect.condition", connected("«'i != j'|»"), ""},
	{"connect.condition", connected("«False|»"), ""},
	{"connect.condition", connected("«False, |»i=0, j=1"), "neither i="},
	{"connect.i", connected("i=«[1, 2]|[1]», j=0"), ""},
	{"connect.j", connected("j=«'i'|'0 if i > 1'»"), ""},
	{"connect.p", connected("«p=0.3|»"), ""},
	{"connect.p", connected("i=[1, 2], j=[0, 1]«, p=0.5|, p=1»"), "p= of lists of indices is not available"},
	{"connect.p", connected("j='k for k in range(2)'«, p=0.5|»"), "neither condition nor p="},
	{"connect.n", connected("«n=2|»"), ""},
	{"connect.n", connected("«n=-2|»"), "is not a number of synapses"},
	{"connect.skip_if_invalid", connected("j='k for k in range(i, i + 2)', skip_if_invalid=«False|True»"), "for i=3"},
	{"connect.skip_if_invalid", connected("rule='all_to_all'«, skip_if_invalid=True|»"), "goes with i= and j="},
	{"connect.namespace", "c = 1; " + connected("'i == c'«, namespace={'c': 9}|»"), ""},
	{"connect.level", connected("«level=1|level=0»"), "namespace="},
	{"connect.rule", connected("«rule='one_to_one'|»"), ""},
	{"connect.N", connected("rule='fixed_total_number', N=«3|4»"), ""},
	{"connect.N", connected("«N=3|»"), "goes with rule='fixed_total_number'"},
	{"connect.indegree", connected("rule='fixed_indegree', indegree=«3|2»"), ""},
	{"connect.indegree", connected("«indegree=3|»"), "goes with rule="},
	{"connect.outdegree", connected("rule='fixed_outdegree', outdegree=«3|2»"), ""},
	{"connect.outdegree", connected("rule='all_to_all'«, outdegree=3|»"), "goes with rule="},
	{"connect.allow_autapses", connected("rule='all_to_all'«, allow_autapses=False|»"), ""},
	{"connect.allow_autapses", connected("rule='one_to_one'«, allow_autapses=False|»"), ""},
	{"connect.allow_autapses", connected("rule='pairwise_bernoulli', p=1.0«, allow_autapses=False|»"), ""},
	{"connect.allow_autapses", connected("«allow_autapses=False|»"), "goes with rule="},
	{"connect.allow_multapses", connected("rule='fixed_indegree', indegree=4«, allow_multapses=False|»"), ""},
	{"connect.allow_multapses", connected("rule='all_to_all', n=2«, allow_multapses=False|»"), "makes several synapses of a pair"},
	{"connect.allow_multapses", connected("«allow_multapses=False|»"), "goes with rule="},

	{"SpikeMonitor.source", spiking(", threshold='v > 3'") + "; print(SpikeMonitor(«G|G[:1]»).count)", ""},
	{"SpikeMonitor.source", "G = NeuronGroup(1, 'v : 1'«|, threshold='v > 1'»); SpikeMonitor(G)", "give it a threshold"},
	{"SpikeMonitor.variables", watched("SpikeMonitor(G«, variables='v'|»)", "hasattr(M, 'v')"), ""},
	{"SpikeMonitor.variables", watched("SpikeMonitor(G«, variables='vv'|»)", "M.t"), "did you mean 'v'?"},
	{"SpikeMonitor.record", watched("SpikeMonitor(G«, record=False|»)", "M.t"), ""},
	{"SpikeMonitor.record", watched("SpikeMonitor(G«, record=[0]|»)", "M.t"), "warning: record= of SpikeMonitor() is True or False, not neurons"},
	{"SpikeMonitor.when", watched("SpikeMonitor(G, 'v'«, when='end'|»)", "M.v"), ""},
	{"SpikeMonitor.when", watched("SpikeMonitor(G«, when='nonsense'|»)", "M.t"), "is not a slot of the schedule"},
	{"SpikeMonitor.when", watched("SpikeMonitor(G«, when='after_threshold'|»)", "M.t"), "did you mean 'after_thresholds'?"},
	{"SpikeMonitor.when", watched("SpikeMonitor(G«, when='start'|»)", "M.t"), "lies before the events"},
	{"SpikeMonitor.order", watched("SpikeMonitor(G, 'v', when='end'«, order=-1|»)", "M.v"), ""},
	{"SpikeMonitor.order", watched("SpikeMonitor(G«, order=1|»)", "M.t"), "goes with when="},
	{"SpikeMonitor.order", watched("SpikeMonitor(G, when='thresholds'«, order=-1|, order=1»)", "M.t"), "lies before the events"},
	{"SpikeMonitor.name", watched("SpikeMonitor(G«, name='abc'|»)", "M.name"), ""},
	{"SpikeMonitor.codeobj_class", watched("SpikeMonitor(G«, codeobj_class=1|»)", "M.t"), "Brian2 has codeobj_class="},
	{"SpikeMonitor.", watched("SpikeMonitor(G«, event='e'|»)", "M.t"), "has no argument event"},
	{"values.var", watched("SpikeMonitor(G, 'v')", "M.values(«'v'|'t'»)"), ""},

	{"EventMonitor.source", watched("EventMonitor(«G|G[:1]», 'e')", "M.count"), ""},
	{"EventMonitor.event", watched("EventMonitor(G, «'e'|'spike'»)", "M.count"), ""},
	{"EventMonitor.event", watched("EventMonitor(G, «''|'e'»)", "M.count"), "has no event \"\""},
	{"EventMonitor.event", watched("EventMonitor(G, «'spik'|'e'»)", "M.count"), "did you mean 'spike'?"},
	{"EventMonitor.variables", watched("EventMonitor(G, 'e'«, variables='v'|»)", "hasattr(M, 'v')"), ""},
	{"EventMonitor.record", watched("EventMonitor(G, 'e'«, record=False|»)", "M.t"), ""},
	{"EventMonitor.when", watched("EventMonitor(G, 'e', 'v'«, when='end'|»)", "M.v"), ""},
	{"EventMonitor.when", watched("EventMonitor(G, 'e'«, when='thresholds'|»)", "M.t"), "lies before the events"},
	{"EventMonitor.order", watched("EventMonitor(G, 'e', 'v', when='end'«, order=1|»)", "M.v"), ""},
	{"EventMonitor.name", watched("EventMonitor(G, 'e'«, name='abc'|»)", "M.name"), ""},
	{"EventMonitor.codeobj_class", watched("EventMonitor(G, 'e'«, codeobj_class=1|»)", "M.t"), "Brian2 has codeobj_class="},

	{"StateMonitor.source", watched("StateMonitor(«G|G[1:]», 'v', record=[0])", "M.v"), ""},
	{"StateMonitor.variables", watched("StateMonitor(G, «'v'|'w'», record=[0])", "hasattr(M, 'v')"), ""},
	{"StateMonitor.variables", watched("StateMonitor(G, «'vv'|'v'», record=[0])", "M.t"), "did you mean 'v'?"},
	{"StateMonitor.record", watched("StateMonitor(G, 'v', record=«[1]|[0]»)", "M.v"), ""},
	{"StateMonitor.record", watched("StateMonitor(G, 'v', record=«7|0»)", "M.v"), "index 7 is outside"},
	{"StateMonitor.dt", watched("StateMonitor(G, 'v', record=[0]«, dt=0.2*ms|»)", "M.t"), ""},
	{"StateMonitor.dt", watched("StateMonitor(G, 'v', record=[0]«, dt=0.25*ms|»)", "M.t"), ""},
	{"StateMonitor.dt", watched("StateMonitor(G, 'v', record=[0]«, dt=0*ms|»)", "M.t"), "positive time"},
	{"StateMonitor.clock", watched("StateMonitor(G, 'v', record=[0]«, clock=EventClock([0.3, 0.7]*ms)|»)", "M.t"), ""},
	{"StateMonitor.when", watched("StateMonitor(G, 'v', record=[0]«, when='end'|»)", "M.v"), ""},
	{"StateMonitor.when", watched("StateMonitor(G, 'v', record=[0]«, when='ends'|»)", "M.v"), "did you mean 'end'?"},
	{"StateMonitor.order", watched("StateMonitor(G, 'v', record=[0], when='end'«, order=-1|»)", "M.v"), ""},
	{"StateMonitor.name", watched("StateMonitor(G, 'v', record=[0]«, name='abc'|»)", "M.name"), ""},
	{"StateMonitor.codeobj_class", watched("StateMonitor(G, 'v', record=[0]«, codeobj_class=1|»)", "M.t"), "Brian2 has codeobj_class="},

	{"PopulationRateMonitor.source", watched("PopulationRateMonitor(«G|G[1:]»)", "M.rate"), ""},
	{"PopulationRateMonitor.name", watched("PopulationRateMonitor(G«, name='abc'|»)", "M.name"), ""},
	{"PopulationRateMonitor.codeobj_class", watched("PopulationRateMonitor(G«, codeobj_class=1|»)", "M.t"), "Brian2 has codeobj_class="},
	{"PopulationRateMonitor.dtype", watched("PopulationRateMonitor(G«, dtype='f4'|»)", "M.t"), "rates are float64"},
	{"PopulationRateMonitor.", watched("PopulationRateMonitor(G«, when='start'|»)", "M.t"), "has no argument when"},
	{"PopulationRateMonitor.", watched("PopulationRateMonitor(G«, order=1|»)", "M.t"), "has no argument order"},
	{"smooth_rate.window", watched("PopulationRateMonitor(G)", "M.smooth_rate(«'flat'|'gaussian'», width=0.3*ms)"), ""},
	{"smooth_rate.window", watched("PopulationRateMonitor(G)", "M.smooth_rate(«'flt'|'flat'», width=0.3*ms)"), "flt"},
	{"smooth_rate.width", watched("PopulationRateMonitor(G)", "M.smooth_rate('flat', width=«0.5*ms|0.3*ms»)"), ""},

	{"run_regularly.code", watched("G.run_regularly(«'w = 9'|'w = 8'»)", "G.w"), ""},
	{"run_regularly.dt", watched("G.run_regularly('w += 1'«, dt=0.2*ms|»)", "G.w"), ""},
	{"run_regularly.dt", watched("G.run_regularly('w += 1'«, dt=0*ms|»)", "G.w"), "positive time"},
	{"run_regularly.clock", watched("G.run_regularly('w += 1'«, clock=Clock(0.2*ms)|»)", "G.w"), ""},
	{"run_at.code", watched("G.run_at(«'w = 9'|'w = 8'», [0.2]*ms)", "G.w"), ""},
	{"run_at.times", watched("G.run_at('w = t/ms', «[0.2]|[0.3]»*ms)", "G.w"), ""},
	{"run_at.times", watched("G.run_at('w = t/ms', «[0.2, 0.2]|[0.2, 0.3]»*ms)", "G.w"), "stands there twice"},
	{"run_at.times", watched("G.run_at('w = t/ms', «[0.1*pi]|[0.3]»*ms)", "G.w"), "no common part"},
	{"run_at.when", watched("G.run_at('v = 9', [0.9]*ms«, when='after_end'|»)", "G.v"), ""},
	{"run_at.order", watched("(G.run_regularly('w = 1'), G.run_at('w = 9', [0.9]*ms«, order=-1|, order=1»))[1]", "G.w"), ""},
	{"run_at.name", watched("G.run_at('w += 1', [0.2]*ms«, name='a b'|, name='ab'»)", "G.v"), "letters, digits"},
	{"run_at.codeobj_class", watched("G.run_at('w += 1', [0.2]*ms«, codeobj_class=1|»)", "G.v"), "Brian2 has codeobj_class="},
	{"run_regularly.when", watched("G.run_regularly('v = 9'«, when='after_end'|»)", "G.v"), ""},
	{"run_regularly.when", watched("G.run_regularly('v = 9'«, when='nonsense'|»)", "G.v"), "is not a slot"},
	{"run_regularly.order", watched("G.run_regularly('v = 9', when='end'«, order=-1|, order=2»)", "G.v"), ""},
	{"run_regularly.name", watched("G.run_regularly('w += 1'«, name='a b'|, name='ab'»)", "G.v"), "letters, digits"},
	{"run_regularly.codeobj_class", watched("G.run_regularly('w += 1'«, codeobj_class=1|»)", "G.v"), "Brian2 has codeobj_class="},
	{"run_on_event.event", watched("G.run_on_event(«'ee'|'e'», 'w += 1')", "G.w"), "did you mean 'e'?"},
	{"run_on_event.code", watched("G.run_on_event('e', «'w += 1'|'w += 2'»)", "G.w"), ""},
	{"run_on_event.when", watched("G.run_on_event('e', 'v = 0'«, when='after_end'|»)", "G.v"), ""},
	{"run_on_event.when", watched("G.run_on_event('e', 'v = 0'«, when='after_ends'|»)", "G.v"), "did you mean 'after_end'?"},
	{"run_on_event.order", watched("G.run_on_event('e', 'v = 0', when='end'«, order=2|»)", "G.v"), ""},
	{"set_event_schedule.event", watched("G.set_event_schedule(«'ee'|'e'»)", "G.w"), "did you mean 'e'?"},
	{"set_event_schedule.when", watched("(G.run_regularly('v = 5', when='thresholds'), G.set_event_schedule('e'«, when='before_thresholds'|»), EventMonitor(G, 'e'))[2]", "M.count"), ""},
	{"set_event_schedule.when", watched("G.set_event_schedule('e'«, when='end'|»)", "G.w"), "not in end"},
	{"set_event_schedule.order", watched("(G.run_regularly('v = 5', when='thresholds'), G.set_event_schedule('e', when='thresholds'«, order=-1|, order=1»), EventMonitor(G, 'e'))[2]", "M.count"), ""},

	{"Network.objs", "A = NeuronGroup(1, 'dv/dt = 1/ms : 1'); B = NeuronGroup(1, 'dv/dt = 1/ms : 1'); N = Network(«A|B»); N.run(1*ms); print(A.v)", ""},
	{"Network.objs", "Network(«3|»)", "cannot be part of a Network"},
	{"Network.name", "Network(«name='abc'|»)", "Brian2 has name= of Network()"},
	{"Network.", "Network(«dtype=int|»)", "has no argument dtype"},
	{"collect.", "collect(«dtype=int|»)", "has no argument dtype"},
	{"start_scope.", "start_scope(«level=1|»)", "has no argument level"},
	{"run.duration", spiking("") + "; run(«2*ms|1*ms»); print(G.v)", ""},
	{"run.duration", "NeuronGroup(1, 'v : 1'); run(«-1*ms|1*ms»)", "positive time"},
	{"run.report", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, report='text'|»)", ""},
	{"run.report", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, report='nonsense'|»)", "there is no report 'nonsense'"},
	{"run.report", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, report='stderr'|»)", "Brian2 has report='stderr'"},
	{"run.report", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, report=print|»)", "Brian2 has functions as report="},
	{"run.report", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, report=True|, report=None»)", "report= is 'text' or None"},
	{"run.report_period", "G = NeuronGroup(1000, 'v : 1', threshold='rand() < 0.5'); run(100*ms, report='text'«, report_period=1*us|, report_period=1e4*second»)", ""},
	{"run.report_period", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, report_period=3|»)", "needs a unit"},
	{"run.report_period", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, report_period=0*ms|»)", "positive time"},
	{"run.namespace", "c = 1; G = NeuronGroup(1, 'dv/dt = c/ms : 1'); run(1*ms«, namespace={'c': 2}|»); print(G.v)", ""},
	{"run.profile", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, profile=3|, profile=True»)", "True or False"}, // a run's Profile is there in any case
	{"run.level", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, level=1|, level=0»)", "Brian2 has level= of run()"},
	{"run.", "G = NeuronGroup(1, 'v : 1'); run(1*ms«, repot='text'|»)", "did you mean 'report'?"},
	{"run.report", "G = NeuronGroup(1, 'v : 1'); N = Network(G); N.run(1*ms«, report='nonsense'|»)", "there is no report 'nonsense'"},
	{"seed.seed", "seed(«1|2»); print(rand(1))", ""},
	{"seed.seed", "seed(«|1»)", "would be different every time"},
	{"defaultclock.dt", "«defaultclock.dt = 0.2*ms; |»G = NeuronGroup(1, 'v : 1'); M = StateMonitor(G, 'v', record=True); run(1*ms); print(M.t)", ""},
	{"defaultclock.dt", "«defaultclock.dt = 0*ms|»", "positive time"},
	{"defaultclock.dt", "«defaultclock.t = 0*ms|»", "cannot be assigned"},
	// The clock is set after the objects were made.
	{"defaultclock.dt", "G = NeuronGroup(1, 'v : 1', threshold='v > 1', refractory=1*ms); «defaultclock.dt = 1*ms; fail(str(G.lastspike[0]))|print(G.lastspike)»", "-10. ks"},
	{"defaultclock.dt", "G = NeuronGroup(1, 'v : 1', dt=0.3*ms); H = NeuronGroup(1, 'v : 1'); M = StateMonitor(H, 'v', record=True); «defaultclock.dt = 0.2*ms; |»run(1*ms); print(G.dt, H.dt, M.t)", ""},
	{"defaultclock.dt", "G = NeuronGroup(1, 'v : 1'); P = PoissonInput(G, 'v', 2, 5*kHz, 1); «defaultclock.dt = 1*ms; |»run(1*ms)", "rate*dt = 5 is not a probability: the rate is 5000 Hz, the step of the clock 0.001 s"},
	{"defaultclock.dt", "G = NeuronGroup(1, 'v : 1'); M = StateMonitor(G, 'v', record=True, dt=0.5*ms); «defaultclock.dt = 1*ms; |»run(2.2*ms); print(M.t, defaultclock.t, G.t)", ""},
}

// The scripts of many rows: two neurons whose v grows by 1 in each step.
func spiking(args string) string {
	return "G = NeuronGroup(2, 'dv/dt = 10/ms : 1'" + args + "); run(1*ms); print(G.v)"
}

func firing(args string) string {
	return "G = NeuronGroup(2, 'dv/dt = 10/ms : 1', " + args + "); M = SpikeMonitor(G); run(1*ms); print(M.t)"
}

func generated(args string) string {
	return "G = SpikeGeneratorGroup(2, " + args + "); M = SpikeMonitor(G); run(1*ms); print(M.it)"
}

func poissonInto(args string) string {
	return "G = NeuronGroup(1, 'v : 1\\nw : 1'); P = PoissonInput(G, " + args + "); G.run_regularly('v = 0; w = 0', when='synapses'); M = StateMonitor(G, ['v', 'w'], record=True, when='end'); run(1*ms); print(M.v, M.w)"
}

func synapses2(args string) string {
	return "G = NeuronGroup(2, 'dv/dt = 10/ms : 1\\nx : 1', threshold='v > 3', events={'e': 'v > 5'}); S = Synapses(G, G, " + args + "); S.connect(); run(1*ms); print(G.x)"
}

func connected(args string) string {
	return "P = NeuronGroup(4, 'v : 1'); S = Synapses(P, P); S.connect(" + args + "); print(S.i, S.j)"
}

// library2 is a network with a neuron of the library.
func library2(args string) string {
	return "P = SpikeGeneratorGroup(2, [0, 1], [0, 0.1]*ms); G = NeuronGroup(1, iaf_psc_exp_multisynapse(tau_syn=[2*ms, 5*ms])); S = Synapses(P, G, " + args + "); S.connect(); run(3*ms); print(G.V_m[0])"
}

func watched(monitor, show string) string {
	return "G = NeuronGroup(2, 'dv/dt = 10/ms : 1\\nw : 1', threshold='v > 3 + i', reset='v = 0', events={'e': 'v > 2'}); G.v = '2*i'; G.run_regularly('v += 0.5', when='end'); M = " + monitor + "; run(1*ms); print(" + show + ")"
}

var alternatives = regexp.MustCompile(`«(.*?)\|(.*?)»`)

// perform runs a row's script with the argument, or without; warnings stand in
// the output.
func perform(t *testing.T, src string, with bool) (string, error) {
	text := alternatives.ReplaceAllStringFunc(src, func(s string) string {
		m := alternatives.FindStringSubmatch(s)
		if with {
			return m[1]
		}
		return m[2]
	})
	var warnings strings.Builder
	out, _, err := runText(t, text, Options{Warn: func(s string) { warnings.WriteString("warning: " + s + "\n") }, Open: func() (backend.Backend, error) { return ref.New(), nil }})
	return out + warnings.String(), err
}

// TestArguments: each argument changes what a script does, or is refused.
func TestArguments(t *testing.T) {
	rows := map[string]int{}
	for _, c := range arguments {
		rows[c.arg]++
		out, err := perform(t, c.src, true)
		without, err2 := perform(t, c.src, false)
		warned := strings.HasPrefix(c.refusal, "warning: ")
		switch {
		case c.arg == "seed.seed" && c.refusal != "": // to give nothing is refused
		case err2 != nil:
			t.Errorf("%s: %s: without the argument: %v", c.arg, c.src, err2)
		}
		switch {
		case c.refusal == "" && err != nil:
			t.Errorf("%s: %s: %v", c.arg, c.src, err)
		case c.refusal == "" && out == without:
			t.Errorf("%s: %s: with and without it, the output is %q", c.arg, c.src, out)
		case warned && (!strings.Contains(out, c.refusal) || strings.Contains(without, c.refusal)):
			t.Errorf("%s: %s: the output is %q, then %q without it", c.arg, c.src, out, without)
		case !warned && c.refusal != "" && (err == nil || !strings.Contains(err.Error(), c.refusal)):
			t.Errorf("%s: %s: the error is %v, want %q", c.arg, c.src, err, c.refusal)
		case !warned && c.refusal != "":
			var e *failure
			if !errors.As(err, &e) || !strings.Contains(err.Error(), ".star:1:") {
				t.Errorf("%s: %s: the error has no place: %v", c.arg, c.src, err)
			}
		}
	}
	want := map[string]bool{}
	add := func(of, params string) {
		for _, p := range argument.Names(params) {
			want[of+"."+p] = true
		}
	}
	for of, params := range brian2 {
		add(of, params)
		ours := methodParams[of]
		if f, ok := functions[of]; ok {
			ours = f.params
		}
		add(of, ours)
		if got := strings.Join(argument.Names(ours), " "); got != "" && !strings.HasPrefix(got+" ", params+" ") { // given without names
			t.Errorf("%s takes %s, in Brian2 %s", of, got, params)
		}
	}
	for _, a := range slices.Sorted(maps.Keys(want)) {
		if rows[a] == 0 {
			t.Errorf("%s has no row", a)
		}
	}
}
