//go:build viewer

package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/alecthomas/kong"
	"github.com/go-gl/gl/v3.3-core/gl"
	"github.com/go-gl/glfw/v3.3/glfw"

	"synfire/engine/backend"
	"synfire/engine/compare"
	"synfire/engine/script"
	_ "synfire/kernels"
	_ "synfire/kernels/ref"
	"synfire/shaders"
)

type cli struct {
	Model       string            `arg:"" help:"The script (.star)." placeholder:"MODEL.star"`
	Backend     string            `help:"cpu, gl or ref." enum:"cpu,gl,ref" default:"cpu"`
	Against     string            `help:"A second backend that runs along; where it differs in a word, a red mark says so." enum:"none,cpu,gl,ref" default:"none"`
	Populations []string          `help:"Which to show; without it all." placeholder:"NAME"`
	Window      float64           `help:"Model time that is seen, in seconds." default:"0.25"`
	Speed       float64           `help:"Model time per wall time at the beginning." default:"0.1"`
	Paused      bool              `help:"Begin paused."`
	Seed        *uint64           `help:"Seed of all random numbers, instead of the script's." placeholder:"N"`
	Set         map[string]string `help:"Give a parameter of the script a value." placeholder:"NAME=VALUE" mapsep:"none"`
	Threads     int               `help:"The most threads of cpu; 0: all cores." default:"0"`
	Device      string            `help:"The OpenGL device of gl, by number or part of its name." placeholder:"NAME"`
	Inject      string            `help:"Flip the lowest bit of one word of the second backend's state, to see the mark." placeholder:"VAR[:INDEX[:STEP]]"`
	Size        []int             `help:"Width and height of the picture." default:"1200,800"`
	Screenshot  string            `help:"When the model ends, write what the window shows into this file, and end." placeholder:"FILE.png"`

	twin *compare.Twin
}

func init() { runtime.LockOSThread() } // GLFW belongs to the main thread

func main() {
	var c cli
	kong.Parse(&c, kong.Name("synfire-view"), kong.Description("Shows a running model in a window."))
	diverged, err := c.view()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		var device *shaders.DeviceError
		if errors.As(err, &device) {
			os.Exit(3)
		}
		os.Exit(2)
	}
	if diverged {
		os.Exit(1)
	}
}

func (c *cli) open(name string) (backend.Backend, error) {
	return backend.Open(name, backend.Options{Threads: c.Threads, Device: c.Device})
}

// backend opens what the model runs on: the first backend, its twin, and the window's pace around them.
func (c *cli) backend(p *pace, s *scene) (backend.Backend, error) {
	b, err := c.open(c.Backend)
	if err != nil {
		return nil, err
	}
	s.backend = b.Name()
	if c.Against != "none" {
		other, err := c.open(c.Against)
		if err != nil {
			b.Close()
			return nil, err
		}
		t := &compare.Twin{Backend: b, Other: other}
		t.Differ = func(steps int64, words []compare.Word) {
			s.diverge(divergence(b.Name(), other.Name(), steps, words))
		}
		if c.Inject != "" {
			if t.Inject, err = compare.ParseInjection(c.Inject, 0); err != nil {
				t.Close()
				return nil, fmt.Errorf("--inject %w", err)
			}
		}
		c.twin = t
		b = t
		s.backend += " against " + other.Name()
	}
	return &live{Backend: b, pace: p, scene: s}, nil
}

func divergence(a, b string, steps int64, words []compare.Word) string {
	if len(words) == 0 {
		return fmt.Sprintf("%s and %s end differently within the %d steps made", a, b, steps)
	}
	w := words[0]
	return fmt.Sprintf("%s and %s within the first %d steps: %s[%d] is 0x%08x and 0x%08x (`synfire verify` finds the step)", a, b, steps, w.Buffer, w.Index, w.A, w.B)
}

// view runs the model and its window until one of them ends; it says whether two backends parted.
func (c *cli) view() (bool, error) {
	if len(c.Size) != 2 || c.Size[0] < 320 || c.Size[1] < 200 {
		return false, fmt.Errorf("--size: expected width and height, at least 320,200")
	}
	if !(c.Window > 0) || !(c.Speed > 0) {
		return false, errors.New("--window and --speed are positive numbers")
	}
	// Without a display glfw.Init fails late and by a panic: look first.
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" {
		return false, errors.New("there is no display (DISPLAY is not set): a window needs X11; `xvfb-run synfire-view ...` gives one that nobody sees")
	}
	if err := glfw.Init(); err != nil {
		return false, fmt.Errorf("no window can be made: %w", err)
	}
	defer glfw.Terminate()
	glfw.WindowHint(glfw.ContextVersionMajor, 3)
	glfw.WindowHint(glfw.ContextVersionMinor, 3)
	glfw.WindowHint(glfw.OpenGLProfile, glfw.OpenGLCoreProfile)
	glfw.WindowHint(glfw.OpenGLForwardCompatible, glfw.True)
	win, err := glfw.CreateWindow(c.Size[0], c.Size[1], filepath.Base(c.Model)+" – synfire", nil, nil)
	if err != nil {
		return false, fmt.Errorf("no window with OpenGL 3.3 can be made: %w", err)
	}
	win.MakeContextCurrent()
	glfw.SwapInterval(1)
	if err := gl.InitWithProcAddrFunc(glfw.GetProcAddress); err != nil {
		return false, err
	}

	pace := newPace(c.Speed)
	pace.paused = c.Paused
	scene := &scene{model: filepath.Base(c.Model), backend: c.Backend, only: c.Populations, window: c.Window}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		res, err := script.Run(ctx, script.Options{File: c.Model, Set: c.Set, Seed: c.Seed, Threads: c.Threads, Stdout: os.Stdout,
			Warn: func(msg string) { fmt.Fprintln(os.Stderr, "warning:", msg) },
			Open: func() (backend.Backend, error) { return c.backend(pace, scene) }})
		if err == nil && len(res.Runs) == 0 {
			err = fmt.Errorf("%s has no run(): there is nothing to see", c.Model)
		}
		if err == nil && c.Inject != "" && (c.twin == nil || !c.twin.Injected()) {
			err = fmt.Errorf("--inject %s: nothing was changed: there is no such word in the state, the step is not reached, or --against is missing", c.Inject)
		}
		done <- err
	}()
	win.SetKeyCallback(func(w *glfw.Window, key glfw.Key, _ int, action glfw.Action, _ glfw.ModifierKey) {
		if action == glfw.Release {
			return
		}
		switch key {
		case glfw.KeySpace:
			pace.toggle()
		case glfw.KeyRight:
			pace.step()
		case glfw.KeyEqual, glfw.KeyKPAdd:
			pace.scale(2)
		case glfw.KeyMinus, glfw.KeyKPSubtract:
			pace.scale(0.5)
		case glfw.KeyEscape:
			w.SetShouldClose(true)
		}
	})
	failed := c.loop(win, pace, scene, done)
	cancel()
	pace.end()
	select {
	case <-done:
	case <-time.After(5 * time.Second): // a long step; the process ends anyway
	}
	scene.mu.Lock()
	defer scene.mu.Unlock()
	return scene.diverged != "", failed
}

// loop draws until the window is closed or, with --screenshot, the model has ended.
func (c *cli) loop(win *glfw.Window, pace *pace, scene *scene, done chan error) error {
	img := image.NewRGBA(image.Rect(0, 0, c.Size[0], c.Size[1]))
	s := newScreen(img)
	before := time.Now()
	var failed error
	ended := false
	for frame := 0; !win.ShouldClose(); frame++ {
		now := time.Now()
		scene.mu.Lock()
		dt := scene.dt
		scene.mu.Unlock()
		pace.tick(min(now.Sub(before).Seconds(), 0.1), dt)
		before = now
		if !ended {
			select {
			case failed = <-done:
				ended = true
				scene.end("ended")
				if failed != nil {
					scene.end("failed: " + clip(failed.Error(), 90))
					fmt.Fprintln(os.Stderr, "error:", failed)
				}
				done <- nil
			default:
			}
		}
		paused, speed := pace.state()
		scene.draw(img, paused, speed)
		w, h := win.GetFramebufferSize()
		s.show(img, w, h)
		if ended && c.Screenshot != "" {
			err := s.save(c.Screenshot, w, h)
			return errors.Join(failed, err)
		}
		win.SwapBuffers()
		glfw.PollEvents()
		// Where vertical synchronisation is absent, 60 pictures a second are enough.
		time.Sleep(time.Until(now.Add(time.Second / 60)))
	}
	return failed
}

// screen copies pictures into the window: a texture, blitted.
type screen struct{ texture, buffer uint32 }

func newScreen(img *image.RGBA) *screen {
	s := &screen{}
	b := img.Bounds()
	gl.GenTextures(1, &s.texture)
	gl.BindTexture(gl.TEXTURE_2D, s.texture)
	gl.TexImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, int32(b.Dx()), int32(b.Dy()), 0, gl.RGBA, gl.UNSIGNED_BYTE, nil)
	gl.GenFramebuffers(1, &s.buffer)
	gl.BindFramebuffer(gl.READ_FRAMEBUFFER, s.buffer)
	gl.FramebufferTexture2D(gl.READ_FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, s.texture, 0)
	return s
}

func (s *screen) show(img *image.RGBA, w, h int) {
	b := img.Bounds()
	gl.BindFramebuffer(gl.READ_FRAMEBUFFER, s.buffer)
	gl.BindFramebuffer(gl.DRAW_FRAMEBUFFER, 0)
	gl.TexSubImage2D(gl.TEXTURE_2D, 0, 0, 0, int32(b.Dx()), int32(b.Dy()), gl.RGBA, gl.UNSIGNED_BYTE, gl.Ptr(img.Pix))
	// A picture begins at its top, OpenGL's windows at their bottom.
	gl.BlitFramebuffer(0, 0, int32(b.Dx()), int32(b.Dy()), 0, int32(h), int32(w), 0, gl.COLOR_BUFFER_BIT, gl.LINEAR)
}

// save writes what stands in the window, as OpenGL gives it back.
func (s *screen) save(file string, w, h int) error {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	gl.BindFramebuffer(gl.READ_FRAMEBUFFER, 0)
	gl.ReadBuffer(gl.BACK)
	gl.PixelStorei(gl.PACK_ALIGNMENT, 1)
	pix := make([]byte, 4*w*h)
	gl.ReadPixels(0, 0, int32(w), int32(h), gl.RGBA, gl.UNSIGNED_BYTE, gl.Ptr(pix))
	if e := gl.GetError(); e != gl.NO_ERROR {
		return fmt.Errorf("OpenGL error 0x%x while drawing", e)
	}
	for y := range h {
		copy(img.Pix[y*img.Stride:], pix[4*w*(h-1-y):4*w*(h-y)])
	}
	for k := 3; k < len(img.Pix); k += 4 {
		img.Pix[k] = 255
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}
