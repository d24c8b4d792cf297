package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// WriteReport writes report.md with its pictures, and the results as JSON, CSV
// and benchmark lines, into a directory that is made if need be.
func (r *Results) WriteReport(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var errs []error
	for name, write := range map[string]func(io.Writer) error{"results.json": r.WriteJSON, "results.csv": r.WriteCSV, "results.txt": r.WriteBenchmarks} {
		errs = append(errs, writeFile(filepath.Join(dir, name), write))
	}
	pictures, err := r.plots(dir)
	errs = append(errs, err, writeFile(filepath.Join(dir, "report.md"), func(w io.Writer) error { return r.markdown(w, pictures) }))
	return errors.Join(errs...)
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = write(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// picture is a plot of the report: name.svg and name.png.
type picture struct{ name, title string }

func (r *Results) markdown(w io.Writer, pictures []picture) error {
	fmt.Fprintf(w, "# Benchmark of %s\n\n", r.Date)
	fmt.Fprintf(w, "- version: %s\n- command: `%s`\n- machine: %s\n", r.Version, r.Command, r.Machine.String())
	for _, s := range r.peerVersions() {
		fmt.Fprintf(w, "- peer: %s\n", s)
	}
	if r.Interrupted {
		fmt.Fprintln(w, "- interrupted: these are the rows that were finished")
	}
	for part, title := range []string{"Speed", "Construction and memory"} {
		fmt.Fprintf(w, "\n## %s\n\n", title)
		for k, cells := range r.cells(part + 1) {
			for i := range cells {
				cells[i] = strings.ReplaceAll(cells[i], "|", "\\|")
			}
			fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
			if k == 0 {
				fmt.Fprintln(w, strings.Repeat("|---", len(cells))+"|")
			}
		}
	}
	if l := r.remarks(); len(l) > 0 {
		fmt.Fprintf(w, "\n## Remarks\n\n- %s\n", strings.ReplaceAll(strings.Join(l, "\n- "), "|", "\\|"))
	}
	for _, p := range pictures {
		fmt.Fprintf(w, "\n## %s\n\n![%s](%s.svg)\n", p.title, p.title, p.name)
	}
	_, err := fmt.Fprintln(w, "\nColumns are explained in bench/README.md; every sample is in results.json.")
	return err
}

// peerVersions lists the peers that ran.
func (r *Results) peerVersions() []string {
	var out []string
	seen := map[string]bool{}
	for k := range r.Rows {
		if row := &r.Rows[k]; row.isPeer() && len(row.Samples) > 0 && !seen[row.Backend] {
			seen[row.Backend] = true
			out = append(out, row.Backend+" "+row.Samples[0].Version)
		}
	}
	return out
}
