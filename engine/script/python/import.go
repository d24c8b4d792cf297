package python

import (
	"strings"

	"go.starlark.net/syntax"
)

// dotted reads a.b.c.
func (p *parser) dotted() (string, syntax.Position) {
	at := p.tok.at
	name := p.ident().Name
	for p.take(".") {
		name += "." + p.ident().Name
	}
	return name, at
}

// from reads what stands behind from: a.b.c, or .b.c and ..b.c, which begin at the
// package in which the text stands.
func (p *parser) from() (string, syntax.Position) {
	at, up := p.tok.at, 0
	for p.is(".") || p.is("...") {
		up += len(p.next().text)
	}
	if up == 0 {
		return p.dotted()
	}
	of := strings.Split(p.mods.Package, ".")
	if p.mods.Package == "" || up > len(of) {
		p.fail(at, "a folder's scripts are a package for the script beside the folder: run that one", "there is no package around this script for an import that begins with a dot")
	}
	name := strings.Join(of[:len(of)-up+1], ".")
	if !p.is("import") {
		rest, _ := p.dotted()
		name += "." + rest
	}
	return name, at
}

// absence is why a module is not there, if it is not.
func (p *parser) absence(module string, at syntax.Position) (Absent, bool) {
	if module == "__future__" || p.mods.Known != nil && p.mods.Known(module) {
		return Absent{}, false
	}
	if root, _, _ := strings.Cut(module, "."); simulators[root] != "" { // whose script could be nothing else here
		p.fail(at, "docs/from-nest.md tells NEST's and PyNN's words and ours", "a script for %s does not run here: its neurons are there by their names, NeuronGroup(800, %s())", root, simulators[root])
	}
	return Absent{Pos: at, Msg: "there is no module " + module + " here",
		Hint: "modules are brian2, numpy, matplotlib, some of Python's and SciPy's, and scripts beside this one; or " + elsewhere}, true
}

// leaveOut leaves out a name of a module that is not there: an error where it is used,
// at once where the language has the name, which must not stand for it.
func (p *parser) leaveOut(a Absent, name string) {
	if !p.mods.Whole || p.mods.Predeclared == nil || p.mods.Predeclared(name) {
		p.fail(a.Pos, a.Hint, "%s", a.Msg)
	}
	p.absent[name] = a
	if n := len(p.unused); n == 0 || p.unused[n-1] != a {
		p.unused = append(p.unused, a)
	}
}

func module(name string, at syntax.Position) syntax.Expr { return call(Module, at, text(name, at)) }

// imports is import a.b as c, ...
func (p *parser) imports(list []syntax.Stmt) []syntax.Stmt {
	p.next()
	for {
		name, at := p.dotted()
		as, _, _ := strings.Cut(name, ".")
		of, to := as, at
		if p.take("as") {
			to = p.tok.at
			as, of = p.ident().Name, name
		}
		if a, is := p.absence(name, at); is {
			p.leaveOut(a, as)
			if !p.take(",") {
				return list
			}
			continue
		}
		if of != name { // the package has the name, and its module runs
			list = append(list, &syntax.ExprStmt{X: module(name, at)})
		}
		if !p.mods.Bound(of, "", as) {
			list = append(list, &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: &syntax.Ident{NamePos: to, Name: as}, RHS: module(of, at)})
		}
		if !p.take(",") {
			return list
		}
	}
}

// importsFrom is from a.b import c as d, ...
func (p *parser) importsFrom(list []syntax.Stmt) []syntax.Stmt {
	p.next()
	name, at := p.from()
	absence, isAbsent := p.absence(name, at)
	p.need("import")
	if star := p.tok.at; p.take("*") {
		if isAbsent {
			p.fail(at, absence.Hint, "%s", absence.Msg)
		}
		if p.mods.Bound(name, "*", "") {
			return list
		}
		if p.mods.All == nil {
			p.fail(star, "name what is wanted: from "+name+" import a, b", "not everything of %s can be imported at once", name)
		}
		all, err := p.mods.All(name)
		if err != nil {
			p.fail(star, "name what is wanted: from "+name+" import a, b", "not everything of %s can be imported at once: %v", name, err)
		}
		for _, n := range all {
			x := &syntax.DotExpr{X: module(name, at), Dot: star, Name: &syntax.Ident{NamePos: star, Name: n}}
			take := &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: &syntax.Ident{NamePos: star, Name: n}, RHS: x}
			// It may not have come to assign the name.
			list = append(list, &syntax.IfStmt{If: at, Cond: call("hasattr", at, module(name, at), text(n, at)), True: []syntax.Stmt{take}})
		}
		return list
	}
	closing := p.take("(")
	for {
		id := p.ident()
		as := id
		if p.take("as") {
			as = p.ident()
		}
		switch {
		case isAbsent:
			p.leaveOut(absence, as.Name)
		case name == "__future__", p.mods.Bound(name, id.Name, as.Name):
		case !p.mods.Has(name, id.Name): // an error where it is used
			p.absent[as.Name] = Absent{Pos: id.NamePos, Msg: name + " has no " + id.Name + " here"}
		default:
			x := &syntax.DotExpr{X: module(name, at), Dot: id.NamePos, Name: id}
			list = append(list, &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: &syntax.Ident{NamePos: as.NamePos, Name: as.Name}, RHS: x})
		}
		if !p.take(",") || closing && p.is(")") {
			break
		}
	}
	if closing {
		p.need(")")
	}
	return list
}
