package script

import (
	"strings"

	"synfire/engine/script/argument"
)

// signature is how a function is called: f(a, b, c=1, d=).
func signature(name, params string) string {
	var args []string
	star := false
	for _, p := range argument.Params(params) {
		if p.Named && !star {
			args, star = append(args, "*"), true
		}
		if p.Required {
			args = append(args, p.Name)
		} else {
			args = append(args, p.Name+"="+strings.ReplaceAll(p.Default, ",", ", "))
		}
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}
