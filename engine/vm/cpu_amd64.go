package vm

import "sync"

func cpuid(leaf, sub uint32) (a, b, c, d uint32)

func xgetbv() (a, d uint32)

// cpu asks the processor and the operating system (which must save the wide
// registers) once. Bits: Intel SDM volume 2, CPUID; volume 1, 13.3 (XCR0).
var cpu = sync.OnceValue(func() features {
	leaves, _, _, _ := cpuid(0, 0)
	_, _, c1, _ := cpuid(1, 0)
	const osxsave, avx = 1 << 27, 1 << 28
	if leaves < 7 || c1&osxsave == 0 || c1&avx == 0 {
		return features{}
	}
	saved, _ := xgetbv()
	_, b7, _, _ := cpuid(7, 0)
	const avx2, bmi1, avx512 = 1 << 5, 1 << 3, 1<<16 | 1<<17 | 1<<30 | 1<<31 // F, DQ, BW, VL
	return features{
		avx2:   saved&0x6 == 0x6 && b7&avx2 != 0 && b7&bmi1 != 0,
		avx512: saved&0xe6 == 0xe6 && b7&avx512 == avx512 && b7&avx2 != 0 && b7&bmi1 != 0,
	}
})
