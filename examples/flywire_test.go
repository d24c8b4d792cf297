package examples

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/engine/store"
	"synfire/kernels"
)

// TestFlywire: without its data the example says where they are; a file that is damaged or
// not the right one ends it with the file and the row.
func TestFlywire(t *testing.T) {
	const head = "Presynaptic_Index,Postsynaptic_Index,Excitatory x Connectivity\n"
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	src, err := os.ReadFile("flywire.star")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile("testdata/flywire/edges.parquet")
	if err != nil {
		t.Fatal(err)
	}
	write("cells.csv", ",Completed\n720575940600000001,True\n720575940600000002,True\n720575940600000003,True\n")
	write("flywire.star", string(src))
	write("good.csv", head+"0,1,300\n1,2,-4\n")
	write("range.csv", head+strings.Repeat("0,1,300\n", 1000)+"2,3,1\n")
	write("negative.csv", head+"0,1,300\n-1,1,300\n")
	write("row.csv", head+strings.Repeat("0,1,300\n", 1000)+"2,x,1\n")
	write("column.csv", "pre,post,weight\n0,1,300\n")
	write("short.parquet", string(whole[:len(whole)-100]))
	write("ids.csv", "id\n720575940600000001\n")
	run := func(cells, edges, driven string) (string, error) {
		var out strings.Builder
		set := map[string]string{"driven": driven}
		if cells != "" {
			set["cells"], set["edges"] = cells, edges
		}
		_, err := script.Run(context.Background(), script.Options{File: filepath.Join(dir, "flywire.star"), Set: set, Stdout: &out, Open: func() (backend.Backend, error) { return kernels.New(1), nil }})
		return out.String(), err
	}
	for _, c := range []struct{ cells, edges, driven, want string }{
		{"", "", "[]", "get Completeness_783.csv and Connectivity_783.parquet from github.com/philshiu/Drosophila_brain_model"},
		{"no.csv", "good.csv", "[]", `there is no file "no.csv"`},
		{"ids.csv", "good.csv", "[]", "there is no column ''"},
		{"cells.csv", "good.csv", "[720575940600000004]", "cells.csv has no neuron 720575940600000004"}, // a neighbour that float64 does not tell apart
		{"cells.csv", "range.csv", "[]", "j=3 of pair 1000 is out of range"},
		{"cells.csv", "negative.csv", "[]", "i=-1 of pair 1 is out of range"},
		{"cells.csv", "row.csv", "[]", "line 1002: column 'Postsynaptic_Index' must be a finite number, not 'x'"},
		{"cells.csv", "column.csv", "[]", "there is no column 'Presynaptic_Index'"},
		{"cells.csv", "short.parquet", "[]", "short.parquet"},
	} {
		if _, err := run(c.cells, c.edges, c.driven); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s, %s: %v; expected %q", c.cells, c.edges, c.driven, err, c.want)
		}
	}
	out, err := run("cells.csv", "good.csv", "[720575940600000001]")
	if err != nil || !strings.Contains(out, "3 neurons, 2 connections") || !strings.Contains(out, "720575940600000001") || !strings.Contains(out, "720575940600000002") {
		t.Errorf("%s %v", out, err)
	}
}

// TestFlywireBrian2: the spikes are Brian2's, every one in its step, where the driven neurons are kicked in every step and
// nothing is drawn.
func TestFlywireBrian2(t *testing.T) {
	f, err := os.Open("testdata/flywire/spikes.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	want, err := store.ReadTable(f, st.Size(), store.TableOptions{})
	if err != nil {
		t.Fatal(err)
	}
	type spike struct{ step, i int }
	left := map[spike]bool{}
	for k, step := range want.Columns["step"].I32 {
		left[spike{int(step), int(want.Columns["i"].I32[k])}] = true
	}
	if len(left) < 3000 {
		t.Fatalf("%d spikes of Brian2", len(left))
	}
	_, res := play(t, "flywire", map[string]string{"cells": "testdata/flywire/cells.csv", "edges": "testdata/flywire/edges.parquet", "duration": "30*ms", "rate": "10000*Hz"}, kernels.New(1), nil)
	m := spikesOf(t, res, "M")
	index, times := m.I(), m.T()
	for k, i := range index {
		s := spike{int(math.Round(times[k] * 1e4)), int(i)}
		if !left[s] {
			t.Fatalf("neuron %d spikes in step %d, Brian2's does not", s.i, s.step)
		}
		delete(left, s)
	}
	if len(left) > 0 {
		t.Errorf("%d spikes of Brian2 are not there", len(left))
	}
}
