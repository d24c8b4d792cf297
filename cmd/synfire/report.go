package main

import (
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"

	"synfire/engine/store"
)

type reportCmd struct {
	recordFlags
	Output *string `short:"o" help:"The page; without it DIR.html, beside the directory." placeholder:"FILE"`
}

//go:embed report.html
var reportPage string

// Run writes one page that needs nothing else: what ran, measures, pictures, the manifest.
func (c *reportCmd) Run(env *environment) error {
	out := filepath.Clean(c.Dir) + ".html"
	if c.Output != nil {
		out = *c.Output
	}
	r, err := c.gather(env.ctx)
	if err != nil {
		return err
	}
	m, err := (&analyseCmd{recordFlags: c.recordFlags, Least: 3}).measure(env, r.Recorded, r.stop)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "synfire-report")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	type drawn struct {
		Kind string
		Data template.URL
	}
	var all []drawn
	for _, p := range pictures {
		if err := env.ctx.Err(); err != nil {
			return err
		}
		file := filepath.Join(tmp, p.kind+".png")
		err := p.draw(r, file)
		if errors.Is(err, errNothing) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.kind, err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		all = append(all, drawn{p.kind, template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b))})
	}
	manifest, err := r.Manifest.JSON()
	if err != nil {
		return err
	}
	var tables strings.Builder
	m.show(&tables, terminal{})
	page, err := template.New("report").Funcs(template.FuncMap{"count": count, "time": modelTime, "duration": duration, "bytes": bytes}).Parse(reportPage)
	if err != nil {
		return err
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	err = page.Execute(file, struct {
		M        *store.Manifest
		Measures string
		Pictures []drawn
		Manifest string
	}{r.Manifest, strings.TrimSpace(tables.String()), all, string(manifest)})
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(out)
		return fmt.Errorf("%s is not written: %w", out, err)
	}
	fmt.Fprintln(env.out, "written:", out)
	return nil
}
