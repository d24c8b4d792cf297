package eqn

import "synfire/engine/ir"

// Lower writes statements into b. Each variable is loaded where it is first
// read and stored once, with its last value, at the end. It may be called
// several times on one Builder.
func Lower(b *ir.Builder, stmts []Stmt, sc Scope, m Machine) error { panic("todo") }

// LowerExpr writes an expression into b: F32 in internal units of the
// expression's dimension, I32, or Bool.
func LowerExpr(b *ir.Builder, e Expr, sc Scope, m Machine) (ir.Value, Type, Dim, error) {
	panic("todo")
}
