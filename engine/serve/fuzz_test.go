package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func framed(texts ...string) []byte {
	var b bytes.Buffer
	for _, t := range texts {
		writeFrame(&b, []byte(t))
	}
	return b.Bytes()
}

// FuzzFrames reads any stream to its end: no panic, nothing that waits, and what is
// answered are frames.
func FuzzFrames(f *testing.F) {
	hello := framed(`{"do":"hello"}`)
	f.Add([]byte{})
	f.Add(hello)
	f.Add(hello[:3])
	f.Add(hello[:len(hello)-1])
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 4, 1})
	f.Add([]byte{255, 255, 255, 255, '{', '}'})
	f.Add(framed(`{"do":"stop"}`, `{"do":"close"}`, `{"do":"hello"}`))
	f.Add(framed(`{"do":"run","duration_s":1e9}`, `{"do":"stop"}`, "\xff\xfe", `[[[[`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		Run(context.Background(), bytes.NewReader(b), &out, Options{Dir: dir, Open: opened["cpu"]})
		for {
			a, err := readFrame(&out)
			if err == io.EOF {
				return
			}
			if err != nil || !json.Valid(a) {
				t.Fatalf("answer %q: %v", a, err)
			}
		}
	})
}

// FuzzRequests answers requests, one in a line, to a session with a small network:
// each gets one answer, whatever it is, and the session goes on.
func FuzzRequests(f *testing.F) {
	for _, lines := range []string{
		`{"do":"run","duration_s":0.001,"report_s":1e-9,"seq":1}`,
		`{"do":"get","what":["P.v","S.w","M.t","T.v","P.N","S.i","tau"],"index":3}`,
		`{"do":"get","what":["P.v"],"index":{"slice":[-1,null,-2]},"inline":0}`,
		`{"do":"get","what":["P.v"],"index":[0,1,-1]}`,
		`{"do":"get","what":["S.w"],"index":"i > 1"}`,
		`{"do":"set","target":"P.v","value":[1,2,3,4]}` + "\n" + `{"do":"get","what":["P.v"]}`,
		`{"do":"set","target":"P.v","value":{"npy":"x.npy"}}`,
		`{"do":"set","target":"P.active","value":false}` + "\n" + `{"do":"run","duration_s":0.001}`,
		`{"do":"set","target":"tau","value":{"value":0.01,"dim":[0,0,1,0,0,0,0]}}`,
		`{"do":"set","target":"S.w","value":1e999,"index":true}`,
		`{"do":"exec","text":"P.v = x","arrays":{"x":{"value":[1,2,3,4]}}}`,
		`{"do":"exec","text":"run(1*ms)"}` + "\n" + `{"do":"records","monitor":"M","from":1}`,
		`{"do":"exec","text":"op = NetworkOperation(callback('f'))"}` + "\n" + `{"do":"run","duration_s":0.0002}` + "\n" + `{"do":"get","what":["P.v"]}` + "\n" + `{"do":"resume"}` + "\n" + `{"do":"resume","error":"x"}`,
		`{"do":"records","monitor":"T","from":-1}`,
		`{"do":"snapshot"}` + "\n" + `{"do":"run","duration_s":0.001,"hash":false}` + "\n" + `{"do":"restore","random":true}` + "\n" + `{"do":"drop"}`,
		`{"do":"snapshot","file":"s.state","name":""}` + "\n" + `{"do":"restore","file":"s.state","name":""}`,
		`{"do":"restore","file":"x.npy"}`,
		`{"do":"reset","seed":18446744073709551615}`,
		`{"do":"stop"}`, `{"do":"resume"}`, `{"do":"hello","seq":{"a":[]}}`, `{}`, `[`, `null`, `{"do":"get","what":null}`,
	} {
		f.Add(lines)
	}
	dir := f.TempDir()
	x := append([]byte("\x93NUMPY\x01\x00\x46\x00"), fmt.Sprintf("%-69s\n", "{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }")...)
	x = append(x, make([]byte, 32)...)
	f.Fuzz(func(t *testing.T, lines string) {
		if err := os.WriteFile(filepath.Join(dir, "x.npy"), x, 0o666); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		s := &server{o: Options{Dir: dir, Open: opened["cpu"]}, out: &out, breaker: newBreaker(), frames: make(chan frame, pending)}
		s.begin(nil)
		defer func() { s.session.Close() }()
		if err := s.session.Exec(`
P = NeuronGroup(4, 'dv/dt = (1.1-v)/tau : 1', threshold='v > 1', reset='v = 0', method='exact')
tau = 1*ms
S = Synapses(P, P, 'w : 1', on_pre='v_post += w')
S.connect(i=[0, 1, 2], j=[1, 2, 3])
S.w = 0.1
M = SpikeMonitor(P)
T = StateMonitor(P, 'v', record=True)
`, nil); err != nil {
			t.Fatal(err)
		}
		enough := time.AfterFunc(300*time.Millisecond, s.breaker.end)
		defer enough.Stop()
		all := strings.Split(lines, "\n")
		asked := 0
		for k, line := range all[:min(len(all), pending)] {
			fr := frame{body: []byte(line), number: k + 1}
			fr.err = fr.parse()
			if fr.err != nil || fr.do != "stop" {
				asked++
			}
			s.frames <- fr
		}
		close(s.frames)
		answered, resumed := 0, 0
		for fr := range s.frames {
			if fr.err == nil && fr.do == "stop" {
				continue
			}
			s.breaker.begin(fr.number)
			err := s.answer(fr)
			s.breaker.finish()
			if err == errClosed {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for out.Len() > 0 {
			b, err := readFrame(&out)
			if err != nil {
				t.Fatal(err)
			}
			var a answer
			if err := json.Unmarshal(b, &a); err != nil {
				t.Fatalf("%q: %v", b, err)
			}
			switch {
			case a["event"] == "callback":
				resumed++ // a request may have been taken as its end
			case a["event"] == nil:
				answered++
			}
			if e, ok := a["error"].(map[string]any); ok && e["kind"] == "internal" {
				t.Errorf("%q: %v", lines, e["text"])
			}
		}
		if answered > asked || answered < asked-resumed {
			t.Errorf("%q: %d answers to %d requests, %d callbacks", lines, answered, asked, resumed)
		}
	})
}

// TestFrameTakesNoMemory asks for a long frame and sends none.
func TestFrameTakesNoMemory(t *testing.T) {
	b := binary.LittleEndian.AppendUint32(nil, maxFrame)
	if n := testing.AllocsPerRun(5, func() {
		if _, err := readFrame(bytes.NewReader(b)); err == nil {
			t.Error("no error")
		}
	}); n > 100 {
		t.Errorf("%v allocations", n)
	}
}
