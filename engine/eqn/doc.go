// Package eqn is the equation language: Brian2's syntax and semantics, from
// text to typed, unit-checked statements, and from those to ir programs.
//
// The way through it: ParseEquations reads a model, ParseStatements and
// ParseExpr read resets, pathways and string values; a Scope tells what a name
// means; Check verifies units; Integrate turns differential equations into the
// statements of one step; Lower and LowerExpr write statements and expressions
// into an ir.Builder through a Machine, which knows where variables live.
// Constants are folded in float64 and what depends on time alone becomes a host
// word (design section 3, rule 9) before there is IR.
package eqn
