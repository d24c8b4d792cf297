#version 430
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer BP { uint P[]; };
layout(std430, binding = 1) coherent buffer BC { uint C[]; };
layout(std430, binding = 2) buffer B0 { uint A0[]; };
uniform uint S, K;
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
uint philox(uint item, uint step, uint draw, uint stream) {
	uvec4 c = uvec4(item >> 2, step, draw, stream);
	uvec2 k = uvec2(P[1], P[2]);
	for (int i = 0; i < 10; i++) {
		uint h0, l0, h1, l1;
		umulExtended(0xd2511f53u, c.x, h0, l0);
		umulExtended(0xcd9e8d57u, c.z, h1, l1);
		c = uvec4(h1 ^ c.y ^ k.x, l1, h0 ^ c.w ^ k.y, l0);
		k += uvec2(0x9e3779b9u, 0xbb67ae85u);
	}
	uint q = item & 3u;
	return q < 2u ? (q == 0u ? c.x : c.y) : (q == 2u ? c.z : c.w);
}
void body0(uint lane, uint B) {
	if (lane >= P[B + 0u]) return;
	uint r1 = A0[P[B + 1u] + lane];
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		uint t0 = k * P[B + 2u] + lane;
		uint r0 = A0[P[B + 3u] + t0], q0 = r0;
		uint w0 = (P[P[B + 4u]] + s) % P[B + 5u];
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
			uint u7 = philox(u6, step, 0x0u, 0x0u);
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
			if (e0 && lane - P[B + 6u] < P[B + 7u]) {
				uint q = atomicAdd(C[P[B + 8u]], 1u), z = q * 3u;
				if (q < P[B + 9u]) {
					A0[P[B + 10u] + z + 0u] = s;
					A0[P[B + 10u] + z + 1u] = lane;
					A0[P[B + 10u] + z + 2u] = r1;
				}
				if (q >= P[B + 11u]) atomicMin(C[1], S + K);
			}
		}
		{
			uint z = lane;
			if (z != 0xffffffffu) {
				z += P[P[3] + s * P[B + 12u] + P[B + 13u]] * P[B + 14u];
				A0[P[B + 15u] + z] = r1;
			}
		}
		if (q0 != 0u) A0[P[B + 3u] + t0] = 0u;
		if (e0) atomicOr(A0[P[B + 17u] + w0 * P[B + 16u] + (lane >> 5)], 1u << (lane & 31u));
		if (e0) {
			uint q = atomicAdd(A0[P[B + 18u] + w0], 1u);
			if (q < P[B + 19u]) A0[P[B + 20u] + w0 * P[B + 19u] + q] = lane;
		}
	}
	A0[P[B + 1u] + lane] = r1;
	if ((lane & 31u) == 0u) {
		for (uint k = 0u; k < P[B + 21u]; k++) {
			uint w0 = (P[P[B + 4u]] + S + K + k) % P[B + 5u];
			A0[P[B + 17u] + w0 * P[B + 16u] + (lane >> 5)] = 0u;
			if (lane == 0u) A0[P[B + 18u] + w0] = 0u;
		}
	}
}
void main() {
	if (C[0] < S || C[1] <= S) return;
	uint g = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x, b = 0u;
	uint T = P[113], bodies = P[114];
	while (b + 1u < bodies && g >= P[T + 3u * b + 3u]) b++;
	uint lane = (g - P[T + 3u * b]) * 64u + gl_LocalInvocationID.x;
	switch (P[T + 3u * b + 1u]) {
		case 0u: body0(lane, P[T + 3u * b + 2u]); break;
	}
}
