package compare

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestFirst finds every step of every interval, in few passes.
func TestFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Int64Range(0, 1<<40).Draw(t, "lo")
		size := rapid.Int64Range(1, 1<<rapid.IntRange(0, 20).Draw(t, "bits")).Draw(t, "size")
		want := lo + rapid.Int64Range(1, size).Draw(t, "at")
		ways := rapid.IntRange(2, 40).Draw(t, "ways")
		passes := 0
		got, err := First(lo, lo+size, ways, func(points []int64) (int, error) {
			passes++
			if len(points) == 0 || len(points) > ways {
				t.Fatalf("%d points for %d ways", len(points), ways)
			}
			found := -1
			for k, p := range points {
				if p <= lo || p > lo+size || k > 0 && p <= points[k-1] {
					t.Fatalf("points %v of (%d, %d]", points, lo, lo+size)
				}
				if found < 0 && p >= want {
					found = k
				}
			}
			return found, nil
		})
		if err != nil || got != want {
			t.Fatalf("found %d, %v; expected %d", got, err, want)
		}
		// Each pass leaves a ways-th part, rounded up.
		if most := 2 + int(2*math.Log(float64(size))/math.Log(float64(ways))); passes > most {
			t.Fatalf("%d passes for %d steps with %d ways, expected at most %d", passes, size, ways, most)
		}
	})
}

// TestFirstComesAndGoes: of a difference that comes and goes, a step is found at
// which it begins.
func TestFirstComesAndGoes(t *testing.T) {
	differs := func(step int64) bool { return step >= 300 && step < 310 || step >= 777 }
	got, err := First(0, 1000, 8, func(points []int64) (int, error) {
		for k, p := range points {
			if differs(p) {
				return k, nil
			}
		}
		return -1, nil
	})
	if err != nil || !differs(got) || differs(got-1) {
		t.Errorf("found %d, %v", got, err)
	}
}

func TestFirstLost(t *testing.T) {
	if _, err := First(0, 1, 8, func([]int64) (int, error) { return -1, nil }); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v, expected ErrNotFound", err)
	}
	calls := 0
	_, err := First(0, 1000, 8, func(p []int64) (int, error) {
		if calls++; calls > 2 {
			return -1, nil
		}
		return len(p) - 1, nil
	})
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v, expected ErrNotFound", err)
	}
	broken := errors.New("broken")
	if _, err := First(0, 10, 2, func([]int64) (int, error) { return 0, broken }); err != broken {
		t.Errorf("error %v, expected the probe's own", err)
	}
}
