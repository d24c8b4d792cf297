package bench

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"synfire/engine/num"
	"synfire/engine/philox"
	"synfire/engine/store"
)

// The counts of FlyWire v783: 15,091,983 edges of 138,639 cells, with 0 to some
// 9,600 targets each.
const (
	flyEdges  = 15091983
	flyCells  = 138639
	flyDegree = float64(flyEdges) / flyCells
	flyMost   = 9600
)

// flyFiles writes a surrogate of the fly's connectome into dir: log-normal
// out-degrees, uniform targets, a third of the cells inhibitory, weights of
// 0.275 mV for each contact with a geometric number of contacts. The arrays
// depend on the size alone.
func flyFiles(dir string, size float64) (map[string]string, error) {
	n := int(size)
	set := map[string]string{"kicked": fmt.Sprint(max(1, int(math.Round(150*size/flyCells))))}
	done := filepath.Join(dir, "fly_done")
	if _, err := os.Stat(done); err == nil {
		return set, nil
	}
	key := [2]uint32{0xf1, 0x7}
	draw := func(item uint32, stream uint32) float64 {
		return (float64(philox.Word(item, 0, 0, stream, key)) + 0.5) / (1 << 32)
	}
	// A log-normal of sigma 1.1 whose mean is the degree; the tail is cut.
	const sigma = 1.1
	mu := num.Log(flyDegree) - sigma*sigma/2
	degree := make([]int, n)
	total, want := 0, int(math.Round(flyDegree*size))
	for k := range degree {
		z := float64(math.Sqrt(-2*num.Log(draw(uint32(k), 1))) * num.Cos(2*math.Pi*draw(uint32(k), 5)))
		degree[k] = min(int(num.Exp(mu+float64(sigma*z))), flyMost, n)
		total += degree[k]
	}
	if n > flyMost { // the largest hub
		total += flyMost - degree[n/2]
		degree[n/2] = flyMost
	}
	for k := 0; total != want; k = (k + 1) % n { // exactly as many as are wanted
		if total < want && degree[k] < min(flyMost, n) {
			degree[k]++
			total++
		} else if total > want && degree[k] > 0 {
			degree[k]--
			total--
		}
	}
	var i, j []int32
	var w []float32
	item := uint32(0)
	for k, d := range degree {
		sign := 1.0
		if draw(uint32(k), 2) < 1.0/3 {
			sign = -1
		}
		for range d {
			contacts := 1 + math.Floor(num.Log(draw(item, 4))/num.Log(0.7))
			i = append(i, int32(k))
			j = append(j, int32(draw(item, 3)*size))
			w = append(w, float32(sign*0.275*min(contacts, 60)))
			item++
		}
	}
	err := save(filepath.Join(dir, "fly_i.npy"), store.Int32, func(a *store.Writer) error { return a.AppendInt32(i) })
	if err == nil {
		err = save(filepath.Join(dir, "fly_j.npy"), store.Int32, func(a *store.Writer) error { return a.AppendInt32(j) })
	}
	if err == nil {
		err = save(filepath.Join(dir, "fly_w.npy"), store.Float32, func(a *store.Writer) error { return a.AppendFloat32(w) })
	}
	if err == nil {
		err = os.WriteFile(done, nil, 0o644)
	}
	return set, err
}

func save(path string, t store.DType, put func(*store.Writer) error) error {
	w, err := store.NewVector(path, t)
	if err != nil {
		return err
	}
	err = put(w)
	if e := w.Close(); err == nil {
		err = e
	}
	return err
}
