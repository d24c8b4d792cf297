//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-gl/gl/v4.3-core/gl"
)

// compileBeside lets a driver compile on as many threads as it likes, where it can: what is compiled is asked for by
// source, and whether it is, only once all of a network's programs have been handed over.
func compileBeside(extensions []string) {
	const asMany = 0xffffffff
	switch {
	case slices.Contains(extensions, "GL_KHR_parallel_shader_compile"):
		gl.MaxShaderCompilerThreadsKHR(asMany)
	case slices.Contains(extensions, "GL_ARB_parallel_shader_compile"):
		gl.MaxShaderCompilerThreadsARB(asMany)
	}
}

// source is a program on its way from its text.
type source struct {
	name, text, key string
	origin          func(line int) string // the line of IR for a line of text, "" where none is
	shader, program uint32                // shader: 0 where the program was kept
}

// shared is a program, and how many have it.
type shared struct {
	source *source // until it is known to be compiled
	id     uint32
	users  int
	warm   bool // it was dispatched
}

// share is a program of text that networks beside one another have in common. It can be used once made says so.
func (d *device) share(name, text string, origin func(line int) string) uint32 {
	s := d.programs[text]
	if s == nil {
		x := d.begin(name, text, origin)
		s = &shared{source: x, id: x.program}
		d.programs[text] = s
	}
	s.users++
	return s.id
}

// made waits until a program is compiled.
func (d *device) made(text string) error {
	s := d.programs[text]
	if s.source == nil {
		return nil
	}
	if err := d.finish(s.source); err != nil {
		return err
	}
	s.source = nil
	return nil
}

func (d *device) unshare(text string) {
	if s := d.programs[text]; s != nil {
		if s.users--; s.users == 0 {
			if s.source != nil && s.source.shader != 0 {
				d.handed-- // nobody asks
			}
			gl.DeleteProgram(s.id)
			delete(d.programs, text)
		}
	}
}

// compile makes a program of text.
func (d *device) compile(name, text string, origin func(line int) string) (uint32, error) {
	x := d.begin(name, text, origin)
	if err := d.finish(x); err != nil {
		if x.shader != 0 {
			d.handed--
		}
		gl.DeleteProgram(x.program)
		return 0, err
	}
	return x.program, nil
}

// begin hands a text to the driver, or takes its program from the cache where it is there.
func (d *device) begin(name, text string, origin func(line int) string) *source {
	if d.opt.Inject == "compile" {
		text += "\ninjected error\n"
	}
	d.fresh = true
	x := &source{name: name, text: text, key: d.cacheKey(text), origin: origin}
	if x.program = d.cached(x.key); x.program != 0 {
		return x
	}
	d.handed++
	d.most = max(d.most, d.handed)
	x.shader, x.program = gl.CreateShader(gl.COMPUTE_SHADER), gl.CreateProgram()
	lines, release := gl.Strs(text + "\x00")
	defer release()
	gl.ShaderSource(x.shader, 1, lines, nil)
	gl.CompileShader(x.shader)
	gl.ProgramParameteri(x.program, gl.PROGRAM_BINARY_RETRIEVABLE_HINT, gl.TRUE)
	gl.AttachShader(x.program, x.shader)
	gl.DeleteShader(x.shader) // once it is attached no more
	gl.LinkProgram(x.program)
	return x
}

// finish waits until a text is compiled and linked.
func (d *device) finish(x *source) error {
	if x.shader == 0 {
		return nil
	}
	var ok, n int32
	if gl.GetShaderiv(x.shader, gl.COMPILE_STATUS, &ok); ok == 0 {
		gl.GetShaderiv(x.shader, gl.INFO_LOG_LENGTH, &n)
		log := make([]byte, n+1)
		gl.GetShaderInfoLog(x.shader, n+1, nil, &log[0])
		return d.badShader(x.name, x.text, gl.GoStr(&log[0]), x.origin)
	}
	if gl.GetProgramiv(x.program, gl.LINK_STATUS, &ok); ok == 0 {
		gl.GetProgramiv(x.program, gl.INFO_LOG_LENGTH, &n)
		log := make([]byte, n+1)
		gl.GetProgramInfoLog(x.program, n+1, nil, &log[0])
		return d.badShader(x.name, x.text, gl.GoStr(&log[0]), x.origin)
	}
	gl.DetachShader(x.program, x.shader)
	x.shader = 0
	d.handed--
	d.keep(x.key, x.program)
	return d.check("compiling " + x.name)
}

// badShader quotes the driver's log, the line of GLSL that it names and the IR
// that this line came from.
func (d *device) badShader(name, text, log string, origin func(int) string) error {
	log = strings.TrimSpace(log)
	at := ""
	if line := logLine(log); line > 0 {
		if all := strings.Split(text, "\n"); line <= len(all) {
			at = fmt.Sprintf("; line %d is %q", line, strings.TrimSpace(all[line-1]))
		}
		if from := origin(line); from != "" {
			at += ", from IR " + from
		}
	}
	return d.fail(BadShader, "%s: the driver said %q%s", name, log, at)
}
