#version 430
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly restrict buffer BP { uint P[]; };
layout(std430, binding = 1) coherent restrict buffer BC { uint C[]; };
layout(std430, binding = 2) restrict buffer B0 { uint A0[]; };
layout(std430, binding = 3) readonly restrict buffer BE0 { uint E0[]; };
layout(std430, binding = 4) readonly restrict buffer BE1 { uint E1[]; };
uniform uint Q, N; // table of parts in P, their number
uint S, K, T; // first step, steps, parameters in P
shared uint words[64];
shared uint near[129]; // their number, then walk and row of each
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
uint maskAt0(uint source, uint i) {
	return A0[i];
}
uint countAt0(uint i) { return A0[i]; }
uint listAt0(uint i) { return A0[i]; }
uint word0(uint h, uint i) {
	switch (h) {
		case 0u: return E0[i];
		case 1u: return E1[i];
	}
	return 0u;
}
uint due0 = 0u, dueOf0 = 0u;

// Row of a ring, of mask + 1 rows, at a delay before a step.
uint ringRow0(uint mask, uint s, uint delay) {
	uint step = P[0u] + s;
	return (step - delay) & mask;
}

// Whether the table serves spikes that reach step s after a delay, and this walk is to deliver them.
bool serves0(uint s, uint delay, uint known) {
	uint range = P[T + 6u];
	int at = int(s) - int(delay);
	return at >= int(P[range]) && at <= int(P[range + 1u]) && at < int(S + P[T + 23u] + known);
}

void told0() {
	uint at = P[T + 17u] + P[T + 18u] * dueOf0;
	if (due0 > 0u) {
		uint old = atomicAdd(C[at], due0);
		if (old + due0 < old) atomicAdd(C[at + 1u], 1u);
	}
	due0 = 0u;
}

// n events of step s.
void count0(uint s, uint n) {
	uint slot = (P[0u] + s) & P[T + 9u];
	if (slot != dueOf0) told0();
	dueOf0 = slot;
	due0 += n;
}
void entries0(uint s, uint row, uint d, uint tile, uint first, uint last, uint j, uint every) {
	uint step = P[0] + s, H = T + P[T + 14u];
	for (uint h = 0u; h < 2u; h++, H += 6u) {
		if (tile < P[T + 3u] && P[H + 0u] != tile || row < P[H + 1u] || row >= P[H + 2u]) continue;
		uint g = (row - P[H + 1u]) * P[T + 2u] + d;
		uint from = word0(h, g), end = word0(h, g + 1u), to = end - from < last ? end : from + last;
		from += first;
		if (j == 0u && from < to) count0(s, P[T + 16u] * (to - from));
		uint at = P[H + 5u] + P[T + 7u] + (step & P[T + 9u]) * P[T + 8u], entry = P[H + 3u];
		uint one = P[T + 15u];
		for (uint e = from + j; e < to; e += every) {
			uint target = at + (word0(h, entry + e / 2u) >> (16u * (e & 1u)) & 0xffffu);
			atomicAdd(A0[target], one);
		}
	}
}

void visit0(uint s, uint row, uint d, uint cut) {
	uint piece = cut % P[T + 4u] * P[T + 5u];
	entries0(s, row, d, cut / P[T + 4u], piece, piece + P[T + 5u], gl_LocalInvocationID.x % 32u, 32u);
}

// Rows that the list of a step has, unlisted where there is no list that holds all.
uint listedIn0(uint set, uint row) {
	uint n = P[set + 2u] > 0u ? countAt0(P[set + 0u] + row) : 0xffffffffu;
	return n <= P[set + 2u] ? n : 0xffffffffu;
}

// Items of a pair (step, set, delay): rows or words of masks, times the cuts of each.
uint itemsOf0(uint pair) {
	uint d = pair % P[T + 2u], z = pair / P[T + 2u], s = S + P[T + 22u] + z / P[T + 1u];
	uint delay = P[T + P[T + 13u] + d], set = T + P[T + 10u] + 5u * (z % P[T + 1u]);
	if (!serves0(s, delay, P[set + 3u])) return 0u;
	uint n = listedIn0(set, ringRow0(P[T + 19u], s, delay));
	return n == 0xffffffffu ? P[set + 4u] * P[T + 3u] : n * P[T + 21u];
}

void item0(uint pair, uint n) {
	uint d = pair % P[T + 2u], z = pair / P[T + 2u], s = S + P[T + 22u] + z / P[T + 1u], number = z % P[T + 1u];
	uint delay = P[T + P[T + 13u] + d], set = T + P[T + 10u] + 5u * number, row = ringRow0(P[T + 19u], s, delay);
	if (listedIn0(set, row) != 0xffffffffu) {
		uint each = P[T + 21u], entry = listAt0(P[set + 1u] + row * P[set + 2u] + n / each), most = P[T + 20u];
		visit0(s, entry >> most, d, n % each + (entry & ((1u << most) - 1u)));
		return;
	}
	uint cuts = P[T + 3u], w = n / cuts, q = T + P[T + 11u], source = 0u;
	// Without continue and break: with them, llvmpipe loses lanes whose teams are smaller than its vectors.
	for (; source + 1u < P[T + 12u] && (P[q + 0u] != number || w >= P[q + 8u]); source++, q += 9u) {
		w -= P[q + 0u] == number ? P[q + 8u] : 0u;
	}
	w += P[q + 7u];
	uint bits = maskAt0(source, P[q + 3u] + ringRow0(P[q + 1u], s, delay) * P[q + 2u] + w);
	for (int i = 0; i < 32 && bits != 0u; i++) {
		uint neuron = 32u * w + uint(findLSB(bits));
		bits &= bits - 1u;
		if (neuron >= P[q + 4u] && neuron < P[q + 5u]) visit0(s, P[q + 6u] + neuron - P[q + 4u], d, n % cuts);
	}
}

shared uint before0[512 + 1];
shared uint part0[64];

void walk0(uint group) {
	if (group >= P[T + 0u]) return; // of those that fill the last row of a dispatch
	uint lane = gl_LocalInvocationID.x, teams = P[T + 0u] * (64u / 32u), team = group * (64u / 32u) + lane / 32u;
	uint pairs = K * P[T + 1u] * P[T + 2u], done = 0u;
	for (uint base = 0u; base < pairs; base += 512u) {
		uint sum = 0u;
		for (uint i = 0u; i < 8u; i++) {
			uint pair = base + lane * 8u + i;
			if (pair < pairs) sum += itemsOf0(pair);
			before0[lane * 8u + i + 1u] = sum;
		}
		part0[lane] = sum;
		groupMemoryBarrier(); barrier();
		for (uint d = 1u; d < 64u; d *= 2u) {
			uint v = lane >= d ? part0[lane - d] : 0u;
			groupMemoryBarrier(); barrier();
			part0[lane] += v;
			groupMemoryBarrier(); barrier();
		}
		uint ahead = part0[lane] - sum;
		for (uint i = 1u; i <= 8u; i++) before0[lane * 8u + i] += ahead;
		if (lane == 0u) before0[0] = 0u;
		groupMemoryBarrier(); barrier();
		uint total = before0[512];
		for (uint n = (team + teams - done % teams) % teams; n < total; n += teams) {
			uint lo = 0u, hi = 512u; // before[lo] <= n < before[hi]
			for (int i = 0; i < 10 && hi - lo > 1u; i++) {
				uint mid = (lo + hi) / 2u;
				if (before0[mid] <= n) lo = mid; else hi = mid;
			}
			item0(base + lo, n - before0[lo]);
		}
		done += total;
		groupMemoryBarrier(); barrier();
	}
	told0();
}

// All of a row's entries of the first delay, one step, by all lanes of the work group; its neuron fires at step s - 1.
void near0(uint s, uint row) {
	uint range = P[T + 6u];
	if (int(s) - 1 < int(P[range]) || int(s) - 1 > int(P[range + 1u])) return;
	entries0(s, row, 0u, 0xffffffffu, 0u, 0xffffffffu, gl_LocalInvocationID.x, 64u);
	told0();
}
void body0(uint lane, uint B) {
	uint x0 = P[B + 0u];
	uint x1 = P[B + 1u];
	uint x2 = P[B + 2u];
	uint x3 = P[B + 3u];
	uint x4 = P[B + 4u];
	uint x5 = P[B + 5u];
	uint x6 = P[B + 6u];
	uint x7 = P[B + 7u];
	uint x8 = P[B + 8u];
	uint x9 = P[B + 9u];
	uint x10 = P[B + 10u];
	uint x11 = P[B + 11u];
	uint x12 = P[B + 12u];
	uint x13 = P[B + 13u];
	uint x14 = P[B + 14u];
	uint x15 = P[B + 15u];
	uint x16 = P[B + 16u];
	uint x17 = P[B + 17u];
	uint x18 = P[B + 18u];
	uint x19 = P[B + 19u];
	uint x20 = P[B + 20u];
	uint x21 = P[B + 21u];
	uint x22 = P[B + 22u];
	uint r1 = 0u; if (lane < x0) r1 = A0[x1 + lane];
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		for (uint i = gl_LocalInvocationID.x; i < 16u; i += 64u) {
			uint d = i / 16u, quad = i % 16u;
			uvec4 c = block((lane - gl_LocalInvocationID.x) / 4u + quad, step, 0x0u, 0x0u);
			words[4u * i] = c.x; words[4u * i + 1u] = c.y; words[4u * i + 2u] = c.z; words[4u * i + 3u] = c.w;
		}
		groupMemoryBarrier(); barrier();
		if (lane < x0) {
			uint t0 = (step & P[7]) * x2 + lane;
			uint r0 = A0[x3 + t0], q0 = r0;
			uint w0 = step & x4;
			bool e0 = false;
			{
				uint u0 = r0;
				precise float f1 = float(int(u0));
				precise float f2 = uintBitsToFloat(r1);
				precise float f3 = uintBitsToFloat(0x3f666666u);
				precise float p4 = f2 * f3;
				precise float f4 = (floatBitsToUint(p4) & 0x7fffffffu) < 0x0d800000u ? 0.0 : p4;
				precise float f5 = f4 + f1;
				uint u6 = lane;
				uint u7 = words[0u + gl_LocalInvocationID.x];
				precise float f8 = uintBitsToFloat(0x3f800000u);
				bool b9 = f8 < f5;
				uint u10 = 0x80000000u;
				bool b11 = u7 < u10;
				bool b12 = b9 && b11;
				e0 = b12;
				precise float f14 = uintBitsToFloat(0x0u);
				precise float f15 = b12 ? f14 : f5;
				precise float f16 = uintBitsToFloat(canon(floatBitsToUint(f15)));
				r1 = floatBitsToUint(f16);
			}
			{
				if (e0 && lane - x5 < x6) {
					uint q = atomicAdd(C[x7], 1u), z = q * 3u;
					if (q < x8) {
						A0[x9 + z + 0u] = s;
						A0[x9 + z + 1u] = lane;
						A0[x9 + z + 2u] = r1;
					}
					if (q >= x10) atomicMin(C[1], S + K);
				}
			}
			{
				uint z = lane;
				if (z != 0xffffffffu) {
					z += P[P[3] + s * x11 + x12] * x13;
					A0[x14 + z] = r1;
				}
			}
			if (q0 != 0u) A0[x3 + t0] = 0u;
			if (e0) atomicOr(A0[x16 + w0 * x15 + (lane >> 5)], 1u << (lane & 31u));
			if (e0) {
				uint row = lane + x17, w = step & x18, size = x19;
				uint q = atomicAdd(A0[x20 + w], 1u);
				if (q < size) A0[x21 + w * size + q] = row;
				uint z0 = 2u * atomicAdd(near[0], 1u);
				near[z0 + 1u] = x22;
				near[z0 + 2u] = row;
			}
		}
		groupMemoryBarrier(); barrier();
	}
	if (lane >= x0) return;
	A0[x1 + lane] = r1;
	if ((lane & 31u) == 0u) {
		for (uint k = 0u; k < P[6]; k++) {
			uint step = P[0] + S + K + k, w0 = step & x4;
			A0[x16 + w0 * x15 + (lane >> 5)] = 0u;
			if (lane == 0u) A0[x20 + (step & x18)] = 0u;
		}
	}
}
void main() {
	uint lane = gl_LocalInvocationID.x;
	S = C[4u]; // the group that ends last writes the next one's
	K = P[5u] - S;
	K = K < P[6] ? K : P[6];
	if (S >= P[5u]) return;
	if (C[0u] < S || C[1u] <= S) return;
	if (lane == 0u) near[0] = 0u;
	groupMemoryBarrier(); barrier();
	uint g = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, b = 0u;
	while (b + 1u < N && g >= P[Q + 3u * b + 3u]) b++;
	g -= P[Q + 3u * b];
	T = P[Q + 3u * b + 2u];
	switch (P[Q + 3u * b + 1u]) {
		case 0u: body0(g * 64u + lane, T); break;
		case 8u: walk0(g); break;
	}
	groupMemoryBarrier(); barrier();
	for (uint i = 0u; i < near[0]; i++) {
		switch (near[2u * i + 1u]) {
			case 0u: T = P[Q + 2u]; near0(S + 1u, near[2u * i + 2u]); break;
		}
	}
	memoryBarrier(); barrier();
	if (lane == 0u && atomicAdd(C[5u], 1u) + 1u == gl_NumWorkGroups.x * gl_NumWorkGroups.y) {
		memoryBarrier();
		for (uint k = 0u; k < K; k++) {
			uint at = P[8] + 2u * ((P[0u] + S + k) & P[7]), low = C[at], sum = C[2u] + low;
			C[2u + 1u] += C[at + 1u] + (sum < low ? 1u : 0u);
			C[2u] = sum;
			C[at] = 0u;
			C[at + 1u] = 0u;
		}
		C[5u] = 0u;
		C[4u] = S + K;
	}
}
