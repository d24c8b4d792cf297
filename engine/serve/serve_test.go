package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/engine/store"
	"synfire/kernels"
	"synfire/kernels/ref"
)

// opened are the backends that tests run on.
var opened = map[string]func() (backend.Backend, error){
	"cpu": func() (backend.Backend, error) { return kernels.New(2), nil },
	"ref": func() (backend.Backend, error) { return ref.New(), nil },
}

// client is the other end of the pipes.
type client struct {
	t     *testing.T
	in    *io.PipeWriter
	out   *io.PipeReader
	dir   string
	ended chan error
	end   func()   // of the server's context
	heard []answer // events
	call  func(a answer)
}

type answer map[string]any

func connected(t *testing.T, name string) *client {
	c := &client{t: t, dir: t.TempDir(), ended: make(chan error, 1)}
	in, w := io.Pipe()
	r, out := io.Pipe()
	c.in, c.out = w, r
	ctx, end := context.WithCancel(context.Background())
	c.end = end
	go func() {
		defer end()
		err := Run(ctx, in, out, Options{Dir: c.dir, Backend: name, Open: opened[name], Version: "test"})
		in.Close()
		out.Close()
		c.ended <- err
	}()
	t.Cleanup(func() {
		w.Close()
		r.Close()
		select {
		case <-c.ended:
		case <-time.After(30 * time.Second):
			t.Error("the server has not ended with its stream")
		}
	})
	return c
}

func (c *client) send(format string, a ...any) {
	if err := writeFrame(c.in, fmt.Appendf(nil, format, a...)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) receive() answer {
	c.t.Helper()
	b, err := readFrame(c.out)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	a := answer{}
	if err := json.Unmarshal(b, &a); err != nil {
		c.t.Fatalf("%s: %v", b, err)
	}
	return a
}

// answer is the next that is no event.
func (c *client) answer() answer {
	c.t.Helper()
	for {
		a := c.receive()
		if a["event"] == nil {
			return a
		}
		c.heard = append(c.heard, a)
		if a["event"] == "callback" && c.call != nil {
			c.call(a)
		}
	}
}

// ask sends a request and fails where it is not done.
func (c *client) ask(format string, a ...any) answer {
	c.t.Helper()
	c.send(format, a...)
	r := c.answer()
	if r["ok"] != true {
		c.t.Fatalf("%s: %v", fmt.Sprintf(format, a...), r["error"])
	}
	return r
}

// refused sends a request that is not done, and tells the kind of the error.
func (c *client) refused(format string, a ...any) (string, map[string]any) {
	c.t.Helper()
	c.send(format, a...)
	r := c.answer()
	if r["ok"] != false {
		c.t.Fatalf("%s: done", fmt.Sprintf(format, a...))
	}
	e := r["error"].(map[string]any)
	return e["kind"].(string), e
}

func (c *client) exec(text string) answer {
	c.t.Helper()
	return c.ask(`{"do":"exec","text":%s}`, encoded(text))
}

// whole runs a script at once: its hash.
func whole(t *testing.T, name, text string) map[string]any {
	var be backend.Backend
	var hash map[string]any
	_, err := script.Run(context.Background(), script.Options{File: filepath.Join(t.TempDir(), "whole.star"), Src: []byte(text),
		Open: func() (b backend.Backend, err error) { be, err = opened[name](); return be, err },
		AfterRun: func(r *script.Result) error {
			spikes, state, err := r.Net.Hash()
			hash = map[string]any{"spikes": spikes, "state": state}
			return err
		}})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

const cuba = `
seed(7)
taum, taue, taui = 20*ms, 5*ms, 10*ms
Vt, Vr, El = -50*mV, -60*mV, -49*mV
eqs = '''
dv/dt  = (ge+gi-(v-El))/taum : volt (unless refractory)
dge/dt = -ge/taue : volt
dgi/dt = -gi/taui : volt
'''
P = NeuronGroup(400, eqs, threshold='v>Vt', reset='v = Vr', refractory=5*ms, method='exact')
P.v = 'Vr + rand() * (Vt - Vr)'
we, wi = (60*0.27/10)*mV, (-20*4.5/10)*mV
Ce = Synapses(P, P, on_pre='ge += we')
Ci = Synapses(P, P, on_pre='gi += wi')
Ce.connect('i<320', p=0.1)
Ci.connect('i>=320', p=0.1)
Ce.delay = 'rand()*8*ms'
M = SpikeMonitor(P)
T = StateMonitor(P, 'v', record=[0, 5])
`

// TestServeLikeScript drives a network in three runs with assignments between them:
// the hash is that of one script which says the same.
func TestServeLikeScript(t *testing.T) {
	for name := range opened {
		t.Run(name, func(t *testing.T) {
			needs(t, name)
			want := whole(t, name, cuba+`
run(20*ms)
P.v = -55*mV
P.ge[3] = 2*mV
P.gi[2:6:2] = [-1, -2]*mV
run(20*ms)
we = 0.5*mV
P.v['i < 50'] = 'Vr + rand()*mV'
run(30*ms)
`)
			c := connected(t, name)
			c.exec(cuba)
			c.ask(`{"do":"run","duration_s":0.02}`)
			c.ask(`{"do":"set","target":"P.v","value":-0.055}`)
			c.ask(`{"do":"set","target":"P.ge","value":0.002,"index":3}`)
			c.ask(`{"do":"set","target":"P.gi","value":[-0.001,-0.002],"index":{"slice":[2,6,2]}}`)
			c.ask(`{"do":"run","duration_s":0.02,"hash":false}`)
			c.ask(`{"do":"set","target":"we","value":{"value":0.0005,"dim":[2,1,-3,-1,0,0,0]}}`)
			c.ask(`{"do":"set","target":"P.v","value":{"text":"Vr + rand()*mV"},"index":"i < 50"}`)
			r := c.ask(`{"do":"run","duration_s":0.03,"report_s":1e-9}`)
			if got := r["hash"].(map[string]any); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("hash %v, the script has %v", got, want)
			}
			if r["backend"] != name || r["steps"] != 300.0 || r["stopped"] != false {
				t.Errorf("%v", r)
			}
			if len(c.heard) < 2 || c.heard[0]["event"] != "progress" || c.heard[len(c.heard)-1]["done"] != 300.0 {
				t.Errorf("events %v", c.heard)
			}
		})
	}
}

// value is the single value of a path.
func (c *client) value(path string) any {
	c.t.Helper()
	v := c.ask(`{"do":"get","what":[%q]}`, path)["values"].(map[string]any)[path].(map[string]any)
	if v["text"] != nil {
		return v["text"]
	}
	return v["value"]
}

// TestServeRecords reads what was recorded in pieces; long pieces come as files.
func TestServeRecords(t *testing.T) {
	c := connected(t, "cpu")
	c.exec(cuba)
	c.ask(`{"do":"run","duration_s":0.02}`)
	a := c.ask(`{"do":"records","monitor":"T"}`)
	c.ask(`{"do":"run","duration_s":0.01}`)
	b := c.ask(`{"do":"records","monitor":"T","from":%v,"inline":1000}`, a["n"])
	all := c.ask(`{"do":"records","monitor":"T","inline":1000}`)
	if a["n"] != 200.0 || all["n"] != 300.0 || fmt.Sprint(all["record"]) != "[0 5]" {
		t.Fatalf("n %v, %v; %v", a["n"], all["n"], all["record"])
	}
	column := func(r answer, name string) map[string]any {
		return r["columns"].(map[string]any)[name].(map[string]any)
	}
	for k := range 2 {
		rows := column(all, "v")["value"].([]any)
		if got, want := column(b, "v")["value"].([]any)[k].([]any), rows[k].([]any)[200:]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("row %d: %v, not %v", k, got, want)
		}
	}
	file, ok := column(a, "v")["npy"].(string)
	if !ok {
		t.Fatal("400 values came within a frame")
	}
	if st, err := os.Stat(filepath.Join(c.dir, file)); err != nil || st.Size() < 400*8 {
		t.Errorf("%s: %v", file, err)
	}
	s := c.ask(`{"do":"records","monitor":"M","inline":100000}`)
	if n := len(column(s, "i")["value"].([]any)); float64(n) != s["n"] || s["n"] != s["total"] || n == 0 {
		t.Errorf("%d spikes, n %v, total %v", n, s["n"], s["total"])
	}
	sum := 0.0
	for _, x := range s["count"].(map[string]any)["value"].([]any) {
		sum += x.(float64)
	}
	if sum != s["total"] {
		t.Errorf("count adds up to %v, total is %v", sum, s["total"])
	}
}

// TestServeCallback has a function of the client read, set and end a run.
func TestServeCallback(t *testing.T) {
	const model = `
G = NeuronGroup(3, 'x : 1')
G.x = 1
M = StateMonitor(G, 'x', record=True)
`
	want := whole(t, "cpu", model+`
def f():
    G.x[1] = G.x[1] + 1
op = NetworkOperation(f, dt=1*ms, when='end')
run(5*ms)
`)
	c := connected(t, "cpu")
	c.exec(model + "op = NetworkOperation(callback('f'), dt=1*ms, when='end')\n")
	var times []any
	c.call = func(a answer) {
		times = append(times, a["t"])
		x := c.ask(`{"do":"get","what":["G.x"],"index":1}`)["values"].(map[string]any)["G.x"].(map[string]any)["value"]
		c.ask(`{"do":"set","target":"G.x","index":1,"value":%v}`, x.(float64)+1)
		if kind, _ := c.refused(`{"do":"run","duration_s":1}`); kind != "value" {
			t.Errorf("run in a callback: %s", kind)
		}
		c.send(`{"do":"resume"}`)
	}
	r := c.ask(`{"do":"run","duration_s":0.005}`)
	if fmt.Sprint(r["hash"]) != fmt.Sprint(want) {
		t.Errorf("hash %v, the script has %v", r["hash"], want)
	}
	if fmt.Sprint(times) != "[0 0.001 0.002 0.003 0.004]" {
		t.Errorf("called at %v", times)
	}
	c.call = func(a answer) {
		c.send(`{"do":"stop"}`)
		c.send(`{"do":"resume"}`)
	}
	if r = c.ask(`{"do":"run","duration_s":0.005}`); r["stopped"] != true || r["steps"] != 1.0 {
		t.Errorf("stopped in a callback: %v", r)
	}
	c.call = func(a answer) { c.send(`{"do":"resume","error":"it is broken"}`) }
	if kind, e := c.refused(`{"do":"run","duration_s":0.005}`); kind != "callback" || e["message"] != "it is broken" {
		t.Errorf("%s: %v", kind, e)
	}
}

// TestServeStop ends a long run, after which the network goes on; what was recorded
// and the end of the stream are as they should be.
func TestServeStop(t *testing.T) {
	c := connected(t, "cpu")
	c.exec(cuba)
	c.send(`{"do":"run","duration_s":100000,"report_s":0.01,"seq":5}`)
	if a := c.receive(); a["event"] != "progress" || a["seq"] != 5.0 {
		t.Fatalf("%v", a)
	}
	c.send(`{"do":"stop"}`)
	r := c.answer()
	if r["ok"] != true || r["stopped"] != true || r["seq"] != 5.0 {
		t.Fatalf("%v", r)
	}
	n := c.ask(`{"do":"records","monitor":"T"}`)["n"]
	if n != r["steps"] {
		t.Errorf("%v samples of %v steps", n, r["steps"])
	}
	if r := c.ask(`{"do":"run","duration_s":0.001}`); r["steps"] != 10.0 || r["stopped"] != false {
		t.Errorf("after a stop: %v", r)
	}
	c.send(`{"do":"exec","text":"k = 0\nwhile True: k += 1\n"}`)
	c.send(`{"do":"stop"}`)
	if r := c.answer(); r["ok"] != false || r["error"].(map[string]any)["kind"] != "interrupted" {
		t.Errorf("an endless loop: %v", r)
	}
	if x := c.value("P.N"); x != 400.0 {
		t.Errorf("after the loop: N %v", x)
	}
	c.send(`{"do":"run","duration_s":100000}`)
	time.Sleep(20 * time.Millisecond)
	c.in.Close()
	select {
	case <-c.ended:
		c.ended <- nil
	case <-time.After(20 * time.Second):
		t.Fatal("the end of the stream has not ended the run")
	}
}

// TestServeSnapshot comes back to a state, in memory and from a file.
func TestServeSnapshot(t *testing.T) {
	c := connected(t, "cpu")
	c.exec(cuba)
	c.ask(`{"do":"run","duration_s":0.01}`)
	c.ask(`{"do":"snapshot","name":"a"}`)
	c.ask(`{"do":"snapshot","name":"b","file":"x.state"}`)
	want := c.ask(`{"do":"run","duration_s":0.02}`)["hash"]
	for _, where := range []string{`"name":"a"`, `"name":"b","file":"x.state"`} {
		if r := c.ask(`{"do":"restore",%s,"random":true}`, where); r["t"] != 0.01 {
			t.Errorf("restored to %v", r["t"])
		}
		if got := c.ask(`{"do":"run","duration_s":0.02}`)["hash"]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: hash %v, not %v", where, got, want)
		}
	}
	c.ask(`{"do":"drop","name":"a"}`)
	if kind, _ := c.refused(`{"do":"drop","name":"a"}`); kind != "name" {
		t.Error(kind)
	}
	c.ask(`{"do":"reset"}`)
	if kind, _ := c.refused(`{"do":"get","what":["P.v"]}`); kind != "name" {
		t.Error(kind)
	}
	c.ask(`{"do":"close"}`)
	if err := <-c.ended; err != nil {
		t.Error(err)
	}
	c.ended <- nil
}

// TestServeKinds asks for what cannot be: the kind and the place of each error.
func TestServeKinds(t *testing.T) {
	c := connected(t, "cpu")
	c.exec(cuba)
	exec := func(text string) string { return fmt.Sprintf(`{"do":"exec","text":%s}`, encoded(text)) }
	file := func(name, content string) {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	file("cut.npy", "\x93NUMPY\x01\x00v\x00{'descr': '<f8'")
	file("text.npy", "no array")
	for _, x := range []struct{ request, kind, field, want string }{
		{exec("x = 3*mV + 2"), "dimension", "col", "10"},
		{exec("y = 2\nx = nothing"), "name", "line", "2"},
		{exec("x = ("), "syntax", "line", "1"},
		{exec("P.v = 3"), "dimension", "", ""},
		{exec("P.v[400] = 3*mV"), "index", "", ""},
		{exec("P.nope = 3"), "name", "", ""},
		{exec("G = NeuronGroup(1, 'dv/dt = -v/tau : volt')\nNetwork(G).run(1*ms)\n"), "name", "file", "<exec 8>"},
		{exec("G = NeuronGroup(1, 'dv/dt = -v : 1')\nNetwork(G).run(1*ms)"), "dimension", "", ""},
		{exec("NeuronGroup(1, 'v : 1', codeobj_class=3)"), "unsupported", "", ""},
		{exec("restore_initial_state()"), "unsupported", "", ""},
		{exec("def f(k):\n    return [1][k]\nf(3)"), "index", "trace", "[called from <exec 12>:3]"},
		{exec("x = [0]*10**12"), "memory", "", ""},
		{`{"do":"get","what":["P.v"],"index":400}`, "index", "", ""},
		{`{"do":"get","what":["P.v"],"index":"i >"}`, "syntax", "", ""},
		{`{"do":"get","what":["P.v"],"index":[1.5]}`, "index", "", ""},
		{`{"do":"get","what":["P.v"],"index":[1,[2]]}`, "index", "", ""},
		{`{"do":"get","what":["P.v"],"index":{"slice":[1,2,0]}}`, "index", "", ""},
		{`{"do":"get","what":["P.v"],"index":{"slice":1}}`, "index", "", ""},
		{`{"do":"get","what":["P"]}`, "value", "", ""},
		{`{"do":"get","what":["P..v"]}`, "name", "", ""},
		{`{"do":"get","what":["<slice>"]}`, "name", "", ""},
		{`{"do":"get","what":[""]}`, "name", "", ""},
		{`{"do":"get","what":"P.v"}`, "protocol", "", ""},
		{`{"do":"get"}`, "protocol", "", ""},
		{`{"do":"get","what":["P.v"],"wat":1}`, "protocol", "", ""},
		{`{"do":"set","target":"P.v","value":[1,2,3]}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":{"npy":"none.npy"}}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":{"npy":"../x.npy"}}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":{"npy":"cut.npy"}}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":{"npy":"text.npy"}}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":{"value":1,"npy":"cut.npy"}}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":{"valeu":1}}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":1e400}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":1e30}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":"nan"}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":null}`, "value", "", ""},
		{`{"do":"set","target":"P.v","value":{"text":"i*"}}`, "syntax", "", ""},
		{`{"do":"set","target":"P.v","value":{"text":"i*1"}}`, "dimension", "", ""},
		{`{"do":"set","target":"P.N","value":3}`, "value", "", ""},
		{`{"do":"set","target":"P","value":3,"index":2}`, "index", "", ""},
		{`{"do":"set","target":"P v","value":3}`, "name", "", ""},
		{`{"do":"set","target":"P.v"}`, "protocol", "", ""},
		{`{"do":"run"}`, "protocol", "", ""},
		{`{"do":"run","duration_s":-1}`, "value", "", ""},
		{`{"do":"run","duration_s":1e300}`, "value", "", ""},
		{`{"do":"run","duration_s":1,"report_s":0}`, "protocol", "", ""},
		{`{"do":"run","duration_s":1,"net":"P"}`, "name", "", ""},
		{`{"do":"records","monitor":"P"}`, "name", "", ""},
		{`{"do":"records","monitor":"M","from":1}`, "value", "", ""},
		{`{"do":"restore","name":"x"}`, "value", "", ""},
		{`{"do":"restore","file":"../x"}`, "value", "", ""},
		{`{"do":"resume"}`, "protocol", "", ""},
		{`{"do":"fly"}`, "protocol", "", ""},
		{`{"do":3}`, "protocol", "", ""},
		{`{}`, "protocol", "", ""},
		{`[1]`, "protocol", "", ""},
		{`{"do":"hello"} {"do":"hello"}`, "protocol", "", ""},
		{`no json`, "protocol", "", ""},
		{``, "protocol", "", ""},
		{"{\"do\":\"hello\",\"x\":\"\xff\"}", "protocol", "", ""},
	} {
		c.send("%s", x.request)
		r := c.answer()
		if r["ok"] != false {
			t.Errorf("%s: done: %v", x.request, r)
			continue
		}
		e := r["error"].(map[string]any)
		if e["kind"] != x.kind || x.field != "" && fmt.Sprint(e[x.field]) != x.want {
			t.Errorf("%s: %s was expected, with %s %s: %v", x.request, x.kind, x.field, x.want, e)
		}
	}
	c.ask(`{"do":"run","duration_s":0.001}`)
	if names, _ := filepath.Glob(filepath.Join(c.dir, "*.npy")); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

// TestServeFault has a model break down: what was recorded until then is kept.
func TestServeFault(t *testing.T) {
	c := connected(t, "cpu")
	c.exec("G = NeuronGroup(3, 'dx/dt = 1e15*x/second*int(i == 2) : 1', method='euler', name='cells')\nG.x = 1\nM = StateMonitor(G, 'x', record=True)")
	kind, e := c.refused(`{"do":"run","duration_s":1}`)
	if kind != "fault" || e["object"] != "cells" || e["variable"] != "x" || e["index"] != 2.0 {
		t.Fatalf("%s: %v", kind, e)
	}
	if n := c.ask(`{"do":"records","monitor":"M"}`)["n"]; n != e["steps"].(float64)+1 && n != e["steps"] {
		t.Errorf("%v samples, %v steps", n, e["steps"])
	}
}

// TestServeEnded ends the context while a run goes on and a callback waits.
func TestServeEnded(t *testing.T) {
	for name, op := range map[string]string{"run": "", "callback": "op = NetworkOperation(callback('f'))"} {
		t.Run(name, func(t *testing.T) {
			c := connected(t, "cpu")
			c.exec("G = NeuronGroup(3, 'x : 1')\n" + op)
			c.send(`{"do":"run","duration_s":100000,"report_s":0.001}`)
			c.receive()
			go io.Copy(io.Discard, c.out)
			c.end()
			if err := <-c.ended; !errors.Is(err, engine.ErrInterrupted) {
				t.Errorf("%v", err)
			}
			c.ended <- nil
		})
	}
}

// TestServeBroken ends the stream in the middle.
func TestServeBroken(t *testing.T) {
	for name, bytes := range map[string]string{"a length cut short": "\x01\x00", "a frame cut short": "\x10\x00\x00\x00{\"do\":", "an oversized frame": "\xff\xff\xff\xff"} {
		t.Run(name, func(t *testing.T) {
			c := connected(t, "cpu")
			c.ask(`{"do":"hello"}`)
			go func() {
				c.in.Write([]byte(bytes))
				c.in.Close()
			}()
			if r := c.answer(); r["ok"] != false || r["error"].(map[string]any)["kind"] != "protocol" {
				t.Errorf("%v", r)
			}
			if err := <-c.ended; err == nil {
				t.Error("no error")
			}
			c.ended <- nil
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		c := connected(t, "cpu")
		c.out.Close()
		c.send(`{"do":"hello"}`)
		if err := <-c.ended; err == nil {
			t.Error("no error")
		}
		c.ended <- nil
	})
}

// TestServeBetweenRuns changes between runs what Brian2 lets one change: objects come
// and go, constants, spikes of a generator, active, explicit synapses from files. The
// hash is that of a script which does the same.
func TestServeBetweenRuns(t *testing.T) {
	const first = `
tau, w = 5*ms, 0.3
G = NeuronGroup(20, 'dv/dt = (drive - v)/tau : 1 (unless refractory)\ndrive : 1', threshold='v > 1', reset='v = 0', refractory=1*ms, method='exact', name='cells')
G.drive = '0.9 + i*0.02'
I = SpikeGeneratorGroup(2, [0, 1, 0], [1, 2, 3]*ms, name='input')
`
	const second = `
S = Synapses(I, G, 'a : 1', on_pre='v_post += w*a', name='syn')
S.connect(i=src, j=tgt)
S.a = amps
S.delay = '(i+1)*ms'
M = SpikeMonitor(G, name='mon')
net = Network(G, I, S, M)
`
	want := whole(t, "cpu", first+`
src, tgt, amps = [0, 0, 1, 1], [3, 4, 5, 3], [1, 2, 3, 4]
`+second+`
net.run(5*ms)
G.lastspike = -1*second
G.lastspike[3] = 4.5*ms
G.v = 0.5
tau, w = 4*ms, 0.2
I.set_spikes([1], [7]*ms)
H = NeuronGroup(2, 'dv/dt = 1/tau : 1', threshold='v > 1', reset='v = 0', name='more')
N = SpikeMonitor(H, name='mon2')
net.add(H, N)
net.run(3*ms)
S.active = False
net.remove(M)
net.run(2*ms)
S.active = True
net.run(2*ms)
`)
	c := connected(t, "cpu")
	c.exec(first)
	for name, values := range map[string][]float64{"src": {0, 0, 1, 1}, "tgt": {3, 4, 5, 3}, "amps": {1, 2, 3, 4}} {
		kind := store.Int32
		if name == "amps" {
			kind = store.Float32
		}
		if err := store.Save(filepath.Join(c.dir, name+".npy"), kind, []int{4}, values); err != nil {
			t.Fatal(err)
		}
	}
	c.ask(`{"do":"exec","text":%s,"arrays":{"src":{"npy":"src.npy"},"tgt":{"npy":"tgt.npy"},"amps":{"npy":"amps.npy","dim":[0,0,0,0,0,0,0]}}}`, encoded(second))
	if kind, _ := c.refused(`{"do":"get","what":["src"]}`); kind != "name" {
		t.Errorf("an array is there after its exec: %s", kind)
	}
	c.ask(`{"do":"run","duration_s":0.005,"net":"net"}`)
	c.ask(`{"do":"set","target":"G.lastspike","value":-1}`)
	c.ask(`{"do":"set","target":"G.lastspike","value":0.0045,"index":3}`)
	c.ask(`{"do":"set","target":"G.v","value":0.5}`)
	c.ask(`{"do":"set","target":"tau","value":{"value":0.004,"dim":[0,0,1,0,0,0,0]}}`)
	c.ask(`{"do":"set","target":"w","value":0.2}`)
	c.exec("I.set_spikes([1], [7]*ms)\nH = NeuronGroup(2, 'dv/dt = 1/tau : 1', threshold='v > 1', reset='v = 0', name='more')\nN = SpikeMonitor(H, name='mon2')\nnet.add(H, N)")
	c.ask(`{"do":"run","duration_s":0.003,"net":"net"}`)
	c.ask(`{"do":"set","target":"S.active","value":false}`)
	c.exec("net.remove(M)")
	c.ask(`{"do":"run","duration_s":0.002,"net":"net"}`)
	c.ask(`{"do":"set","target":"S.active","value":true}`)
	r := c.ask(`{"do":"run","duration_s":0.002,"net":"net"}`)
	if fmt.Sprint(r["hash"]) != fmt.Sprint(want) {
		t.Errorf("hash %v, the script has %v", r["hash"], want)
	}
	if r["t"] != 0.012 {
		t.Errorf("t %v", r["t"])
	}
	one := func(path string, index int) string {
		return fmt.Sprint(c.ask(`{"do":"get","what":[%q],"index":%d}`, path, index)["values"].(map[string]any)[path].(map[string]any)["value"])
	}
	if got := one("S.a", 3) + one("S.a", -1) + one("S.i", 3); got != "441" {
		t.Errorf("values of the last synapse: %s", got)
	}
	c.ask(`{"do":"set","target":"S.a","value":7,"index":3}`)
	if got := one("S.a", 3); got != "7" {
		t.Errorf("a value that was set: %s", got)
	}
	if kind, _ := c.refused(`{"do":"get","what":["S.a"],"index":4}`); kind != "index" {
		t.Errorf("a synapse that there is not: %s", kind)
	}
	for path, want := range map[string]string{"net.t": "0.012", "S.active": "true", "S.N": "4", "G.name": "cells", "N.num_spikes": "2", "defaultclock.dt": "0.0001"} {
		if got := fmt.Sprint(c.value(path)); got != want {
			t.Errorf("%s is %s, not %s", path, got, want)
		}
	}
}
