package shaders

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// variable is where the environment says how a device is used, for measurements: SYNFIRE_GL=group=128,apart=1.
// No bit depends on it.
const variable = "SYNFIRE_GL"

// persistents are what Options.Persistent may be.
var persistents = regexp.MustCompile(`^(0|1|fail\d{0,6})$`)

// variant is o with what the environment changes.
func variant(o Options) (Options, error) {
	text := os.Getenv(variable)
	if text == "" {
		return o, nil
	}
	block := int(o.MaxBlock)
	numbers := map[string]*int{"group": &o.WorkGroup, "walk": &o.WalkGroups, "chunk": &o.Chunk, "team": &o.Team, "philox": &o.Philox, "span": &o.Span, "submit": &o.Submit, "block": &block, "resident": &o.Resident}
	flags := map[string]*bool{"apart": &o.Apart, "movable": &o.Movable}
	for _, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		n, err := strconv.Atoi(value)
		switch {
		case name == "persistent" && persistents.MatchString(value):
			o.Persistent = value
		case err == nil && n >= 0 && numbers[name] != nil:
			*numbers[name] = n
		case (value == "0" || value == "1") && flags[name] != nil:
			*flags[name] = value == "1"
		default:
			names := append(slices.Sorted(maps.Keys(numbers)), slices.Sorted(maps.Keys(flags))...)
			return o, fmt.Errorf("gl: %s: %q: expected NAME=N, separated by commas, with a name of %s (the last two: 0 or 1), or persistent=0, 1, fail or failN", variable, part, strings.Join(names, ", "))
		}
	}
	o.MaxBlock = int64(block)
	return o, nil
}
