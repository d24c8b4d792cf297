package figure

import (
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/colornames"
)

// RGBA is a colour without premultiplied alpha, each part from 0 to 1; A 0: none.
type RGBA struct{ R, G, B, A float64 }

// Cycle are the colours that lines take one after the other: Okabe and Ito's, which
// colour-blind people can tell apart, after matplotlib's order of hues.
var Cycle = []RGBA{hex("0072b2"), hex("d55e00"), hex("009e73"), hex("cc79a7"), hex("e69f00"), hex("56b4e9"), hex("882255"), hex("5a5a5a"), hex("999933"), hex("117733")}

func hex(s string) RGBA {
	n, _ := strconv.ParseUint(s, 16, 32)
	return RGBA{float64(n>>16&255) / 255, float64(n>>8&255) / 255, float64(n&255) / 255, 1}
}

var letters = map[string]RGBA{"b": hex("0000ff"), "g": hex("008000"), "r": hex("ff0000"), "c": hex("00bfbf"), "m": hex("bf00bf"), "y": hex("bfbf00"), "k": hex("000000"), "w": hex("ffffff")}

// Color reads one of matplotlib's colours: a letter, a name, 'C0', '0.5', '#rrggbb'.
func Color(s string) (RGBA, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if c, ok := letters[s]; ok {
		return c, true
	}
	if s == "none" {
		return RGBA{}, true
	}
	s = strings.TrimPrefix(s, "tab:")
	if c, ok := colornames.Map[s]; ok {
		return RGBA{float64(c.R) / 255, float64(c.G) / 255, float64(c.B) / 255, 1}, true
	}
	if strings.HasPrefix(s, "c") {
		if n, err := strconv.Atoi(s[1:]); err == nil && n >= 0 {
			return Cycle[n%len(Cycle)], true
		}
	}
	if strings.HasPrefix(s, "#") {
		h := s[1:]
		if len(h) == 3 || len(h) == 4 {
			var long strings.Builder
			for _, c := range h {
				long.WriteString(string(c) + string(c))
			}
			h = long.String()
		}
		n, err := strconv.ParseUint(h, 16, 64)
		switch {
		case err != nil:
		case len(h) == 6:
			return hex(h), true
		case len(h) == 8:
			c := hex(h[:6])
			c.A = float64(n&255) / 255
			return c, true
		}
		return RGBA{}, false
	}
	if g, err := strconv.ParseFloat(s, 64); err == nil && g >= 0 && g <= 1 {
		return RGBA{g, g, g, 1}, true
	}
	return RGBA{}, false
}

// maps are colour maps by some of their colours, from low to high.
var maps = map[string][]RGBA{
	"viridis":  {hex("440154"), hex("472d7b"), hex("3b528b"), hex("2c728e"), hex("21918c"), hex("28ae80"), hex("5ec962"), hex("addc30"), hex("fde725")},
	"gray":     {hex("000000"), hex("ffffff")},
	"hot":      {hex("0b0000"), hex("ff0000"), hex("ffff00"), hex("ffffff")},
	"jet":      {hex("000080"), hex("0000ff"), hex("00ffff"), hex("ffff00"), hex("ff0000"), hex("800000")},
	"hsv":      {hex("ff0000"), hex("ffff00"), hex("00ff00"), hex("00ffff"), hex("0000ff"), hex("ff00ff"), hex("ff0000")},
	"blues":    {hex("f7fbff"), hex("c6dbef"), hex("6baed6"), hex("2171b5"), hex("08306b")},
	"reds":     {hex("fff5f0"), hex("fcbba1"), hex("fb6a4a"), hex("cb181d"), hex("67000d")},
	"plasma":   {hex("0d0887"), hex("7e03a8"), hex("cc4778"), hex("f89540"), hex("f0f921")},
	"magma":    {hex("000004"), hex("51127c"), hex("b73779"), hex("fc8961"), hex("fcfdbf")},
	"inferno":  {hex("000004"), hex("57106e"), hex("bc3754"), hex("f98e09"), hex("fcffa4")},
	"coolwarm": {hex("3b4cc0"), hex("8db0fe"), hex("dddddd"), hex("f49a7b"), hex("b40426")},
}

func init() {
	for from, to := range map[string]string{"greys_r": "gray", "grey": "gray", "twilight": "hsv", "rdbu_r": "coolwarm", "bwr": "coolwarm", "seismic": "coolwarm", "cividis": "viridis"} {
		maps[from] = maps[to]
	}
	for _, n := range []string{"viridis", "gray", "hot", "jet", "hsv", "blues", "reds", "plasma", "magma", "inferno", "coolwarm"} {
		back := make([]RGBA, len(maps[n]))
		for k, c := range maps[n] {
			back[len(back)-1-k] = c
		}
		maps[n+"_r"] = back
	}
	maps["greys"], maps["binary"], maps["rdbu"] = maps["gray_r"], maps["gray_r"], maps["coolwarm_r"]
}

// HasMap says that there is a colour map.
func HasMap(name string) bool { _, ok := maps[strings.ToLower(name)]; return ok }

// Mapped is the colour of a value between 0 and 1.
func Mapped(name string, x float64) RGBA {
	m := maps[strings.ToLower(name)]
	if m == nil {
		m = maps["viridis"]
	}
	if math.IsNaN(x) {
		return RGBA{}
	}
	x = max(0, min(1, x)) * float64(len(m)-1)
	k := min(int(x), len(m)-2)
	f := x - float64(k)
	mix := func(a, b float64) float64 { return a + float64(f*(b-a)) }
	return RGBA{mix(m[k].R, m[k+1].R), mix(m[k].G, m[k+1].G), mix(m[k].B, m[k+1].B), 1}
}
