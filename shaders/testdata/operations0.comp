#version 430
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly restrict buffer BP { uint P[]; };
layout(std430, binding = 1) coherent restrict buffer BC { uint C[]; };
layout(std430, binding = 2) restrict buffer B0 { uint A0[]; };
uniform uint S, K, Q, N; // first step, steps, table of parts in P, their number
uint T; // parameters in P
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
	if (lane >= x0) return;
	uint r0 = A0[x1 + lane];
	uint r1 = A0[x2 + lane];
	uint r2 = 0u;
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		{
			precise float f0 = uintBitsToFloat(r0);
			precise float f1 = uintBitsToFloat(r1);
			precise float f2 = f0 + f1;
			r2 = floatBitsToUint(f2);
		}
	}
	A0[x3 + lane] = r2;
}
void body1(uint lane, uint B) {
	uint x0 = P[B + 0u];
	uint x1 = P[B + 1u];
	uint x2 = P[B + 2u];
	uint x3 = P[B + 3u];
	if (lane >= x0) return;
	uint r0 = A0[x1 + lane];
	uint r1 = A0[x2 + lane];
	uint r2 = 0u;
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		{
			precise float f0 = uintBitsToFloat(r0);
			precise float f1 = uintBitsToFloat(r1);
			precise float f2 = f0 - f1;
			r2 = floatBitsToUint(f2);
		}
	}
	A0[x3 + lane] = r2;
}
void body2(uint lane, uint B) {
	uint x0 = P[B + 0u];
	uint x1 = P[B + 1u];
	uint x2 = P[B + 2u];
	uint x3 = P[B + 3u];
	if (lane >= x0) return;
	uint r0 = A0[x1 + lane];
	uint r1 = A0[x2 + lane];
	uint r2 = 0u;
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		{
			precise float f0 = uintBitsToFloat(r0);
			precise float f1 = uintBitsToFloat(r1);
			precise float p2 = f0 * f1;
			precise float f2 = (floatBitsToUint(p2) & 0x7fffffffu) < 0x0d800000u ? 0.0 : p2;
			r2 = floatBitsToUint(f2);
		}
	}
	A0[x3 + lane] = r2;
}
void body3(uint lane, uint B) {
	uint x0 = P[B + 0u];
	uint x1 = P[B + 1u];
	uint x2 = P[B + 2u];
	uint x3 = P[B + 3u];
	if (lane >= x0) return;
	uint r0 = A0[x1 + lane];
	uint r1 = A0[x2 + lane];
	uint r2 = 0u;
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		{
			precise float f0 = uintBitsToFloat(r0);
			precise float f1 = uintBitsToFloat(r1);
			precise float f2 = f0 * f1;
			r2 = floatBitsToUint(f2);
		}
	}
	A0[x3 + lane] = r2;
}
void body4(uint lane, uint B) {
	uint x0 = P[B + 0u];
	uint x1 = P[B + 1u];
	uint x2 = P[B + 2u];
	if (lane >= x0) return;
	uint r0 = A0[x1 + lane];
	uint r1 = 0u;
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		{
			precise float f0 = uintBitsToFloat(r0);
			precise float f1 = uintBitsToFloat(negate(floatBitsToUint(f0)));
			r1 = floatBitsToUint(f1);
		}
	}
	A0[x2 + lane] = r1;
}
void body5(uint lane, uint B) {
	uint x0 = P[B + 0u];
	uint x1 = P[B + 1u];
	uint x2 = P[B + 2u];
	if (lane >= x0) return;
	uint r0 = A0[x1 + lane];
	uint r1 = 0u;
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		{
			precise float f0 = uintBitsToFloat(r0);
			precise float f1 = uintBitsToFloat(floatBitsToUint(f0) & 0x7fffffffu);
			r1 = floatBitsToUint(f1);
		}
	}
	A0[x2 + lane] = r1;
}
void body6(uint lane, uint B) {
	uint x0 = P[B + 0u];
	uint x1 = P[B + 1u];
	uint x2 = P[B + 2u];
	if (lane >= x0) return;
	uint r0 = A0[x1 + lane];
	uint r1 = 0u;
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		{
			precise float f0 = uintBitsToFloat(r0);
			precise float f1 = floor(f0);
			r1 = floatBitsToUint(f1);
		}
	}
	A0[x2 + lane] = r1;
}
void body7(uint lane, uint B) {
	uint x0 = P[B + 0u];
	uint x1 = P[B + 1u];
	uint x2 = P[B + 2u];
	if (lane >= x0) return;
	uint r0 = A0[x1 + lane];
	uint r1 = 0u;
	for (uint k = 0u; k < K; k++) {
		uint s = S + k, step = P[0] + s;
		{
			precise float f0 = uintBitsToFloat(r0);
			precise float f1 = uintBitsToFloat(canon(floatBitsToUint(f0)));
			r1 = floatBitsToUint(f1);
		}
	}
	A0[x2 + lane] = r1;
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
		case 1u: body1(g * 64u + lane, T); break;
		case 2u: body2(g * 64u + lane, T); break;
		case 3u: body3(g * 64u + lane, T); break;
		case 4u: body4(g * 64u + lane, T); break;
		case 5u: body5(g * 64u + lane, T); break;
		case 6u: body6(g * 64u + lane, T); break;
		case 7u: body7(g * 64u + lane, T); break;
	}
}
