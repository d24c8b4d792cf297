package shaders

import (
	"regexp"
	"strconv"
)

// Drivers name a line as 0:12(3): (Mesa), 0(12) : (NVIDIA) or ERROR: 0:12: (AMD).
var logLines = regexp.MustCompile(`\b\d+(?::(\d+)|\((\d+)\))`)

// logLine is the first line of the text that a driver's log names, 0 if none.
func logLine(log string) int {
	m := logLines.FindStringSubmatch(log)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1] + m[2])
	return n
}
