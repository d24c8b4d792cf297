package host

import (
	"fmt"
	"slices"
	"strings"
)

// Meeting is what ranks meet for.
type Meeting uint32

// The meetings. What goes on in one of them bears its name until the next.
const (
	MeetStart Meeting = iota + 1
	MeetLoad
	MeetSteps
	MeetSpikes
	MeetInStep
	MeetRecords
	MeetRead
	MeetInterrupt
	MeetFile
	MeetEnd
	MeetLeave
	MeetOut
)

func (m Meeting) String() string {
	switch m {
	case MeetStart:
		return "begins"
	case MeetLoad:
		return "loads a network"
	case MeetSteps:
		return "is about to make steps"
	case MeetSpikes:
		return "tells spikes"
	case MeetInStep:
		return "tells variables within a step"
	case MeetRecords:
		return "tells what was recorded"
	case MeetRead:
		return "reads a variable"
	case MeetInterrupt:
		return "asks whether to end"
	case MeetFile:
		return "has stored or restored a state in a file"
	case MeetEnd:
		return "has come to the end of the script"
	case MeetLeave:
		return "has ended"
	case MeetOut:
		return "writes into the run directory"
	}
	return fmt.Sprintf("does what this one does not know (%d)", uint32(m))
}

// TellApart says how ranks, of which each does something, have come apart.
func TellApart(doing []Meeting) string {
	var who []string
	for k, m := range doing {
		if slices.Index(doing, m) == k {
			who = append(who, fmt.Sprintf("rank %d %s", k, m))
		}
	}
	if len(who) == 1 {
		who = append(who, "with other words than another")
	}
	return "the ranks have come apart: " + strings.Join(who, ", ") +
		". The script must make the same calls on all of them: it may not depend on time.time(), on the machine or on files that differ"
}
