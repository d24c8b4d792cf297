package script

import (
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/script/python"
)

// here is where the script stands now.
func (x *script) here() syntax.Position {
	for d := range x.thread.CallStackDepth() {
		if p := x.thread.CallFrame(d).Pos; x.sources[p.Filename()] != nil {
			return p
		}
	}
	return syntax.Position{}
}

// frame is the innermost function of the script that is running.
func (x *script) frame() (starlark.DebugFrame, *starlark.Function) {
	for d := range x.thread.CallStackDepth() {
		fr := x.thread.DebugFrame(d)
		if f, ok := fr.Callable().(*starlark.Function); ok {
			return fr, f
		}
	}
	return nil, nil
}

// names calls f with what a text of the model sees of the script: the locals of
// the function that calls, then the globals; f returns false to end.
func (x *script) names(f func(name string, v starlark.Value) bool) {
	if x.namespace != nil {
		for n, v := range x.namespace {
			if !f(n, v) {
				return
			}
		}
		return
	}
	fr, fn := x.frame()
	if fn == nil {
		if x.session != nil {
			x.session.names(nil, f)
		}
		return
	}
	for i := range fr.NumLocals() {
		if b, v := fr.Local(i); v != nil && !f(b.Name, v) {
			return
		}
	}
	for n, v := range fn.Globals() {
		if !f(n, v) {
			return
		}
	}
	for n, v := range x.shared.values {
		if !f(n, v) {
			return
		}
	}
	m := x.mainGlobals()
	if m != nil && fn.Position().Filename() != x.main.name {
		for n, v := range m {
			if !f(n, v) {
				return
			}
		}
	}
	if x.session != nil {
		x.session.names(m, f)
	}
}

// mainGlobals are the globals of the script itself so far.
func (x *script) mainGlobals() starlark.StringDict {
	for d := x.thread.CallStackDepth() - 1; d >= 0; d-- {
		if f, ok := x.thread.DebugFrame(d).Callable().(*starlark.Function); ok && f.Position().Filename() == x.main.name {
			return f.Globals()
		}
	}
	return x.final
}

// lookup gives the engine the value of an external name at this moment.
func (x *script) lookup(name string) (val any, ok bool) {
	last, unusable := "", false
	var bad error
	x.names(func(n string, v starlark.Value) bool {
		if n != name {
			return true
		}
		if text, ok := v.(starlark.String); ok || v == starlark.None {
			last = string(text) // found where there is nothing better, for the message
			unusable = unusable || ok
			return true
		}
		e, err := toEngine(v)
		if err != nil {
			bad = err
			return true
		}
		val, ok = e, true
		return false
	})
	if !ok && bad != nil {
		return bad, true
	}
	if !ok && unusable {
		return last, true
	}
	return val, ok
}

// visible lists the external names that lookup knows.
func (x *script) visible() []string {
	var r []string
	x.names(func(n string, v starlark.Value) bool {
		switch v.(type) {
		case starlark.Int, starlark.Float, starlark.Bool, array.Quantity, *timedArray, *binomial, *checked:
			r = append(r, n)
		}
		return true
	})
	return r
}

// locate finds the literal that a text of the model was written as: in the call
// or line where the script stands if it is there, else where it stands first.
func (x *script) locate(text string) eqn.Source {
	all := x.texts[text]
	if len(all) == 0 {
		return eqn.Source{Text: text, Line: 1, Col: 1}
	}
	pos := x.here()
	from, to := pos.Line, pos.Line
	if s := x.sources[pos.Filename()]; s != nil {
		if c := s.calls[placeOf(pos)]; c != nil {
			to = c.Rparen.Line
		}
	}
	for _, at := range all {
		if at.File == pos.Filename() && int32(at.Line) >= from && int32(at.Line) <= to {
			return at
		}
	}
	return all[0]
}

// globals lists the names that the script's file assigns at its top, in order.
func (s *source) globals() []string {
	if s == nil || s.tree == nil {
		return nil
	}
	if s.assigned == nil {
		s.assigned = s.atTop()
	}
	return s.assigned
}

func (s *source) atTop() []string {
	r := []string{}
	var target func(syntax.Expr)
	target = func(e syntax.Expr) {
		switch e := e.(type) {
		case *syntax.Ident:
			if !strings.HasPrefix(e.Name, "<") {
				r = append(r, e.Name)
			}
		case *syntax.DotExpr:
			if id, ok := e.X.(*syntax.Ident); ok && id.Name == fnShared {
				r = append(r, e.Name.Name)
			}
		case *syntax.TupleExpr:
			for _, y := range e.List {
				target(y)
			}
		case *syntax.ListExpr:
			for _, y := range e.List {
				target(y)
			}
		case *syntax.ParenExpr:
			target(e.X)
		}
	}
	var block func([]syntax.Stmt)
	block = func(b []syntax.Stmt) {
		for _, st := range b {
			switch st := st.(type) {
			case *syntax.AssignStmt:
				if c, ok := st.RHS.(*syntax.CallExpr); ok {
					if id, ok := c.Fn.(*syntax.Ident); ok && id.Name == python.Builtin {
						continue // it is the language's so far
					}
				}
				target(st.LHS)
			case *syntax.DefStmt:
				r = append(r, st.Name.Name)
			case *syntax.ForStmt:
				target(st.Vars)
				block(st.Body)
			case *syntax.WhileStmt:
				block(st.Body)
			case *syntax.IfStmt:
				block(st.True)
				block(st.False)
			case *syntax.LoadStmt:
				for _, id := range st.From {
					r = append(r, id.Name)
				}
			}
		}
	}
	block(s.tree.Stmts)
	return r
}

func (x *script) globals() map[string]bool {
	r := map[string]bool{}
	for _, n := range x.main.globals() {
		r[n] = true
	}
	return r
}

// aliases sets the aliases if objects were made since they were set last.
func (x *script) aliases() {
	if len(x.objects) != x.aliased {
		x.setAliases()
	}
}

// setAliases tells each object the variable that holds it: the first one in the
// order of the text.
func (x *script) setAliases() {
	globals := x.mainGlobals()
	if globals == nil && x.session == nil {
		return
	}
	if x.own == nil { // objects have left
		x.own, x.aliased = map[string]bool{}, 0
	}
	for _, o := range x.named {
		o.SetAlias("")
	}
	x.named = x.named[:0]
	for _, o := range x.objects[x.aliased:] {
		o.SetAlias("")
		x.own[o.Name()] = true
	}
	x.aliased = len(x.objects)
	done := map[object]bool{}
	for _, n := range x.main.globals() {
		v := globals[n]
		if v == nil {
			v = x.shared.values[n]
		}
		if v == nil && x.session != nil {
			v = x.session.kept[n]
		}
		h, ok := v.(holder)
		if !ok || h.object() == nil || done[h.object()] || x.own[n] {
			continue // no object, a subgroup, or a name that is taken
		}
		o := h.object()
		o.SetAlias(n)
		if done[o] = true; o.Network() == x.net.Network {
			x.named = append(x.named, o)
		}
	}
}
