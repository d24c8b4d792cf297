package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// synapses is a Synapses object.
type synapses struct {
	opaque
	x     *script
	s     *engine.Synapses
	later starlark.StringDict // what is set when there are synapses

	settled bool // it was
}

func (s *synapses) String() string {
	n, err := s.s.N(s.x.work())
	if err != nil {
		return fmt.Sprintf("<Synapses %s>", s.s.Name())
	}
	return fmt.Sprintf("<Synapses %s, %d synapses>", s.s.Name(), n)
}
func (s *synapses) Type() string   { return "Synapses" }
func (s *synapses) object() object { return s.s }

func (s *synapses) Len() int {
	n, err := s.s.N(s.x.work())
	if err != nil {
		return 0
	}
	return n
}

func (s *synapses) Attr(name string) (starlark.Value, error) {
	s.x.aliases()
	switch name {
	case "N":
		n, err := s.s.N(s.x.work())
		return starlark.MakeInt(n), err
	case "name":
		return starlark.String(s.s.Name()), nil
	case "active":
		return starlark.Bool(s.s.Active()), nil
	case "N_outgoing_pre", "N_incoming_post":
		return s.degrees(name == "N_incoming_post")
	case "indices":
		return &indices{s: s}, nil
	case "connect":
		return s.x.method(s, name, s.connect), nil
	case "run_regularly", "run_at":
		return s.x.method(s, name, s.runRegularly), nil
	case "N_pre", "N_post":
		src, tgt := s.s.Ends()
		if name == "N_post" {
			src = tgt
		}
		return starlark.MakeInt(src.N()), nil
	case "source", "target":
		src, tgt := s.s.Ends()
		if name == "target" {
			src = tgt
		}
		if c, ok := src.(cells); ok {
			return &group{x: s.x, c: c, class: "NeuronGroup"}, nil
		}
	}
	if slices.Contains(s.s.Pathways(), name) {
		return &pathway{x: s.x, s: s.s, name: name}, nil
	}
	switch name {
	case "register_synapses", "get_states", "set_states", "summed_updaters", "equations", "namespace", "clock", "event_driven":
		return nil, eqn.As(eqn.Unsupported, fmt.Errorf("Brian2 has .%s of Synapses; Synfire does not yet", name))
	}
	v, err := variableAttr(s.x, s.s.Name(), name, s.s.VarNames(), s.s.Var)
	if v, ok := v.(*variable); ok {
		src, tgt := s.s.Ends()
		v.ends = []int{src.N(), tgt.N()}
	}
	return v, err
}

// degrees are the numbers of synapses of each neuron, from the first of the group on
// of which the source or target may be a part: N_outgoing_pre, N_incoming_post.
func (s *synapses) degrees(post bool) (starlark.Value, error) {
	if len(s.s.Conns) == 0 {
		return whole([]int{}), nil
	}
	at := s.s.Src.Lo
	if post {
		at = s.s.Tgt.Lo
	}
	n, err := s.s.Degrees(s.x.work(), post, len(s.s.Conns))
	if err == nil {
		err = memory.Room(at+len(n), 8)
	}
	if err != nil {
		return nil, err
	}
	all := make([]int64, at+len(n))
	for k, d := range n {
		all[at+k] = int64(d)
	}
	return whole(all), nil
}

func (s *synapses) AttrNames() []string {
	return append(append([]string{"N", "N_incoming_post", "N_outgoing_pre", "active", "connect", "indices", "name", "run_at", "run_regularly"}, s.s.Pathways()...), s.s.VarNames()...)
}

func (s *synapses) SetField(name string, v starlark.Value) error {
	if name == "active" {
		return setActive(s.s, v)
	}
	w, err := s.Attr(name)
	if err != nil {
		return err
	}
	return assign(s.s.Name(), name, w, v)
}

func (s *synapses) runRegularly(c *call) (starlark.Value, error) {
	code, o := c.regularly()
	if c.err != nil {
		return nil, c.err
	}
	r, err := s.s.RunRegularly(code, o)
	return &regular{r: r}, err
}

// Get is S[index]: the numbers of the synapses there.
func (s *synapses) Get(ix starlark.Value) (starlark.Value, bool, error) {
	v, err := s.s.Var("i")
	if err != nil {
		return nil, false, err
	}
	src, tgt := s.s.Ends()
	at, err := (&variable{x: s.x, owner: s.s.Name(), name: "i", v: v.In(s.x.work()), ends: []int{src.N(), tgt.N()}}).index(ix)
	if err != nil {
		return nil, false, err
	}
	list, err := s.s.Find(s.x.work(), at)
	if _, one := at.(int); one && err == nil && len(list) == 1 { // M[S[0]] is one record, M[S[0, 1]] a list of them
		return starlark.MakeInt(list[0]), true, nil
	}
	return whole(list), true, err
}

// indices is S.indices, of which S.indices[index] is S[index].
type indices struct {
	opaque
	s *synapses
}

func (n *indices) String() string { return "<the indices of " + n.s.s.Name() + ">" }
func (n *indices) Type() string   { return "indices" }

func (n *indices) Get(ix starlark.Value) (starlark.Value, bool, error) { return n.s.Get(ix) }

// connectParams are Brian2's and NEST's.
const connectParams = "/ condition i j p n skip_if_invalid=False namespace level rule N indegree outdegree allow_autapses allow_multapses"

func (s *synapses) connect(c *call) (starlark.Value, error) {
	o := engine.ConnectOptions{Rule: c.str("rule", ""), SkipIfInvalid: c.boolean("skip_if_invalid", false)}
	none := false
	if c.integer("level", 0) != 0 {
		c.refuse("level")
	}
	switch v := c.Get("condition").(type) {
	case nil:
	case starlark.Bool:
		none = !bool(v) // Brian2: no synapse
		if c.Has("i") || c.Has("j") || c.Has("rule") {
			c.failf("condition", "a condition goes with neither i= and j= nor rule=")
		}
	case starlark.String:
		o.Condition = string(v)
	default:
		c.failf("condition", "the condition must be a text, not %s", array.Describe(v))
	}
	o.P = c.value("p")
	switch p := o.P.(type) {
	case int:
		o.P = float64(p)
	case engine.Quantity:
		c.failf("p", "p= is a probability, not %s", array.Describe(c.Get("p")))
	case engine.Array:
		c.failf("p", "p= is a number or a text, not %s", array.Describe(c.Get("p")))
	}
	if p, ok := o.P.(float64); ok && !(p >= 0 && p <= 1) {
		c.failf("p", "p= is a probability between 0 and 1, not %g", p)
	}
	if v := c.Get("n"); v != nil {
		if t, ok := starlark.AsString(v); ok {
			o.N = t
		} else {
			o.N = c.integer("n", 1)
		}
	}
	for name, to := range map[string]*any{"i": &o.I, "j": &o.J} {
		switch v := c.Get(name).(type) {
		case nil:
		case starlark.String:
			*to = string(v)
		case starlark.Int, starlark.Float:
			*to = c.integer(name, 0)
		default:
			list, err := toIndices(v)
			if err != nil {
				c.failf(name, "%s= %v", name, err)
			}
			*to = list
		}
	}
	if o.Rule != "" && !slices.Contains(ruleNames, o.Rule) {
		hint := eqn.Nearest(o.Rule, ruleNames)
		if hint == "" {
			hint = "the rules are " + strings.Join(ruleNames, ", ")
		}
		c.fail("rule", withHint(hint, "there is no rule '%s'", o.Rule))
	}
	given := ""
	for _, n := range []string{"N", "indegree", "outdegree"} {
		if !c.Has(n) {
			continue
		}
		o.RuleN, given = c.integer(n, 0), n
		if want := ruleNumber[o.Rule]; c.err == nil && want != n {
			c.failf(n, "%s= goes with rule='%s'", n, map[string]string{"N": "fixed_total_number", "indegree": "fixed_indegree", "outdegree": "fixed_outdegree"}[n])
		}
	}
	if want := ruleNumber[o.Rule]; c.err == nil && want != "" && given == "" {
		c.failf("rule", "rule='%s' needs %s=", o.Rule, want)
	}
	for name, to := range map[string]**bool{"allow_autapses": &o.Autapses, "allow_multapses": &o.Multapses} {
		if c.Has(name) {
			b := c.boolean(name, true)
			*to = &b
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	if none {
		return starlark.None, nil
	}
	old := s.x.namespace
	if err := s.x.useNamespace(c); err != nil {
		return nil, err
	}
	defer func() { s.x.namespace = old }()
	if s.settled {
		return nil, withHint("make other Synapses, or set S.weight and S.delay yourself", "the weights or delays that Synapses() was given are those of one connect(), which has been")
	}
	o.Work = s.x.work()
	if err := s.s.Connect(o); err != nil {
		return nil, err
	}
	return starlark.None, s.settleStatic()
}

var ruleNames = []string{"all_to_all", "fixed_indegree", "fixed_outdegree", "fixed_total_number", "one_to_one", "pairwise_bernoulli"}

// ruleNumber is the argument that a rule's number has.
var ruleNumber = map[string]string{"fixed_total_number": "N", "fixed_indegree": "indegree", "fixed_outdegree": "outdegree"}

// pathway is S.pre, S.post or a pathway with a name of its own.
type pathway struct {
	opaque
	x    *script
	s    *engine.Synapses
	name string
}

func (p *pathway) String() string { return fmt.Sprintf("<pathway %s of %s>", p.name, p.s.Name()) }
func (p *pathway) Type() string   { return "pathway" }

func (p *pathway) Attr(name string) (starlark.Value, error) {
	switch name {
	case "delay":
	case "order":
		n, err := p.s.Order(p.name)
		return starlark.MakeInt(n), err
	case "active":
		on, err := p.s.PathwayActive(p.name)
		return starlark.Bool(on), err
	default:
		return nil, nil
	}
	v, err := p.s.Delay(p.name)
	if err != nil {
		return nil, err
	}
	return &variable{x: p.x, owner: p.s.Name() + "." + p.name, name: "delay", v: v.In(p.x.work())}, nil
}

func (p *pathway) AttrNames() []string { return []string{"active", "delay", "order"} }

func (p *pathway) SetField(name string, v starlark.Value) error {
	switch name {
	case "delay":
		w, err := p.Attr(name)
		if err != nil {
			return err
		}
		return assign(p.s.Name(), name, w, v)
	case "active":
		on, err := truthOf(p.s.Name()+"."+p.name, v)
		if err != nil {
			return err
		}
		return p.s.SetPathwayActive(p.name, on)
	case "order":
		n, err := array.ToInt(v)
		if err != nil {
			return fmt.Errorf("the order %w", err)
		}
		return p.s.SetOrder(p.name, n)
	}
	return fmt.Errorf("a pathway has active, delay and order, not %s", name)
}
