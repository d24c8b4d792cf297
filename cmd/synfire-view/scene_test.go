package main

import (
	"errors"
	"image"
	"image/color"
	"testing"
	"time"

	"context"

	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
)

// pixels counts those of a colour in a part of a picture.
func pixels(img image.Image, r image.Rectangle, c color.RGBA) int {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if color.RGBAModel.Convert(img.At(x, y)) == c {
				n++
			}
		}
	}
	return n
}

const two = `
A = NeuronGroup(60, 'dv/dt = (2 - v)/(10*ms) : 1', threshold='v > 1', reset='v = 0', method='exact')
A.v = 'rand()'
B = NeuronGroup(20, 'dv/dt = (2 - v)/(20*ms) : 1', threshold='v > 1', reset='v = 0', method='exact')
B.v = 'rand()'
run(50*ms)
`

// TestScene: what a backend records is what the picture shows.
func TestScene(t *testing.T) {
	for _, only := range [][]string{nil, {"B"}} {
		p := newPace(64)
		s := &scene{model: "two.star", backend: "cpu", window: 0.05, only: only}
		go func() {
			for range 1000 {
				p.tick(0.1, 1e-4)
				time.Sleep(time.Millisecond)
			}
		}()
		res, err := script.Run(context.Background(), script.Options{File: "two.star", Src: []byte(two), Open: func() (backend.Backend, error) {
			return &live{Backend: kernels.New(1), pace: p, scene: s}, nil
		}})
		p.end()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"A", "B"}
		if only != nil {
			want = only
		}
		if len(s.pops) != len(want) || s.step != 500 {
			t.Fatalf("%d populations after %d steps, expected %v after 500", len(s.pops), s.step, want)
		}
		img := image.NewRGBA(image.Rect(0, 0, 800, 500))
		s.draw(img, false, 1)
		raster, rates := parts(img.Bounds())
		for k, pop := range s.pops {
			if pop.name != want[k] || uint64(pop.total) != res.Runs[0].Spikes[pop.name] || pop.total == 0 {
				t.Errorf("%s: %d spikes shown, the run had %v", pop.name, pop.total, res.Runs[0].Spikes)
			}
			if n := pixels(img, raster, palette[k]); n < int(pop.total)/2 {
				t.Errorf("%s: %d pixels for %d spikes", pop.name, n, pop.total)
			}
			if n := pixels(img, rates, palette[k]); n < rates.Dx()/2 {
				t.Errorf("%s: its rate has %d pixels over %d columns", pop.name, n, rates.Dx())
			}
		}
		if n := pixels(img, img.Bounds(), alarm); n > 0 {
			t.Errorf("%d pixels are marked as diverged", n)
		}
		s.end("ended")
		s.diverge("here")
		s.draw(img, true, 1)
		if n := pixels(img, raster, alarm); n < 10000 {
			t.Errorf("the mark has %d pixels", n)
		}
	}
}

// TestPace: pausing, single steps, speed.
func TestPace(t *testing.T) {
	p := newPace(1)
	p.toggle()
	p.tick(1, 1e-4)
	took := make(chan int)
	go func() {
		for {
			n, err := p.take(1000)
			if errors.Is(err, context.Canceled) {
				close(took)
				return
			}
			took <- n
		}
	}()
	select {
	case n := <-took:
		t.Fatalf("%d steps of a paused model", n)
	case <-time.After(20 * time.Millisecond):
	}
	if paused, speed := p.state(); !paused || speed != 1 {
		t.Errorf("paused %v at speed %g", paused, speed)
	}
	p.step()
	if n := <-took; n != 1 {
		t.Errorf("a single step made %d", n)
	}
	p.toggle()
	p.scale(2)
	p.tick(0.01, 1e-4)
	if n := <-took; n != 200 {
		t.Errorf("10 ms at speed 2 allow %d steps of 0.1 ms, expected 200", n)
	}
	p.tick(100, 1e-4)
	if n := <-took; n != 1000 {
		t.Errorf("%d steps, expected the 1000 that were asked for", n)
	}
	p.end()
	for range took {
	}
}
