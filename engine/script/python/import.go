package python

import (
	"strings"

	"go.starlark.net/syntax"
)

// dotted reads a.b.c.
func (p *parser) dotted() (string, syntax.Position) {
	at := p.tok.at
	if p.is(".") || p.is("...") {
		p.fail(at, "load('other.star', 'name') takes names from another script", "there are no packages of scripts")
	}
	name := p.ident().Name
	for p.take(".") {
		name += "." + p.ident().Name
	}
	return name, at
}

// known fails if there is no such module.
func (p *parser) known(module string, at syntax.Position) {
	if module != "__future__" && (p.mods.Known == nil || !p.mods.Known(module)) {
		p.fail(at, elsewhere+"; load('other.star', 'name') takes names from another script",
			"there is no module %s here: a script may import brian2, numpy, matplotlib, os, time, random, math", module)
	}
}

func module(name string, at syntax.Position) syntax.Expr { return call(Module, at, text(name, at)) }

// imports is import a.b as c, ...
func (p *parser) imports(list []syntax.Stmt) []syntax.Stmt {
	p.next()
	for {
		name, at := p.dotted()
		p.known(name, at)
		as, _, _ := strings.Cut(name, ".")
		of, to := as, at
		if p.take("as") {
			to = p.tok.at
			as, of = p.ident().Name, name
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
	name, at := p.dotted()
	p.known(name, at)
	p.need("import")
	if star := p.tok.at; p.take("*") {
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
		case name == "__future__", p.mods.Bound(name, id.Name, as.Name):
		case !p.mods.Has(name, id.Name): // an error where it is used
			p.absent[as.Name] = name + " has no " + id.Name + " here"
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
