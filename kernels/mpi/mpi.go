//go:build mpi

// Package mpi is the thirteen functions of the MPI standard that ranks need: it
// starts a job, lets its ranks tell each other words, and ends it. It is built by
// `make mpi`, with the compiler that the MPI library brings (CC=mpicc).
package mpi

/*
#include <mpi.h>
#include <stdint.h>
#include <stdlib.h>

static MPI_Comm work, leaving;
static MPI_Request left;
static uint32_t mine[2], *all;

static int start(int *rank, int *size) {
	int level;
	if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level) != MPI_SUCCESS || level < MPI_THREAD_SERIALIZED)
		return 0;
	MPI_Comm_rank(MPI_COMM_WORLD, rank);
	MPI_Comm_size(MPI_COMM_WORLD, size);
	MPI_Comm_dup(MPI_COMM_WORLD, &work);
	MPI_Comm_dup(MPI_COMM_WORLD, &leaving);
	return 1;
}

static void counts(int n, int *of) { MPI_Allgather(&n, 1, MPI_INT, of, 1, MPI_INT, work); }

static void gather(void *words, int n, void *to, int *of, int *at) {
	MPI_Allgatherv(words, n, MPI_UINT32_T, to, of, at, MPI_UINT32_T, work);
}

static void or(void *words, int n) { MPI_Allreduce(MPI_IN_PLACE, words, n, MPI_UINT32_T, MPI_BOR, work); }

static void sum(void *words, int n) { MPI_Allreduce(MPI_IN_PLACE, words, n, MPI_UINT32_T, MPI_SUM, work); }

static void sizes(int *out, int *in) { MPI_Alltoall(out, 1, MPI_INT, in, 1, MPI_INT, work); }

static void swap(void *out, int *n, int *at, void *in, int *m, int *to) {
	MPI_Alltoallv(out, n, at, MPI_UINT32_T, in, m, to, MPI_UINT32_T, work);
}

// What a rank leaves with outlives the call.
static void leave(uint32_t status, uint32_t why, int size) {
	mine[0] = status, mine[1] = why;
	all = calloc(2 * size, sizeof *all);
	MPI_Iallgather(mine, 2, MPI_UINT32_T, all, 2, MPI_UINT32_T, leaving, &left);
}

static int gone(void) {
	int flag;
	MPI_Test(&left, &flag, MPI_STATUS_IGNORE);
	return flag;
}

static uint32_t told(int k) { return all[k]; }

static void finish(void) { MPI_Finalize(); }
static void end(int status) { MPI_Abort(MPI_COMM_WORLD, status); }
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"
)

// Job is the processes that mpirun has started, as one of them sees it. Its calls
// are made by one goroutine at a time. An error of the library ends all ranks.
type Job struct {
	rank, size int
	of, at     []C.int
	to, from   []C.int // of Swap: words for each rank, and where they lie
	in, out    []uint32
	parts      [][]uint32
}

// Start joins the job; a process that mpirun has not started is one of its own.
func Start() (*Job, error) {
	var rank, size C.int
	if C.start(&rank, &size) == 0 {
		return nil, errors.New("the MPI library does not let threads take turns (MPI_THREAD_SERIALIZED)")
	}
	return &Job{rank: int(rank), size: int(size), of: make([]C.int, size), at: make([]C.int, size), to: make([]C.int, size), from: make([]C.int, size), parts: make([][]uint32, size)}, nil
}

// Rank is the number of this process, from 0 on.
func (j *Job) Rank() int { return j.rank }

// Size is the number of processes.
func (j *Job) Size() int { return j.size }

// Gather returns what each rank has given, by rank; it is good until the next call.
func (j *Job) Gather(words []uint32) [][]uint32 {
	C.counts(C.int(len(words)), &j.of[0])
	j.room()
	C.gather(unsafe.Pointer(unsafe.SliceData(words)), C.int(len(words)), unsafe.Pointer(&j.in[0]), &j.of[0], &j.at[0])
	return j.received()
}

// room makes room for of[r] words of each rank.
func (j *Job) room() {
	total := lay(j.of, j.at)
	if cap(j.in) < total+1 {
		j.in = make([]uint32, total+total/4+16)
	}
	j.in = j.in[:total+1]
}

// lay lays so many words of each rank end to end.
func lay(of, at []C.int) int {
	total := 0
	for r, n := range of {
		if total > math.MaxInt32-int(n) {
			panic(fmt.Sprintf("mpi: ranks exchange %d words at once, of 2^31 at most", total+int(n)))
		}
		at[r] = C.int(total)
		total += int(n)
	}
	return total
}

func (j *Job) received() [][]uint32 {
	for r, n := range j.of {
		j.parts[r] = j.in[j.at[r] : j.at[r]+n]
	}
	return j.parts
}

// Swap tells rank r words[r], and returns what each has told this one, by rank; it is
// good until the next call.
func (j *Job) Swap(words [][]uint32) [][]uint32 {
	j.out = j.out[:0]
	for r, of := range words {
		j.to[r] = C.int(len(of))
		j.out = append(j.out, of...)
	}
	lay(j.to, j.from)
	C.sizes(&j.to[0], &j.of[0])
	j.room()
	C.swap(unsafe.Pointer(unsafe.SliceData(j.out)), &j.to[0], &j.from[0], unsafe.Pointer(&j.in[0]), &j.of[0], &j.at[0])
	return j.received()
}

// Sum replaces words by the sums of all ranks' words, modulo 2^32.
func (j *Job) Sum(words []uint32) {
	each(words, func(at unsafe.Pointer, n C.int) { C.sum(at, n) })
}

// Or replaces words by the bitwise or of all ranks' words.
func (j *Job) Or(words []uint32) {
	each(words, func(at unsafe.Pointer, n C.int) { C.or(at, n) })
}

// each calls f for pieces of words that the library takes.
func each(words []uint32, f func(at unsafe.Pointer, n C.int)) {
	const most = 1 << 26
	for len(words) > 0 {
		n := min(len(words), most)
		f(unsafe.Pointer(&words[0]), C.int(n))
		words = words[n:]
	}
}

// Leave ends the rank's part in the job: all is done, or status is not 0 and why
// is a number that is the same for the same error. A rank that has failed waits so
// long for the others, which may have come to another end or wait for this one; if
// they do not leave too, the answer is nil, and End is to follow. Else it is what
// all ranks have left with.
func (j *Job) Leave(status int, why uint32, patience time.Duration) [][2]uint32 {
	C.leave(C.uint32_t(status), C.uint32_t(why), C.int(j.size))
	for start := time.Now(); C.gone() == 0; time.Sleep(200 * time.Microsecond) {
		if status != 0 && time.Since(start) > patience {
			return nil
		}
	}
	out := make([][2]uint32, j.size)
	for r := range out {
		out[r] = [2]uint32{uint32(C.told(C.int(2 * r))), uint32(C.told(C.int(2*r + 1)))}
	}
	C.finish()
	return out
}

// End ends all ranks at once.
func (j *Job) End(status int) { C.end(C.int(status)) }
