package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// Load reads results that --json or --report wrote.
func Load(path string) (*Results, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Results{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s is no result of `synfire bench --json`: %w", path, err)
	}
	if len(r.Rows) == 0 {
		return nil, fmt.Errorf("%s holds no rows of `synfire bench --json`", path)
	}
	return r, nil
}

// alpha is the level below which a change counts.
const alpha = 0.05

// compared are the figures that --compare looks at, all times or bytes: less is
// better. Samples are per model time, so that durations may differ.
var compared = []struct {
	name string
	f    func(*Sample) float64
}{
	{"run", func(s *Sample) float64 { return over(s.Run, s.Model) }},
	{"build", func(s *Sample) float64 { return s.Compile + s.Build }},
	{"peak", func(s *Sample) float64 { return float64(s.Peak) }},
}

// WriteComparison prints what changed from old to new, as benchstat does: the
// medians, the change, and the probability p of Mann and Whitney's U test; "~"
// where p is not below 0.05.
func WriteComparison(w io.Writer, old, new *Results) error {
	fmt.Fprintf(w, "old: %s, %s, %s\nnew: %s, %s, %s\n", old.Version, old.Date, old.Machine.CPU, new.Version, new.Date, new.Machine.CPU)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "case\twhat\told\tnew\tchange\t")
	before := map[string]*Row{}
	for k := range old.Rows {
		before[old.Rows[k].key()] = &old.Rows[k]
	}
	matched := 0
	for k := range new.Rows {
		row := &new.Rows[k]
		o := before[row.key()]
		if o == nil || len(o.Samples) == 0 || len(row.Samples) == 0 {
			continue
		}
		matched++
		for _, c := range compared {
			a, b := o.pick(c.f), row.pick(c.f)
			ma, mb := median(a), median(b)
			if ma == 0 || mb == 0 {
				continue
			}
			show := func(x float64) string {
				switch c.name {
				case "peak":
					return bytesText(x)
				case "run":
					return numberText(x) + " RTF"
				}
				return secondsText(x)
			}
			p := mannWhitney(a, b)
			change := "~"
			if p < alpha {
				change = fmt.Sprintf("%+.1f%%", 100*(mb-ma)/ma)
			}
			note := ""
			if least := mannWhitneyLeast(len(a), len(b)); least >= alpha {
				note = " (too few repeats to tell)"
			}
			fmt.Fprintf(t, "%s\t%s\t%s ±%.0f%%\t%s ±%.0f%%\t%s (p=%.3f n=%d+%d)%s\t\n", row.Case, c.name, show(ma), 100*spread(a), show(mb), 100*spread(b), change, p, len(a), len(b), note)
		}
		if o.network() == row.network() && !row.isPeer() && o.Samples[0].Hash != row.Samples[0].Hash {
			fmt.Fprintf(t, "%s\thash\t%s\t%s\tDIFFERS\t\n", row.Case, shortHash(o.Samples[0].Hash), shortHash(row.Samples[0].Hash))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if matched == 0 {
		fmt.Fprintln(w, "no case stands in both")
	}
	return nil
}

// mannWhitneyLeast is the smallest probability that so many samples can have.
func mannWhitneyLeast(n, m int) float64 {
	if n == 0 || m == 0 {
		return 1
	}
	return exactU(n, m, 0)
}
