#version 430
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly restrict buffer BP { uint P[]; };
layout(std430, binding = 1) coherent restrict buffer BC { uint C[]; };
layout(std430, binding = 2) restrict buffer B0 { uint A0[]; };
uniform uint S, K, Q, N; // first step, steps, table of parts in P, their number
uint T; // parameters in P
shared uint words[64];
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
	if (C[0u] < S || C[1u] <= S) return;
	uint g = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, b = 0u;
	while (b + 1u < N && g >= P[Q + 3u * b + 3u]) b++;
	g -= P[Q + 3u * b];
	T = P[Q + 3u * b + 2u];
	switch (P[Q + 3u * b + 1u]) {
		case 0u: body0(g * 64u + lane, T); break;
	}
}
