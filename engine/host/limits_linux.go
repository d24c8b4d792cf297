package host

import (
	"math"
	"syscall"
)

// limits are the process's own: RLIMIT_AS (ulimit -v) and RLIMIT_DATA (ulimit -d).
func limits() (all []limit) {
	for which, used := range map[int]string{syscall.RLIMIT_AS: "VmSize:", syscall.RLIMIT_DATA: "VmData:"} {
		var l syscall.Rlimit
		if syscall.Getrlimit(which, &l) == nil && l.Cur < math.MaxInt64 {
			all = append(all, limit{int64(l.Cur), used})
		}
	}
	return all
}
