package connect

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// workers is the number of goroutines for a request of threads threads.
func workers(threads int) int {
	if threads <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return threads
}

// parallel calls f for items 0 to n-1, handed out in ascending order to threads
// goroutines. After an error no more items are handed out; the error of the
// least item is returned, whatever the timing, since all items below it were
// handed out before it and are finished.
func parallel(threads, n int, f func(worker, item int) error) error {
	threads = min(workers(threads), n)
	var (
		next  atomic.Int64
		stop  atomic.Bool
		mu    sync.Mutex
		first = n
		fault error
		wait  sync.WaitGroup
	)
	work := func(worker int) {
		for !stop.Load() {
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
	for w := 1; w < threads; w++ {
		wait.Go(func() { work(w) })
	}
	if n > 0 {
		work(0)
	}
	wait.Wait()
	return fault
}
