package connect_test

import (
	"fmt"

	"synfire/engine/connect"
	"synfire/engine/host"
)

// Two sources with three synapses each, delivered the way a backend does.
func Example() {
	p := &connect.Proj{
		Name: "S", Rule: connect.FixedOutdegree, N: 3, NPre: 2, NPost: 10, NoMultapses: true,
		Weight: connect.Column{Const: 0.5}, Delay: connect.Column{Const: 15}, // 15 steps, since Unit is 0
	}
	s := &connect.Spec{Name: "P.ge", NSrc: 2, NTgt: 10, Projs: []*connect.Proj{p}, Scale: 1 << 16, Width: 16}
	st, err := connect.Measure(s, host.Work{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(st.Total, "synapses, delays", st.Delays)

	// Sixteen bits hold weights below 2^15 units.
	s.Scale = 1 << 14
	tables, err := connect.Build(s, connect.Cut(s.NTgt, 1), host.Work{})
	if err != nil {
		fmt.Println(err)
		return
	}
	t := tables[0]
	defer t.Close()
	acc := make([]int32, t.NTgt)
	source, delay, delays := 1, 0, len(t.Delays)
	for e := t.Index[source*delays+delay]; e < t.Index[source*delays+delay+1]; e++ {
		acc[t.Packed[e]&0xffff] += int32(t.Packed[e]) >> 16
	}
	sum := int32(0)
	for _, a := range acc {
		sum += a
	}
	fmt.Println("source 1 adds", float64(sum)/s.Scale)
	// Output:
	// 6 synapses, delays [15]
	// source 1 adds 1.5
}
