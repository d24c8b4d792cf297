package eqn

import (
	"strconv"
	"strings"
)

// String prints the number as Go and Python read it back.
func (n *Num) String() string {
	if n.Int && n.Value < 1<<63 {
		return strconv.FormatInt(int64(n.Value), 10)
	}
	s := strconv.FormatFloat(n.Value, 'g', -1, 64)
	if !strings.ContainsAny(s, ".eIN") {
		s += ".0"
	}
	return s
}

func (n *Truth) String() string {
	if n.Value {
		return "True"
	}
	return "False"
}

func (n *Name) String() string { return n.ID }

func (n *Unary) String() string { return show(n, 0) }

func (n *Binary) String() string { return show(n, 0) }

func (n *Call) String() string { return show(n, 0) }

func (n *Cond) String() string { return show(n, 0) }

// String prints the statement.
func (s Stmt) String() string { return s.Target.ID + " " + s.Op + " " + s.X.String() }

// show prints e for a place that binds with the given power.
func show(e Expr, least int) string {
	bp, s := 9, ""
	switch e := e.(type) {
	case *Num:
		if e.Value < 0 {
			bp = signPower
		}
		s = e.String()
	case *Unary:
		bp = signPower
		if e.Op == "not" {
			bp = notPower
			s = "not " + show(e.X, bp)
		} else {
			s = e.Op + show(e.X, bp)
		}
	case *Binary:
		t := token{kind: tokOp, text: e.Op}
		if letter(e.Op[0]) {
			t.kind = tokName
		}
		bp = power(&t)
		left, right := bp, bp+1
		switch {
		case e.Op == "**":
			left, right = bp+1, signPower
		case bp == 4:
			left = bp + 1
		}
		sep := " "
		if bp >= 6 {
			sep = ""
		}
		s = show(e.X, left) + sep + e.Op + sep + show(e.Y, right)
	case *Call:
		args := make([]string, len(e.Args))
		for i, a := range e.Args {
			args[i] = show(a, 0)
		}
		s = e.Func + "(" + strings.Join(args, ", ") + ")"
	case *Cond:
		bp = 0
		s = show(e.Then, 1) + " if " + show(e.If, 1) + " else " + show(e.Else, 1)
		if least == 0 {
			return s
		}
		bp = -1
	default:
		s = e.String()
	}
	if bp < least {
		return "(" + s + ")"
	}
	return s
}
