package serve

import (
	"io"
	"testing"
)

// BenchmarkGet reads one value, from the request to the answer: 10,000 of them are to
// take less than a second.
func BenchmarkGet(b *testing.B) {
	s := &server{o: Options{Dir: b.TempDir(), Open: opened["cpu"]}, out: io.Discard, breaker: newBreaker()}
	s.begin(nil)
	if err := s.session.Exec(`
G = NeuronGroup(4000, 'v : volt', threshold='v > 1*mV')
S = Synapses(G, G, 'w : 1')
S.connect(p=0.02)
S.w = 'rand()'
run(1*ms)
`, nil); err != nil {
		b.Fatal(err)
	}
	for _, of := range []string{"G.v", "S.w", "S.i"} {
		b.Run(of, func(b *testing.B) {
			for b.Loop() {
				f := frame{body: []byte(`{"do":"get","what":["` + of + `"],"index":17}`)}
				f.err = f.parse()
				if err := s.answer(f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkArrays sets and reads a million values through files.
func BenchmarkArrays(b *testing.B) {
	s := &server{o: Options{Dir: "/dev/shm", Open: opened["cpu"]}, out: io.Discard, breaker: newBreaker()}
	s.begin(nil)
	if err := s.session.Exec("G = NeuronGroup(1000000, 'v : volt')", nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, text := range []string{`{"do":"get","what":["G.v"]}`, `{"do":"set","target":"G.v","value":{"npy":"a1.npy"}}`} {
			s.files = 0
			f := frame{body: []byte(text)}
			f.err = f.parse()
			if err := s.answer(f); err != nil {
				b.Fatal(err)
			}
		}
	}
}
