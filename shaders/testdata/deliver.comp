#version 430
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly restrict buffer BP { uint P[]; };
layout(std430, binding = 1) coherent restrict buffer BC { uint C[]; };
layout(std430, binding = 2) restrict buffer B0 { uint A0[]; };
uniform uint S, K, T, N; // first step, steps, parameters in P, bodies
uint negate(uint a) { return a == 0u ? 0u : a ^ 0x80000000u; }
uint canon(uint a) {
	uint m = a & 0x7fffffffu;
	return m < 0x17800000u ? 0u : m > 0x53800000u ? (a & 0x80000000u) | 0x53800000u : a;
}
uint truncated(float x) {
	precise float a = x;
	precise float low = a < uintBitsToFloat(0xcf000000u) ? uintBitsToFloat(0xcf000000u) : a;
	precise float c = low > uintBitsToFloat(0x4effffffu) ? uintBitsToFloat(0x4effffffu) : low;
	return uint(int(c));
}
uvec4 block(uint quad, uint step, uint draw, uint stream) {
	uvec4 c = uvec4(quad, step - P[4], draw, stream);
	uvec2 k = uvec2(P[1], P[2]);
	for (int i = 0; i < 10; i++) {
		uint h0, l0, h1, l1;
		umulExtended(0xd2511f53u, c.x, h0, l0);
		umulExtended(0xcd9e8d57u, c.z, h1, l1);
		c = uvec4(h1 ^ c.y ^ k.x, l1, h0 ^ c.w ^ k.y, l0);
		k += uvec2(0x9e3779b9u, 0xbb67ae85u);
	}
	return c;
}
uint philox(uint item, uint step, uint draw, uint stream) {
	uvec4 c = block(item >> 2, step, draw, stream);
	uint q = item & 3u;
	return q < 2u ? (q == 0u ? c.x : c.y) : (q == 2u ? c.z : c.w);
}
layout(std430, binding = 3) readonly restrict buffer BE0 { uint E0[]; };
layout(std430, binding = 4) readonly restrict buffer BE1 { uint E1[]; };
uint maskAt(uint q, uint i) {
	return A0[i];
}
uint countAt(uint q, uint i) {
	return A0[i];
}
uint listAt(uint q, uint i) {
	return A0[i];
}
uint word(uint h, uint i) {
	switch (h) {
		case 0u: return E0[i];
		case 1u: return E1[i];
	}
	return 0u;
}
uint due = 0u;
void visit(uint k, uint row, uint d, uint tile, uint piece) {
	uint s = S + k, step = P[0] + s, j = gl_LocalInvocationID.x % 32u, H = T + P[T + 11u];
	for (uint h = 0u; h < 2u; h++, H += 6u) {
		if (P[H] != tile || row < P[H + 1u] || row >= P[H + 2u]) continue;
		uint g = (row - P[H + 1u]) * P[T + 1u] + d, chunk = P[T + 4u];
		uint from = word(h, g) + piece * chunk, to = min(word(h, g + 1u), from + chunk);
		if (j == 0u && from < to) due += P[T + 13u] * (to - from);
		for (uint e = from + j; e < to; e += 32u) {
			uint w = word(h, P[H + 3u] + e);
			uint target = P[H + 5u] + ((w & 0xffffu));
			atomicAdd(A0[P[T + 7u] + k * P[T + 8u] + target], uint(int(w) >> 16));
		}
	}
}

// Row of source q's ring at delay d before step s of the run.
uint ringRow(uint q, uint s, uint delay) {
	uint rows = P[q + 1u];
	return (P[P[q]] + s + rows - delay) % rows;
}

// Whether the table serves spikes that reach step s after a delay.
bool serves(uint s, uint delay) {
	uint range = P[T + 6u];
	int at = int(s) - int(delay);
	return at >= int(P[range]) && at <= int(P[range + 1u]);
}

shared uint before[512 + 1];
shared uint part[64];

// Neurons that the list of row has, unlisted where there is no list that holds all.
uint listedIn(uint source, uint q, uint row) {
	uint n = P[q + 6u] > 0u ? countAt(source, P[q + 4u] + row) : 0xffffffffu;
	return n <= P[q + 6u] ? n : 0xffffffffu;
}

// Items of a pair (step, source, delay) for each cut: neurons, or words of the mask.
uint itemsOf(uint pair) {
	uint delays = P[T + 1u], d = pair % delays, source = pair / delays % P[T], s = S + pair / delays / P[T];
	uint delay = P[T + P[T + 10u] + d], q = T + P[T + 9u] + 12u * source;
	if (!serves(s, delay)) return 0u;
	uint n = listedIn(source, q, ringRow(q, s, delay));
	return n == 0xffffffffu ? P[q + 11u] : n;
}

void item(uint pair, uint n, uint cut) {
	uint delays = P[T + 1u], d = pair % delays, source = pair / delays % P[T], k = pair / delays / P[T];
	uint delay = P[T + P[T + 10u] + d], q = T + P[T + 9u] + 12u * source, row = ringRow(q, S + k, delay);
	uint tile = cut / P[T + 3u], piece = cut % P[T + 3u], lo = P[q + 7u], hi = P[q + 8u], row0 = P[q + 9u];
	uint w = P[q + 10u] + n, bits;
	if (listedIn(source, q, row) != 0xffffffffu) {
		uint i = listAt(source, P[q + 5u] + row * P[q + 6u] + n);
		w = i >> 5;
		bits = 1u << (i & 31u);
	} else {
		bits = maskAt(source, P[q + 3u] + row * P[q + 2u] + w);
	}
	for (int i = 0; i < 32 && bits != 0u; i++) {
		uint neuron = 32u * w + uint(findLSB(bits));
		bits &= bits - 1u;
		if (neuron >= lo && neuron < hi) visit(k, row0 + neuron - lo, d, tile, piece);
	}
}

void main() {
	if (C[0] < S || C[1] <= S) return;
	uint lane = gl_LocalInvocationID.x, teams = gl_NumWorkGroups.x * (64u / 32u), team = gl_WorkGroupID.x * (64u / 32u) + lane / 32u;
	uint pairs = K * P[T] * P[T + 1u], cuts = P[T + 2u] * P[T + 3u], done = 0u;
	for (uint base = 0u; base < pairs; base += 512u) {
		uint sum = 0u;
		for (uint i = 0u; i < 8u; i++) {
			uint pair = base + lane * 8u + i;
			if (pair < pairs) sum += itemsOf(pair) * cuts;
			before[lane * 8u + i + 1u] = sum;
		}
		part[lane] = sum;
		groupMemoryBarrier(); barrier();
		for (uint d = 1u; d < 64u; d *= 2u) {
			uint v = lane >= d ? part[lane - d] : 0u;
			groupMemoryBarrier(); barrier();
			part[lane] += v;
			groupMemoryBarrier(); barrier();
		}
		uint ahead = part[lane] - sum;
		for (uint i = 1u; i <= 8u; i++) before[lane * 8u + i] += ahead;
		if (lane == 0u) before[0] = 0u;
		groupMemoryBarrier(); barrier();
		uint total = before[512];
		for (uint n = (team + teams - done % teams) % teams; n < total; n += teams) {
			uint lo = 0u, hi = 512u; // before[lo] <= n < before[hi]
			for (int i = 0; i < 10 && hi - lo > 1u; i++) {
				uint mid = (lo + hi) / 2u;
				if (before[mid] <= n) lo = mid; else hi = mid;
			}
			uint of = n - before[lo];
			item(base + lo, of / cuts, of % cuts);
		}
		done += total;
		groupMemoryBarrier(); barrier();
	}
	if (due > 0u) {
		uint old = atomicAdd(C[2], due);
		if (old + due < old) atomicAdd(C[2 + 1], 1u);
	}
}
