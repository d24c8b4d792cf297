package shaders

import (
	"fmt"
	"strings"
)

// A kernel that is a whole pass can make many of them in one dispatch, if its work groups wait for one another
// between two passes: a loop around what the kernel does in any case, over the parts that one work group of a dispatch
// each would have. OpenGL promises no progress of one group while another waits. So as many groups are started as were seen
// to come together on this device (meeting), all waiting is bounded, and before the first rendezvous nothing is written.
//
// A rendezvous is a word of C: how many groups came, over all of a dispatch, or, once one has waited for too long, which
// rendezvous failed. One atomic operation decides: either the last group has come before, then all go on, or
// the failure stands there first, then all leave, those that come later too. So all groups of a dispatch make the same
// passes, each to its end, and what memory holds is the state between two of them, whenever one fails: the passes that
// are left are dispatched one by one, and nothing has to be made again.

// polls is how often the groups of a dispatch look whether the others came, in all. On a GPU a look takes some half
// a microsecond, so that it is a quarter of a second: ten times what a dispatch takes, and far from the two seconds after which the systems of
// some devices take a kernel for hung. llvmpipe ends all loops of a lane after 65,535 rounds, of which these may be a quarter.
func polls(software bool) int {
	if software {
		return 1 << 14
	}
	return 1 << 19
}

// mostMeet is the largest number of groups that a rendezvous can count, mostPasses of passes of a dispatch.
const (
	mostMeet   = 1000
	mostPasses = 1 << 16
)

// meetText is the rendezvous. $ALONE stands for whether a group does not come, on purpose.
const meetText = `
shared uint said[1];
uint patience = $POLLSu;

// Rendezvous n of a dispatch: said is 1 where pass n is to be made, 2 where a fault or a full record ended the run, 0 where a group waited for too long.
void meet(uint n) {
	memoryBarrier(); barrier();
	if (gl_LocalInvocationID.x == 0u) {
		uint all = (n + 1u) * gl_NumWorkGroups.x, failed = 0x80000000u + (n << 10), come = 1u;
		$ALONE
		uint w = atomicAdd(C[<C.MET>], come) + come;
		while (w < all && patience > 0u) {
			patience--;
			$LOOK
		}
		for (uint i = 0u; w < all && i <= gl_NumWorkGroups.x; i++) { // others come meanwhile
			uint old = atomicCompSwap(C[<C.MET>], w, failed);
			w = old == w ? failed : old;
		}
		memoryBarrier();
		bool met = w >= all && (w < 0x80000000u || (w & 0x7fffffffu) >> 10 > n);
		said[0] = !met ? 0u : C[<C.FAULT>] < S || C[<C.HALT>] <= S ? 2u : 1u;
	}
	groupMemoryBarrier(); barrier();
	memoryBarrier();
}
`

// leaveText ends a dispatch: the group that leaves last makes ready for the next one.
const leaveText = `
void leave(bool failed) {
	memoryBarrier(); barrier();
	if (gl_LocalInvocationID.x == 0u && atomicAdd(C[<C.LEFT>], 1u) + 1u == gl_NumWorkGroups.x) {
		C[<C.LEFT>] = 0u;
		C[<C.MET>] = 0u;
		C[<C.STEP>] = S;
		if (failed) C[<C.BROKEN>] = 1u;
	}
}
`

// meetings are the two functions, for so many polls; fails: uniform FAIL is a rendezvous to which the last group does not come.
func meetings(polls int, fails bool) string {
	alone := ""
	if fails {
		alone = "\t\tif (n == FAIL && gl_WorkGroupID.x + 1u == gl_NumWorkGroups.x) { come = 0u; patience = 0u; }\n"
	}
	look := "w = atomicAdd(C[<C.MET>], 0u);"
	if polls < 1<<15 { // llvmpipe counts rounds, so each is a long one
		look = strings.Repeat(look+" ", 31) + look
	}
	return named(strings.NewReplacer("$LOOK", look, "$POLLS", fmt.Sprint(polls), "\t\t$ALONE\n", alone).Replace(meetText + leaveText))
}

// loopMain prints the function of a kernel that makes many passes.
func (k *kernel) loopMain() {
	k.lines(meetings(k.polls, k.fails))
	k.line("void main() {")
	k.line("uint lane = gl_LocalInvocationID.x;")
	k.line("if (C[<C.BROKEN>] != 0u) return; // a dispatch before failed; the host makes the passes")
	k.line("S = C[<C.STEP>];")
	k.line("bool on = true, failed = false;")
	k.line("for (uint n = 0u; on && n < PASSES && S < P[<P.STEPS>]; n++) {")
	k.line("meet(n);")
	k.line("on = said[0] == 1u;")
	k.line("failed = said[0] == 0u;")
	k.line("if (on) {")
	k.line("K = P[<P.STEPS>] - S;")
	k.line("K = K < P[%d] ? K : P[%d];", parSpan, parSpan)
	k.line("for (uint part = gl_WorkGroupID.x; part < P[Q + 3u * N]; part += gl_NumWorkGroups.x) {")
	if k.near > 0 {
		k.line("groupMemoryBarrier(); barrier();")
		k.line("if (lane == 0u) near[0] = 0u;")
		k.line("groupMemoryBarrier(); barrier();")
	}
	k.line("uint g = part, b = 0u;")
	k.onePart()
	k.line("}")
	if len(k.walks) > 0 { // nobody adds to those of this pass any more
		k.line("if (lane == 0u && gl_WorkGroupID.x == 0u) {")
		k.takeEvents()
		k.line("}")
	}
	k.line("S += K;")
	k.line("}")
	k.line("}")
	k.line("leave(failed);")
	k.line("}")
}

// probeText has groups exchange words: each reads what another one wrote before the last rendezvous. As many as
// have three quarters of a multiprocessor's shared memory each are on it at a time: one.
const probeText = `#version 430
layout(local_size_x = $LANES) in;
layout(std430, binding = 0) readonly restrict buffer BP { uint P[]; };
layout(std430, binding = 1) coherent restrict buffer BC { uint C[]; };
layout(std430, binding = 2) coherent restrict buffer BA { uint A[]; };
uniform uint PASSES, FAIL;
uint S;
shared uint room[$ROOM];
$MEET
void main() {
	uint lane = gl_LocalInvocationID.x, n = gl_NumWorkGroups.x * $LANESu, i = gl_WorkGroupID.x * $LANESu + lane;
	room[lane] = i;
	groupMemoryBarrier(); barrier();
	uint none = room[(lane ^ 1u) % $ROOMu] ^ i ^ 1u;
	bool on = true, failed = false;
	for (uint s = 0u; on && s < PASSES; s++) {
		S = s;
		meet(s);
		on = said[0] == 1u;
		failed = said[0] == 0u;
		if (on) {
			uint from = (s & 1u) * n, to = n - from;
			A[to + i] = A[from + (i * 5u + 3u + $LANESu) % n] * 5u + s + none;
			atomicAdd(A[2u * n + (i * 7u + s) % n], s + 1u);
		}
	}
	leave(failed);
}
`

// probe is probeText for groups of so many lanes and bytes of shared memory.
func probe(lanes, shared, polls int, fails bool) string {
	room := max(lanes, (shared*3/4-256)/4)
	return strings.NewReplacer("$LANES", fmt.Sprint(lanes), "$ROOM", fmt.Sprint(room), "$MEET", meetings(polls, fails)).Replace(probeText)
}
