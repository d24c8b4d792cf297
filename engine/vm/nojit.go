//go:build !(linux && amd64)

package vm

import (
	"errors"

	"synfire/engine/ir"
)

// jitCode is absent here: machine code is made on Linux and amd64 only.
type jitCode struct{}

type jitState struct{}

func canExecute() bool { return false }

func newJIT(*lowered, Mode) (*jitCode, error) {
	return nil, errors.New("vm: machine code is made on Linux and amd64 only")
}

func (*jitCode) run(*ir.Env, int, int) {}

func (*jitCode) newState() *jitState { return nil }

func (*jitCode) runWith(*jitState, *ir.Env, int, int) {}

func (*jitCode) listing() string { return "" }
