package script

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/train"
)

// made is what a part of a training is described with: a loss, an optimiser, a
// surrogate, a parameter with settings of its own, a result.
type made struct {
	opaque
	class   string
	is      any
	members starlark.StringDict
}

func (m *made) String() string      { return "<" + m.class + ">" }
func (m *made) Type() string        { return m.class }
func (m *made) AttrNames() []string { return slices.Sorted(maps.Keys(m.members)) }
func (m *made) Attr(name string) (starlark.Value, error) {
	return m.members[name], nil
}

// trainFunctions are the functions of training, with the names of snnTorch and PyTorch.
var trainFunctions = map[string]function{
	"train":     {"duration parameters loss / targets inputs optimizer surrogate epochs=1 batch_size=32 shuffle=True detach_reset=True clip_norm report=False", trainBuiltin},
	"evaluate":  {"duration loss / targets inputs", evaluateBuiltin},
	"parameter": {"variable / lr low high", parameterBuiltin},
	"SGD": {"lr / momentum=0", func(x *script, c *call) (starlark.Value, error) {
		return c.made("SGD", &rated{train.SGD{Momentum: c.within("momentum", 0, 0, 1)}, c.rate("lr")})
	}},
	"Adam": {"lr / betas=(0.9,0.999) eps=1e-8", func(x *script, c *call) (starlark.Value, error) {
		a := train.Adam{Epsilon: c.within("eps", 1e-8, 1e-300, math.Inf(1))}
		if c.Has("betas") {
			b, ok, err := array.OperandOf(c.Get("betas"))
			if err != nil || !ok || len(b.V) != 2 || !(b.V[0] > 0 && b.V[0] < 1 && b.V[1] > 0 && b.V[1] < 1) {
				c.failf("betas", "betas= must be two numbers between 0 and 1, such as (0.9, 0.999), not %s", array.Describe(c.Get("betas")))
			} else {
				a.Beta1, a.Beta2 = b.V[0], b.V[1]
			}
		}
		return c.made("Adam", &rated{a, c.rate("lr")})
	}},
	"ce_count_loss": {"group", func(x *script, c *call) (starlark.Value, error) {
		return c.made("ce_count_loss", train.CountCE(c.whole("group")))
	}},
	"ce_rate_loss": {"group", func(x *script, c *call) (starlark.Value, error) {
		return c.made("ce_rate_loss", train.RateCE(c.whole("group")))
	}},
	"mse_count_loss": {"group / correct_rate=1 incorrect_rate=0", func(x *script, c *call) (starlark.Value, error) {
		return c.made("mse_count_loss", train.CountMSE(c.whole("group"), c.within("correct_rate", 1, 0, 1), c.within("incorrect_rate", 0, 0, 1)))
	}},
	"ce_max_membrane_loss": {"variable", func(x *script, c *call) (starlark.Value, error) {
		return c.made("ce_max_membrane_loss", train.MaxCE(c.variable("variable")))
	}},
	"mse_membrane_loss": {"variable", func(x *script, c *call) (starlark.Value, error) {
		return c.made("mse_membrane_loss", train.MSE(c.variable("variable")))
	}},
}

// surrogates are the functions of the module surrogate.
var surrogates = map[string]function{
	"fast_sigmoid": {"/ slope=25 width", shaped("slope", 25, train.FastSigmoid)},
	"atan":         {"/ alpha=2 width", shaped("alpha", 2, train.Arctan)},
	"boxcar":       {"/ half=0.5 width", shaped("half", 0.5, train.Boxcar)},
	"triangle":     {"/ gamma=0.3 width", shaped("gamma", 0.3, train.Triangle)},
}

func init() { maps.Copy(functions, trainFunctions) }

// surrogateModule is the module surrogate.
func (x *script) surrogateModule() *pymodule {
	m := &pymodule{name: "surrogate", members: starlark.StringDict{}}
	for name, fn := range surrogates {
		m.members[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			c, err := bind(name, args, kwargs, fn.params)
			if err != nil {
				return nil, err
			}
			return fn.f(x, c)
		})
	}
	return m
}

func shaped(name string, def float64, make func(float64) train.Surrogate) func(*script, *call) (starlark.Value, error) {
	return func(x *script, c *call) (starlark.Value, error) {
		s := make(c.within(name, def, 1e-300, math.Inf(1)))
		if q := c.rate("width"); q != nil {
			s.Width, s.Dim = q.Value, q.Dim
		}
		return c.made(s.Name, s)
	}
}

// rated is an optimiser with its learning rate.
type rated struct {
	train.Optimiser
	rate *array.Quantity
}

func (c *call) made(class string, is any) (starlark.Value, error) {
	if c.err != nil {
		return nil, c.err
	}
	return &made{class: class, is: is}, nil
}

// within is a number in a range.
func (c *call) within(name string, def, lo, hi float64) float64 {
	v := c.Get(name)
	if v == nil {
		return def
	}
	x, err := array.ToMeasure(v, eqn.Dim{})
	switch {
	case err != nil:
		c.failf(name, "%s= %v", name, err)
	case !(x >= lo && x <= hi):
		c.failf(name, "%s= must be from %g to %g, not %g", name, lo, hi, x)
	}
	return x
}

// rate is a positive number or quantity.
func (c *call) rate(name string) *array.Quantity {
	v := c.Get(name)
	if v == nil {
		return nil
	}
	o, ok, err := array.OperandOf(v)
	switch {
	case err != nil || !ok || !o.One:
		c.failf(name, "%s= must be a number or a quantity, not %s", name, array.Describe(v))
	case !(o.V[0] > 0) || math.IsInf(o.V[0], 0):
		c.failf(name, "%s= must be positive, not %s", name, array.Describe(v))
	default:
		return &array.Quantity{Value: o.V[0], Dim: o.Dim}
	}
	return nil
}

// whole is a group, not a part of one.
func (c *call) whole(name string) *engine.NeuronGroup {
	g, _ := c.Get(name).(*group)
	if g != nil {
		if w, ok := g.c.(*engine.NeuronGroup); ok {
			return w
		}
	}
	c.failf(name, "%s() reads the spikes of a whole group, not of %s", c.Fn, array.Describe(c.Get(name)))
	return nil
}

func (c *call) variable(name string) *engine.Var {
	if v, ok := c.Get(name).(*variable); ok {
		return v.v
	}
	c.failf(name, "%s() takes a variable, such as G.v or S.w, not %s", c.Fn, array.Describe(c.Get(name)))
	return nil
}

// weighed is a parameter with settings of its own.
type weighed struct {
	v         *variable
	rate      *array.Quantity
	low, high float64
}

func parameterBuiltin(x *script, c *call) (starlark.Value, error) {
	c.variable("variable")
	if c.err != nil {
		return nil, c.err
	}
	p := &weighed{v: c.Get("variable").(*variable), rate: c.rate("lr"), low: math.Inf(-1), high: math.Inf(1)}
	for name, to := range map[string]*float64{"low": &p.low, "high": &p.high} {
		if c.Has(name) {
			y, err := array.ToMeasure(c.Get(name), p.v.v.Dim())
			if err != nil {
				c.failf(name, "%s= %v", name, err)
			}
			*to = y
		}
	}
	return c.made("parameter", p)
}

// rateFor is a learning rate in SI units for a parameter of a unit: that of its own, or
// the optimiser's.
func rateFor(p *weighed, o *rated) (float64, error) {
	q := p.rate
	if q == nil {
		q = o.rate
	}
	want, power := p.v.v.Dim(), 1
	if _, ok := o.Optimiser.(train.SGD); ok {
		power = 2
		for k := range want {
			want[k] *= 2
		}
	}
	switch {
	case q == nil:
		return 0, fmt.Errorf("lr= is missing: the length of the optimizer's steps")
	case q.Dim != want && power == 1:
		return 0, withHint("write parameter("+p.v.owner+"."+p.v.name+", lr=...) for one of its own", "%s.%s has the unit %v, so that a step of Adam does too: lr= has %v", p.v.owner, p.v.name, p.v.v.Dim(), q.Dim)
	case q.Dim != want:
		return 0, withHint("write parameter("+p.v.owner+"."+p.v.name+", lr=...) for one of its own", "%s.%s has the unit %v: lr= of SGD, a step by gradient, has that unit's square, not %v", p.v.owner, p.v.name, p.v.v.Dim(), q.Dim)
	}
	return q.Value, nil
}

// elements are those of a list, or the rows of a table.
func (x *script) samplesOf(v starlark.Value, dim *eqn.Dim) ([][]float64, error) {
	o, ok, err := array.OperandOf(v)
	if err == nil && ok && !o.One {
		if dim != nil && o.Dim != *dim && slices.ContainsFunc(o.V, func(y float64) bool { return y != 0 }) {
			return nil, fmt.Errorf("have the unit %v, expected %v", o.Dim, *dim)
		}
		n := 1
		if o.Table {
			n = o.Cols
		}
		var rows [][]float64
		for k := 0; k+n <= len(o.V); k += n {
			rows = append(rows, o.V[k:k+n])
		}
		return rows, nil
	}
	seq, ok := v.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("must be a list or a table with a row for each sample, not %s", array.Describe(v))
	}
	it := seq.Iterate()
	defer it.Done()
	var rows [][]float64
	var e starlark.Value
	for it.Next(&e) {
		o, ok, err := array.OperandOf(e)
		if err == nil && !ok {
			err = fmt.Errorf("must hold lists of numbers, not %s", array.Describe(e))
		}
		if err == nil && dim != nil && o.Dim != *dim && slices.ContainsFunc(o.V, func(y float64) bool { return y != 0 }) {
			err = fmt.Errorf("have the unit %v, expected %v", o.Dim, *dim)
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, o.V)
	}
	return rows, nil
}

// inputs are pairs of a variable and its values, or of a SpikeGeneratorGroup and its
// spikes, with a row for each sample.
func (x *script) inputs(c *call, dt float64) (list []train.Input, values [][]train.Value) {
	v := c.Get("inputs")
	if v == nil {
		return nil, nil
	}
	bad := func() ([]train.Input, [][]train.Value) {
		c.failf("inputs", "inputs= must be a pair (variable, values), (SpikeGeneratorGroup, spikes), or a list of such pairs, not %s", array.Describe(v))
		return nil, nil
	}
	var pairs []starlark.Value
	switch y := v.(type) {
	case starlark.Tuple:
		if len(y) == 2 {
			if _, ok := y[0].(starlark.Tuple); !ok {
				pairs = []starlark.Value{y}
				break
			}
		}
		pairs = y
	case *starlark.List:
		for k := range y.Len() {
			pairs = append(pairs, y.Index(k))
		}
	default:
		return bad()
	}
	for _, p := range pairs {
		pair, ok := p.(starlark.Tuple)
		if !ok || len(pair) != 2 {
			return bad()
		}
		var of []train.Value
		switch to := pair[0].(type) {
		case *variable:
			dim := to.v.Dim()
			rows, err := x.samplesOf(pair[1], &dim)
			if err != nil {
				c.failf("inputs", "inputs= of %s.%s %v", to.owner, to.name, err)
				return nil, nil
			}
			for _, r := range rows {
				of = append(of, train.Value{Values: r})
			}
			list = append(list, train.Input{Var: to.v})
		case *group:
			g, ok := to.c.(*engine.NeuronGroup)
			if !ok || to.class != "SpikeGeneratorGroup" {
				return bad()
			}
			seq, ok := pair[1].(starlark.Iterable)
			if !ok {
				return bad()
			}
			it := seq.Iterate()
			defer it.Done()
			var e starlark.Value
			for it.Next(&e) {
				s, err := spikesOf(e, dt)
				if err != nil {
					c.failf("inputs", "inputs= of %s: sample %d: %v", g.Name(), len(of), err)
					return nil, nil
				}
				of = append(of, train.Value{Spikes: s})
			}
			list = append(list, train.Input{Generator: g})
		default:
			return bad()
		}
		if len(values) > 0 && len(values[0]) != len(of) {
			c.failf("inputs", "inputs= have %d and %d samples", len(values[0]), len(of))
			return nil, nil
		}
		values = append(values, of)
	}
	return list, values
}

// spikesOf is a pair (indices, times).
func spikesOf(v starlark.Value, dt float64) (s train.Spikes, err error) {
	pair, ok := v.(starlark.Indexable)
	if !ok || pair.Len() != 2 {
		return s, fmt.Errorf("a pair of lists (indices, times) was expected, not %s", array.Describe(v))
	}
	if s.Index, err = array.ToInts(pair.Index(0)); err != nil {
		return s, fmt.Errorf("indices %v", err)
	}
	o, ok, err := array.OperandOf(pair.Index(1))
	if err == nil && (!ok || o.Table || o.Dim != second && len(o.V) > 0) {
		err = fmt.Errorf("times must be a list of times, not %s", array.Describe(pair.Index(1)))
	}
	for _, t := range o.V {
		s.Steps = append(s.Steps, int(math.Floor(t/dt+1e-3)))
	}
	return s, err
}

// training is what train() and evaluate() have in common.
func (x *script) training(c *call) (*train.Trainer, []train.Sample, error) {
	if x.operating > 0 {
		return nil, nil, fmt.Errorf("a network_operation cannot train a network")
	}
	o := train.Options{Duration: c.seconds("duration", 0), Threads: x.opt.Threads}
	if l, ok := c.Get("loss").(*made); ok {
		o.Loss, ok = l.is.(train.Loss)
		if !ok {
			c.failf("loss", "loss= must be a loss, not %s", array.Describe(l))
		}
	} else {
		c.failf("loss", "loss= must be a loss, such as ce_count_loss(O), not %s", array.Describe(c.Get("loss")))
	}
	x.setAliases()
	if c.err == nil && x.replaced() {
		c.fail("", x.renew(func(o object) bool { return engine.Fresh(o) }))
	}
	if c.err == nil {
		c.fail("", x.sameDt())
	}
	opt := &rated{Optimiser: train.Adam{}}
	if v := c.Get("optimizer"); v != nil {
		m, _ := v.(*made)
		ok := m != nil
		if ok {
			opt, ok = m.is.(*rated)
		}
		if !ok {
			c.failf("optimizer", "optimizer= must be SGD(lr=...) or Adam(lr=...), not %s", array.Describe(v))
			opt = &rated{Optimiser: train.Adam{}}
		}
	}
	o.Optimiser = opt.Optimiser
	if v := c.Get("surrogate"); v != nil {
		m, ok := v.(*made)
		if ok {
			o.Surrogate, ok = m.is.(train.Surrogate)
		}
		if !ok {
			c.failf("surrogate", "surrogate= must be one of surrogate.fast_sigmoid(), atan(), boxcar() and triangle(), not %s", array.Describe(v))
		}
	}
	o.DetachReset = c.boolean("detach_reset", true)
	o.ClipNorm = c.within("clip_norm", 0, 0, math.Inf(1))
	var list []starlark.Value
	switch v := c.Get("parameters").(type) {
	case nil:
	case *starlark.List:
		for k := range v.Len() {
			list = append(list, v.Index(k))
		}
	case starlark.Tuple:
		list = v
	default:
		list = []starlark.Value{v}
	}
	if c.Fn == "train" && len(list) == 0 {
		c.failf("parameters", "parameters= is empty: name what is trained, such as [S.w]")
	}
	for _, v := range list {
		p := &weighed{low: math.Inf(-1), high: math.Inf(1)}
		switch y := v.(type) {
		case *variable:
			p.v = y
		case *made:
			if w, ok := y.is.(*weighed); ok {
				p = w
			}
		}
		if p.v == nil {
			c.failf("parameters", "parameters= must hold variables, such as S.w, or parameter(S.w, lr=...), not %s", array.Describe(v))
			break
		}
		rate, err := rateFor(p, opt)
		if err != nil {
			c.fail("optimizer", err)
			break
		}
		q := train.Parameter{Var: p.v.v, Rate: rate}
		if !math.IsInf(p.low, 0) || !math.IsInf(p.high, 0) {
			q.Low, q.High = p.low, p.high
		}
		o.Parameters = append(o.Parameters, q)
	}
	if c.err != nil {
		return nil, nil, c.err
	}
	ins, values := x.inputs(c, x.net.StepSize)
	o.Inputs = ins
	n := 1
	if len(values) > 0 {
		n = len(values[0])
	}
	var targets [][]float64
	if v := c.Get("targets"); v != nil {
		var dim *eqn.Dim
		if o.Loss.Var != nil && !o.Loss.Labels {
			d := o.Loss.Var.Dim()
			dim = &d
		}
		var err error
		if targets, err = x.samplesOf(v, dim); err != nil {
			c.failf("targets", "targets= %v", err)
		} else if len(values) == 0 && !o.Loss.Labels && len(targets) > 1 && len(targets[0]) == 1 { // one sample
			one := []float64{}
			for _, r := range targets {
				one = append(one, r...)
			}
			targets = [][]float64{one}
		} else if len(values) == 0 {
			n = len(targets)
		}
		if c.err == nil && len(targets) != n {
			c.failf("targets", "targets= has %d samples, inputs= %d", len(targets), n)
		}
	} else if c.Fn == "train" {
		c.failf("targets", "targets= is missing: what the loss compares with, one row for each sample")
	}
	if c.err != nil {
		return nil, nil, c.err
	}
	samples := make([]train.Sample, n)
	for k := range samples {
		for _, in := range values {
			samples[k].Inputs = append(samples[k].Inputs, in[k])
		}
		if targets != nil {
			samples[k].Target = targets[k]
		}
	}
	if x.opt.Info != nil { // as the first run() would
		if err := x.net.Info(x.work(), x.opt.Info); err != nil {
			return nil, nil, err
		}
		return nil, nil, errEnd
	}
	t, err := train.New(x.net, o)
	return t, samples, err
}

// trainBuiltin is train().
func trainBuiltin(x *script, c *call) (starlark.Value, error) {
	t, samples, err := x.training(c)
	if err != nil {
		return nil, err
	}
	f := train.FitOptions{Epochs: c.integer("epochs", 1), Batch: c.integer("batch_size", min(32, len(samples))), InOrder: !c.boolean("shuffle", true)}
	if f.Epochs < 1 || f.Batch < 1 {
		c.failf("epochs", "epochs= and batch_size= must be 1 or more")
	}
	report := c.boolean("report", false)
	if c.err != nil {
		return nil, c.err
	}
	f.Told = func(e *train.Epoch) bool {
		if report {
			text := fmt.Sprintf("epoch %d: loss %.5g", e.Number+1, e.Loss)
			if t.Loss.Labels {
				text += fmt.Sprintf(", %.1f %% right", 100*float64(e.Right)/float64(e.Samples))
			}
			x.print(nil, text)
		}
		return true
	}
	epochs, err := t.Fit(x.ctx, samples, f)
	if err != nil {
		return nil, err
	}
	losses, right := &array.Array{Kind: array.Floats}, &array.Array{Kind: array.Floats}
	for _, e := range epochs {
		losses.V = append(losses.V, e.Loss)
		right.V = append(right.V, float64(e.Right)/float64(e.Samples))
	}
	m := &made{class: "training", members: starlark.StringDict{"loss": losses}}
	if t.Loss.Labels {
		m.members["accuracy"] = right
	}
	return m, nil
}

// evaluateBuiltin is evaluate().
func evaluateBuiltin(x *script, c *call) (starlark.Value, error) {
	t, samples, err := x.training(c)
	if err != nil {
		return nil, err
	}
	r, err := t.Evaluate(x.ctx, samples)
	if err != nil {
		return nil, err
	}
	out := &array.Array{Kind: array.Floats, Table: true}
	for _, row := range r.Outputs {
		out.V, out.Cols = append(out.V, row...), len(row)
	}
	if v := t.Loss.Var; v != nil {
		out.Dim = v.Dim()
	}
	m := &made{class: "evaluation", members: starlark.StringDict{"output": out}}
	if samples[0].Target != nil {
		m.members["loss"] = starlark.Float(r.Loss)
		if t.Loss.Labels {
			m.members["accuracy"] = starlark.Float(float64(r.Right) / float64(len(samples)))
		}
	}
	return m, nil
}
