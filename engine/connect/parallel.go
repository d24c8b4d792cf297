package connect

import (
	"runtime"
	"sync"
	"sync/atomic"

	"synfire/engine/host"
)

// workers is the number of goroutines that work may take.
func workers(w host.Work) int {
	if w.Threads <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return w.Threads
}

// parallel calls f for items 0 to n-1, handed out in ascending order to the
// threads of w. After an error, or once w is interrupted, no more items are
// handed out; the error of the least item is returned, whatever the timing,
// since all items below it were handed out before it and are finished.
func parallel(w host.Work, n int, f func(worker, item int) error) error {
	_, err := handOut(w, n, f)
	return err
}

// handOut is parallel, and says which item the error is of.
func handOut(w host.Work, n int, f func(worker, item int) error) (int, error) {
	threads := min(workers(w), n)
	var (
		next  atomic.Int64
		stop  atomic.Bool
		mu    sync.Mutex
		first = n
		fault error
		wait  sync.WaitGroup
	)
	work := func(worker int) {
		for !stop.Load() && w.Err() == nil {
			item := int(next.Add(1)) - 1
			if item >= n {
				return
			}
			if err := f(worker, item); err != nil {
				stop.Store(true)
				mu.Lock()
				if item < first {
					first, fault = item, err
				}
				mu.Unlock()
			}
		}
	}
	for k := 1; k < threads; k++ {
		wait.Go(func() { work(k) })
	}
	if n > 0 {
		work(0)
	}
	wait.Wait()
	if fault == nil && int(next.Load()) < n { // items were left out
		return first, w.Err()
	}
	return first, fault
}
