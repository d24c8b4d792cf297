//go:build mpi

// Package mpi is the seventeen functions of the MPI standard that ranks need: it
// starts a job, lets its ranks tell each other words, and ends it. It is built by
// `make mpi`, with the compiler that the MPI library brings (CC=mpicc).
//
// Whatever ranks do together begins with a head of a fixed size that each tells all:
// what it is about to do, with how many words, and the words where they have room.
// So ranks that have come apart see it, instead of waiting for each other. Nothing
// blocks inside the library: a rank that waits asks again and again, and lets others
// have the processor in between. What is begun and ended later (Begin, End) has its head
// among the others, in the order in which all ranks begin what they do; what the head has
// no room for goes over a communicator of its own, so that other calls may come between.
package mpi

/*
#include <mpi.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static MPI_Comm work, beside, leaving;

static int start(int *rank, int *size) {
	int level;
	if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level) != MPI_SUCCESS || level < MPI_THREAD_SERIALIZED)
		return 0;
	MPI_Comm_rank(MPI_COMM_WORLD, rank);
	MPI_Comm_size(MPI_COMM_WORLD, size);
	MPI_Comm_dup(MPI_COMM_WORLD, &work);
	MPI_Comm_dup(MPI_COMM_WORLD, &beside);
	MPI_Comm_dup(MPI_COMM_WORLD, &leaving);
	return 1;
}

static int done(MPI_Request *r) {
	int flag;
	MPI_Test(r, &flag, MPI_STATUS_IGNORE);
	return flag;
}

static long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

// Asks at once, then lets others have the processor, then sleeps, an eighth of the time that it has waited; most nanoseconds at the
// most, 0: as long as it takes.
static int waited(MPI_Request *r, long most) {
	enum { asks = 50, yields = 100000, least = 20000, nap = 1000000 };
	long start = 0, gone;
	for (int k = 0; !done(r); k++) {
		if (k < asks)
			continue;
		if (start == 0)
			start = now();
		if ((gone = now() - start) < yields) {
			sched_yield();
			continue;
		}
		if (most > 0 && gone > most)
			return 0;
		gone /= 8;
		struct timespec t = {0, gone < least ? least : gone > nap ? nap : gone};
		nanosleep(&t, NULL);
	}
	return 1;
}

static void heads(uint32_t *mine, int n, uint32_t *all, MPI_Request *r) {
	MPI_Iallgather(mine, n, MPI_UINT32_T, all, n, MPI_UINT32_T, work, r);
}

static void rests(uint32_t *mine, int n, uint32_t *all, int *of, int *at, int apart, MPI_Request *r) {
	MPI_Iallgatherv(mine, n, MPI_UINT32_T, all, of, at, MPI_UINT32_T, apart ? beside : work, r);
}

static void fold(void *words, int n, int sums) {
	MPI_Request r;
	MPI_Iallreduce(MPI_IN_PLACE, words, n, MPI_UINT32_T, sums ? MPI_SUM : MPI_BOR, work, &r);
	waited(&r, 0);
}

static void sizes(int *out, int *in) {
	MPI_Request r;
	MPI_Ialltoall(out, 1, MPI_INT, in, 1, MPI_INT, work, &r);
	waited(&r, 0);
}

static void swap(void *out, int *n, int *at, void *in, int *m, int *to) {
	MPI_Request r;
	MPI_Ialltoallv(out, n, at, MPI_UINT32_T, in, m, to, MPI_UINT32_T, work, &r);
	waited(&r, 0);
}

static int goodbye(long most) {
	static MPI_Request r = MPI_REQUEST_NULL;
	MPI_Ibarrier(leaving, &r);
	return waited(&r, most);
}

static void finish(void) { MPI_Finalize(); }
static void end(int status) { MPI_Abort(MPI_COMM_WORLD, status); }
*/
import "C"

import (
	"errors"
	"math"
	"time"
	"unsafe"

	"synfire/engine/backend"
	"synfire/engine/host"
)

// A head is what is done, a number of words, and the first of them.
const (
	headWords = 2
	mostHead  = 256
)

// op is how ranks tell each other words.
type op uint32

const (
	gather op = iota
	fold
	swap
)

// Job is the processes that mpirun has started, as one of them sees it. Its calls
// are made by one goroutine at a time. An error of the library ends all ranks.
type Job struct {
	rank, size int
	head       int // words of a head
	what       host.Meeting
	now        exchange
	begun      exchange // what Begin has begun
	swap       exchange // its parts
	in         []uint32
}

// exchange is words that each rank tells all, in memory that is not Go's.
type exchange struct {
	doing   uint32 // an op, and what for
	n       int    // own words
	alike   bool   // all have as many
	mine    words  // the own head
	heads   words  // by rank
	own     words  // the own words, where the head has no room for them
	rests   words  // those of all ranks of which that is so
	of, at  []C.int
	request *C.MPI_Request
	looked  bool // the heads have come
	more    bool // there are rests, which were asked for
	parts   [][]uint32
}

// words is memory that is not Go's.
type words struct {
	p *C.uint32_t
	n int
}

// room makes room for n words, of which what was there is lost.
func (w *words) room(n int) []uint32 {
	if n > w.n {
		C.free(unsafe.Pointer(w.p))
		w.n = n + n/4
		w.p = (*C.uint32_t)(C.malloc(C.size_t(4 * w.n)))
	}
	return unsafe.Slice((*uint32)(unsafe.Pointer(w.p)), n)
}

// Start joins the job; a process that mpirun has not started is one of its own.
func Start() (*Job, error) {
	var rank, size C.int
	if C.start(&rank, &size) == 0 {
		return nil, errors.New("the MPI library does not let threads take turns (MPI_THREAD_SERIALIZED)")
	}
	j := &Job{rank: int(rank), size: int(size)}
	j.head = min(max(1<<14/j.size, 16), mostHead)
	for _, x := range []*exchange{&j.now, &j.begun, &j.swap} {
		x.of, x.at, x.parts = make([]C.int, size), make([]C.int, size), make([][]uint32, size)
		x.request = (*C.MPI_Request)(C.malloc(C.size_t(unsafe.Sizeof(*x.request))))
	}
	return j, nil
}

// Rank is the number of this process, from 0 on.
func (j *Job) Rank() int { return j.rank }

// Size is the number of processes.
func (j *Job) Size() int { return j.size }

// begin tells the others what is to be done with n words; the words, unless they are nil.
func (j *Job) begin(x *exchange, do op, n int, told []uint32) {
	x.doing, x.n, x.alike, x.looked, x.more = uint32(j.what)|uint32(do)<<16, n, do == fold, false, false
	mine := x.mine.room(j.head)
	clear(mine)
	mine[0], mine[1] = x.doing, uint32(n)
	if len(told) <= j.head-headWords {
		copy(mine[headWords:], told)
	} else {
		copy(x.own.room(len(told)), told)
	}
	x.heads.room(j.size * j.head)
	C.heads(x.mine.p, C.int(j.head), x.heads.p, x.request)
}

// headOf is what a rank has told first.
func (j *Job) headOf(x *exchange, rank int) []uint32 {
	return x.heads.room(j.size * j.head)[rank*j.head : (rank+1)*j.head]
}

// compare panics where ranks are about to do different things.
func (j *Job) compare(x *exchange) {
	apart := j.apart(x)
	for r := range j.size {
		if apart == nil && x.alike && int(j.headOf(x, r)[1]) != x.n {
			apart = &backend.Apart{Text: host.TellApart([]host.Meeting{host.Meeting(x.doing & 0xffff)}), Failed: -1}
		}
	}
	if apart != nil {
		panic(apart)
	}
}

// apart says how the ranks have come apart; nil: all do the same.
func (j *Job) apart(x *exchange) *backend.Apart {
	all, same := make([]host.Meeting, j.size), true
	a := &backend.Apart{Failed: -1}
	for r := range all {
		h := j.headOf(x, r)
		all[r] = host.Meeting(h[0] & 0xffff)
		same = same && h[0] == x.doing
		if all[r] == host.MeetLeave && h[headWords] != 0 && a.Failed < 0 {
			a.Failed, a.Status = r, int(h[headWords])
		}
	}
	if same {
		return nil
	}
	a.Text = host.TellApart(all)
	return a
}

// look takes the heads in, which have come, and asks for what they had no room for.
func (j *Job) look(x *exchange) {
	x.looked = true
	j.compare(x)
	for r := range j.size {
		x.of[r] = C.int(j.headOf(x, r)[1])
		if int(x.of[r]) <= j.head-headWords {
			x.of[r] = 0
		}
	}
	total := lay(x.of, x.at)
	if x.more = total > 0; x.more {
		x.rests.room(total)
		apart := C.int(0)
		if x == &j.begun {
			apart = 1
		}
		C.rests(x.own.p, x.of[j.rank], x.rests.p, &x.of[0], &x.at[0], apart, x.request)
	}
}

// end returns what each rank has told.
func (j *Job) end(x *exchange) [][]uint32 {
	if !x.looked {
		C.waited(x.request, 0)
		j.look(x)
	}
	if x.more {
		C.waited(x.request, 0)
	}
	all := x.rests.room(int(x.at[j.size-1] + x.of[j.size-1]))
	for r := range j.size {
		if x.of[r] > 0 {
			x.parts[r] = all[x.at[r] : x.at[r]+x.of[r]]
		} else {
			h := j.headOf(x, r)
			x.parts[r] = h[headWords : headWords+h[1]]
		}
	}
	return x.parts
}

// For has the ranks meet for something, from now on.
func (j *Job) For(what host.Meeting) host.Ranks {
	j.what = what
	return j
}

// Gather returns what each rank has given, by rank; it is good until the next call.
func (j *Job) Gather(words []uint32) [][]uint32 {
	j.begin(&j.now, gather, len(words), words)
	return j.end(&j.now)
}

// Begin begins a Gather of its own. Nothing waits: End does.
func (j *Job) Begin(words []uint32) { j.begin(&j.begun, gather, len(words), words) }

// Look lets what was begun go on.
func (j *Job) Look() {
	if x := &j.begun; !x.looked && C.done(x.request) != 0 {
		j.look(x)
	} else if x.more {
		x.more = C.done(x.request) == 0
	}
}

// End returns what each rank has given Begin, by rank; it is good until the next one.
func (j *Job) End() [][]uint32 { return j.end(&j.begun) }

// Or replaces words by the bitwise or of all ranks' words, as many on each.
func (j *Job) Or(words []uint32) {
	j.fold(words, 0, func(to *uint32, w uint32) { *to |= w })
}

// Sum replaces words by the sums of all ranks' words, modulo 2^32.
func (j *Job) Sum(words []uint32) {
	j.fold(words, 1, func(to *uint32, w uint32) { *to += w })
}

// fold folds the others' words into the own: few with f, many as the library does.
func (j *Job) fold(words []uint32, sums C.int, f func(to *uint32, w uint32)) {
	x := &j.now
	if len(words) <= j.head-headWords {
		j.begin(x, fold, len(words), words)
		for r, of := range j.end(x) {
			for k, w := range of {
				if r != j.rank {
					f(&words[k], w)
				}
			}
		}
		return
	}
	j.begin(x, fold, len(words), nil)
	C.waited(x.request, 0)
	j.compare(x)
	const most = 1 << 26
	for len(words) > 0 {
		n := min(len(words), most)
		C.fold(unsafe.Pointer(&words[0]), C.int(n), sums)
		words = words[n:]
	}
}

// Swap tells each rank words of its own, which lie end to end, of[r] of them for rank
// r, and returns what each has told this one, by rank; it is good until the next call.
func (j *Job) Swap(words []uint32, of []int) [][]uint32 {
	x := &j.now
	j.begin(x, swap, 0, nil)
	C.waited(x.request, 0)
	j.compare(x)
	for r, n := range of {
		x.of[r] = C.int(n)
	}
	lay(x.of, x.at)
	in := &j.swap
	C.sizes(&x.of[0], &in.of[0])
	n := lay(in.of, in.at)
	if cap(j.in) < n+1 {
		j.in = make([]uint32, n+n/4+16)
	}
	j.in = j.in[:n+1]
	C.swap(unsafe.Pointer(unsafe.SliceData(words)), &x.of[0], &x.at[0], unsafe.Pointer(&j.in[0]), &in.of[0], &in.at[0])
	for r := range in.parts {
		in.parts[r] = j.in[in.at[r] : in.at[r]+in.of[r]]
	}
	return in.parts
}

// lay lays so many words of each rank end to end.
func lay(of, at []C.int) int {
	total := 0
	for r, n := range of {
		if total > math.MaxInt32-int(n) {
			panic("mpi: ranks exchange more than 2^31 words at once")
		}
		at[r] = C.int(total)
		total += int(n)
	}
	return total
}

// Leave tells the others that the rank has come to its end: all is done, or status is not 0 and why is a number that
// is the same for the same error. It returns what all have left with. A rank that has failed waits so long for the
// others; where some of them do something else, or do not come, the error says so.
func (j *Job) Leave(status int, why uint32, patience time.Duration) ([][2]uint32, *backend.Apart) {
	x := &j.now
	j.what = host.MeetLeave
	j.begin(x, gather, 2, []uint32{uint32(status), why})
	if status == 0 {
		patience = 0
	}
	if C.waited(x.request, C.long(patience)) == 0 {
		return nil, &backend.Apart{Failed: j.rank, Status: status}
	}
	if apart := j.apart(x); apart != nil {
		return nil, apart
	}
	all := make([][2]uint32, j.size)
	for r := range all {
		h := j.headOf(x, r)
		all[r] = [2]uint32{h[headWords], h[headWords+1]}
	}
	C.finish()
	return all, nil
}

// Part is the end of a rank of those that have come apart: it waits so long for all to have told
// what they had to tell, and then ends them.
func (j *Job) Part(status int, patience time.Duration) {
	if C.goodbye(C.long(patience)) == 0 {
		C.end(C.int(status))
	}
}
