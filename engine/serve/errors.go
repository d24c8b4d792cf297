package serve

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/script"
	"synfire/engine/script/memory"
)

// requestError says that a request is none.
type requestError struct{ msg string }

func (e *requestError) Error() string { return e.msg }

func asked(format string, a ...any) error { return &requestError{fmt.Sprintf(format, a...)} }

// discard removes the files of an answer that is not given.
func (s *server) discard(values map[string]*value) {
	for _, v := range values {
		if v != nil && v.NPY != "" {
			os.Remove(filepath.Join(s.o.Dir, v.NPY))
		}
	}
}

// describe is an error as an answer tells it, with what else there is to say.
func describe(err error, more map[string]any) map[string]any {
	e := map[string]any{"message": err.Error(), "text": err.Error(), "kind": "value"}
	for k, v := range more {
		e[k] = v
	}
	var at *eqn.Error
	if errors.As(err, &at) {
		e["message"] = at.Msg
		for k, v := range map[string]string{"file": at.File, "hint": at.Hint} {
			if v != "" {
				e[k] = v
			}
		}
		if at.Line > 0 {
			e["line"], e["col"] = at.Line, at.Col
		}
	}
	if trace := script.Trace(err); len(trace) > 0 {
		e["trace"] = trace
	}
	var (
		fault    *backend.Fault
		mem      *memory.Error
		request  *requestError
		device   *deviceError
		callback *callbackError
	)
	switch class := eqn.ClassOf(err); {
	case errors.As(err, &request), errors.Is(err, errFrame):
		e["kind"] = "protocol"
	case errors.As(err, &fault):
		e["kind"], e["object"], e["variable"], e["index"], e["step"] = "fault", fault.Trap.Object, fault.Trap.Name, fault.Item, fault.Step
	case errors.As(err, &callback):
		e["kind"], e["message"] = "callback", callback.text
	case errors.Is(err, engine.ErrInterrupted):
		e["kind"] = "interrupted"
	case errors.As(err, &mem), errors.Is(err, syscall.ENOSPC):
		e["kind"] = "memory"
	case errors.As(err, &device):
		e["kind"] = "device"
	case strings.HasPrefix(err.Error(), "internal"):
		e["kind"] = "internal"
	case class != "":
		e["kind"] = string(class)
	}
	return e
}
