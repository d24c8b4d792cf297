package script

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"synfire/engine/figure"
)

// drawnBy runs a script and gives what it has drawn, by the names of the files.
func drawnBy(t *testing.T, src string) (map[string]*figure.Figure, error) {
	t.Helper()
	figures := map[string]*figure.Figure{}
	_, _, err := runText(t, src, Options{Open: onRef, Draw: func(f *figure.Figure, name string) error {
		figures[name] = f
		return nil
	}})
	return figures, err
}

// TestPylab describes figures and looks at what came of them.
func TestPylab(t *testing.T) {
	const tools = `from brian2tools import *
G = NeuronGroup(2, 'v : volt\nw : 1', threshold='True')
H = NeuronGroup(1, 'v : 1', threshold='v > 1')
M, W, R, S = StateMonitor(G, 'v', record=True), StateMonitor(G, ['v', 'w'], record=[1]), PopulationRateMonitor(H), SpikeMonitor(G)
C = Synapses(G, G, 'x : volt'); C.connect(i=[0, 1], j=[1, 0])
C.x, G.v = '(1 + i)*volt', '(1 + i)*volt'
run(0.2*ms)
`
	for _, c := range []struct{ name, src, want string }{
		{"a line", "from pylab import *\nplot([1, 2, 3]*mV/mV, 'r.', ms=3)\nshow()", "test_1.png 1: [line x0,1,2 y1,2,3 '' '.' #ff0000]"},
		{"x and y", "plot([1, 2], [3, 4], 'k--', lw=2, label='a'); plot([5, 6], ':'); legend(); xlim(0, 3); show()", "test_1.png 1: x(0,3) legend [line x1,2 y3,4 '--' '' #000000 a] [line x0,1 y5,6 ':' '' #0072b2]"},
		{"columns", "plot([0, 1], array([[1, 2], [3, 4]])); show()", "test_1.png 1: [line x0,1 y1,3 '-' '' #0072b2] [line x0,1 y2,4 '-' '' #d55e00]"},
		{"several", "plot([1], [2], 'o', [3], [4], 'x'); show()", "test_1.png 1: [line x1 y2 '' 'o' #0072b2] [line x3 y4 '' 'x' #d55e00]"},
		{"subplots", "fig, (a, b) = plt.subplots(1, 2, figsize=(8, 3), sharey=True)\na.set(title='A', xlabel='t (ms)')\nb.axhline(3, ls=':', color='0.5')\nplt.savefig('out/x.svg')", "out/x.svg 1: 8x3 1/2 'A' 't (ms)' | 2/2 sharey [across y3 ':' '' #808080]"},
		{"numbered", "subplot(211); plot([1]); subplot(2, 1, 2); plot([2]); subplot(211); plot([3]); show()", "test_1.png 1: 1/2 [line x0 y1 '-' '' #0072b2] [line x0 y3 '-' '' #d55e00] | 2/2 [line x0 y2 '-' '' #0072b2]"},
		{"histogram", "n, edges, _ = hist([1, 2, 2, 4], bins=3, color='g'); title('%d %d' % (n[0], len(edges))); show()", "test_1.png 1: '1 4' [bars x1.5,2.5,3.5 y1,2,1 '-' '' #008000]"},
		{"image", "imshow([[1, 2], [3, 4]], origin='lower', extent=(0, 1, 0, 2), cmap='gray', aspect='auto'); colorbar(label='w'); show()", "test_1.png 1: colorbar 'w' [image x0,1 y0,2 z1,2,3,4 gray]"},
		{"image upside down", "imshow([[1, 2], [3, 4]]); show()", "test_1.png 1: equal inverted [image x-0.5,1.5 y-0.5,1.5 z1,2,3,4 viridis]"},
		{"logarithms", "semilogy([1, 10]); gca().set_xscale('log'); yticks([1, 10], ['a', 'b']); show()", "test_1.png 1: logx logy yticks 1,10 a,b [line x0,1 y1,10 '-' '' #0072b2]"},
		{"errors", "errorbar([1], [2], yerr=0.5, fmt='s', color='C1'); show()", "test_1.png 1: [errors x1 y2 y-0.5 '' 's' #d55e00] [line x1 y2 '' 's' #d55e00]"},
		{"two figures", "figure(); plot([1]); figure(2); plot([2]); figure(1); plot([3]); show(); plot([4]); show()", "test_1.png 1: [line x0 y1 '-' '' #0072b2] [line x0 y3 '-' '' #d55e00]\ntest_2.png 2: [line x0 y2 '-' '' #0072b2]\ntest_3.png 1: [line x0 y4 '-' '' #0072b2]"},
		{"texts", "text(1, 2, r'$\\mu$', ha='center'); annotate('b', xy=(1, 1), xytext=(2, 2), arrowprops=dict(arrowstyle='->')); show()", "test_1.png 1: [text x1 y2 $\\mu$] [arrow x2,1 y2,1] [text x2 y2 b]"},
		{"sides", "fig, ax = subplots()\nax.spines['top'].set_visible(False); ax.twinx().plot([1]); ax.xaxis.set_ticks([]); show()", "test_1.png 1: bare:top xticks | twin [line x0 y1 '-' '' #0072b2]"},
		{"a cycle of colours", "from cycler import cycler\nc = cycler(color='k').concat(plt.rcParams['axes.prop_cycle'][2:])\nfig, ax = subplots(); ax.set(prop_cycle=c); ax.plot([1]); ax.plot([2]); show()", "test_1.png 1: [line x0 y1 '-' '' #000000] [line x0 y2 '-' '' #009e73]"},
		{"axes within", "ax = gca(); ax.plot([1]); ax.inset_axes([0.1, 0.1, 0.5, 0.5]).plot([2]); show()", "test_1.png 1: [line x0 y1 '-' '' #0072b2] | within [line x0 y2 '-' '' #0072b2]"},
		{"spikes", tools + "brian_plot(S); plot_raster(S.i, S.t, time_unit=second, color='r'); show()", "test_1.png 1: 'time (s)' 'neuron index' [line x0,0,0.1,0.1 y0,1,0,1 '' '.' #0072b2] [line x0,0,0.0001,0.0001 y0,1,0,1 '' '.' #ff0000]"},
		{"states", tools + "brian_plot(M[1]); plot_state(M.t, M.v[0], ms, mvolt, 'V'); show()", "test_1.png 1: 'time (ms)' 'V (mV)' [line x0,0.1 y2,2 '-' '' #0072b2] [line x0,0.1 y1000,1000 '-' '' #d55e00]"},
		{"states of two variables", tools + "brian_plot(W)[1].set_title('w'); show()", "test_1.png 2: 1/2 'time (ms)' 'v (V)' [line x0,0.1 y2,2 '-' '' #0072b2] | 2/2 'w' 'time (ms)' 'w' [line x0,0.1 y0,0 '-' '' #0072b2]"},
		{"population rates", tools + "brian_plot(R); plot_rate([0, 1]*ms, [1000, 2000]*Hz, rate_unit=kHz); show()", "test_1.png 1: 'time (ms)' 'population rate (kHz)' [line x0,0.1 y0,0 '-' '' #0072b2] [line x0,1 y1,2 '-' '' #d55e00]"},
		{"synapses", tools + "brian_plot(C); show()", "test_1.png 1: 'source neuron index' 'target neuron index' [line x0,1 y1,0 '' 's' #0072b2]"},
		{"values of synapses", tools + "brian_plot(C.x); show(); plot_synapses(C.i, C.j, values=C.x, var_name='x', marker='o'); show()", "test_1.png 1: 'source neuron index' 'target neuron index' colorbar 'x (V)' [line x0,1 y1,0 '' 's' #0072b2]\ntest_2.png 1: 'source neuron index' 'target neuron index' colorbar 'x (V)' [line x0,1 y1,0 '' 'o' #0072b2]"},
		{"a grid of cells", "gs = figure().add_gridspec(2, 3, height_ratios=[1, 2]); ax = subplot(gs[1, :2]); ax.step([1, 2], [3, 4], where='post'); show()", "test_1.png 1: rows 1-2 cols 0-2 of 2x3 [line x1,2,2 y3,3,4 '-' '' #0072b2]"},
	} {
		figures, err := drawnBy(t, c.src)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := told(figures); got != c.want {
			t.Errorf("%s:\n  got  %s\n  want %s", c.name, got, c.want)
		}
	}
}

// told is what figures hold, in words.
func told(figures map[string]*figure.Figure) string {
	list := func(v []float64) string {
		s := fmt.Sprint(v)
		return strings.ReplaceAll(s[1:len(s)-1], " ", ",")
	}
	var names []string
	for n := range figures {
		names = append(names, n)
	}
	var lines []string
	for _, n := range sorted(names) {
		f := figures[n]
		s := fmt.Sprintf("%s %d:", n, f.Number)
		if f.Width != 6.4 {
			s += fmt.Sprintf(" %gx%g", f.Width, f.Height)
		}
		for k, a := range f.Axes {
			if k > 0 {
				s += " |"
			}
			p := a.Place
			switch n := p.Rows * p.Cols; {
			case a.Twin != nil:
				s += " twin"
			case a.Within != nil:
				s += " within"
			case n == 1:
			case p.Row1-p.Row0 == 1 && p.Col1-p.Col0 == 1:
				s += fmt.Sprintf(" %d/%d", p.Row0*p.Cols+p.Col0+1, n)
			default:
				s += fmt.Sprintf(" rows %d-%d cols %d-%d of %dx%d", p.Row0, p.Row1, p.Col0, p.Col1, p.Rows, p.Cols)
			}
			if a.ShareY != nil {
				s += " sharey"
			}
			for _, text := range []string{a.Title, a.X.Label, a.Y.Label} {
				if text != "" {
					s += " '" + text + "'"
				}
			}
			if !math.IsNaN(a.X.Lo) {
				s += fmt.Sprintf(" x(%g,%g)", a.X.Lo, a.X.Hi)
			}
			for word, on := range map[string]bool{"logx": a.X.Log} {
				if on {
					s += " " + word
				}
			}
			if a.Y.Log {
				s += " logy"
			}
			if a.Legend {
				s += " legend"
			}
			if a.Equal {
				s += " equal"
			}
			if a.Y.Inverted {
				s += " inverted"
			}
			if a.Colorbar {
				s += " colorbar"
				if a.ColorbarLabel != "" {
					s += " '" + a.ColorbarLabel + "'"
				}
			}
			if a.Bare["top"] {
				s += " bare:top"
			}
			if a.X.Fixed {
				s += " xticks"
			}
			if a.Y.Fixed {
				s += " yticks " + list(a.Y.Ticks) + " " + strings.Join(a.Y.Labels, ",")
			}
			for _, m := range a.Marks {
				s += " [" + [...]string{"line", "bars", "image", "errors", "fill", "area", "across", "band", "segments", "text", "arrow"}[m.Kind]
				if m.X != nil {
					s += " x" + list(m.X)
				}
				if m.Y != nil {
					s += " y" + list(m.Y)
				}
				switch m.Kind {
				case figure.Image:
					s += " z" + list(m.Z) + " " + m.Map
				case figure.Text:
					s += " " + m.Words
				case figure.Errors:
					s += " y-" + list(m.YLow)
					fallthrough
				case figure.Line, figure.Across, figure.Bars:
					s += fmt.Sprintf(" '%s' '%s' #%02x%02x%02x", m.Dash, m.Marker, int(math.Round(m.Color.R*255)), int(math.Round(m.Color.G*255)), int(math.Round(m.Color.B*255)))
				}
				if m.Label != "" {
					s += " " + m.Label
				}
				s += "]"
			}
		}
		lines = append(lines, s)
	}
	return strings.Join(lines, "\n")
}

func sorted(l []string) []string {
	for i := range l {
		for j := i + 1; j < len(l); j++ {
			if l[j] < l[i] {
				l[i], l[j] = l[j], l[i]
			}
		}
	}
	return l
}

// TestPylabErrors: what cannot be drawn is told where it stands.
func TestPylabErrors(t *testing.T) {
	for _, c := range []struct{ src, at, want string }{
		{"plot([1, 2], [1, 2, 3])", "1:1", "different sizes: 2 and 3"},
		{"plot([1], 'q')", "1:1", "'q' is no format of a line"},
		{"plot([1], colour='r')", "1:18", "plot() has no argument colour here"},
		{"plot([1], color='rde')", "1:17", "there is no colour 'rde'"},
		{"plt.scater([1], [2])", "1:5", "has no scater here\n  plt.scater([1], [2])\n      ^\n  did you mean 'scatter'?"},
		{"subplot(214)", "1:1", "there is no subplot 4 of 2 by 1"},
		{"fig, ax = subplots(2)\nax[2].plot([1])", "2:3", "index 2 is out of range"},
		{"hist([1, 2], bins=0)", "1:1", "bins=0 is not possible"},
		{"savefig('x.gif')", "1:1", "ends in .png or .svg"},
		{"gca().contour([[1]])", "1:7", "axes have no .contour here"},
		{"figure(figsize=(0, 3))", "1:1", "a figure's size"},
		{"xlim(inf, 3)", "1:1", "a limit is a number"},
		{"subplot(111, projection='polar')", "1:1", "no projections"},
		{"import brian2tools\nbrian2tools.plot_synapses([0], [1], plot_type='hexbin')", "2:13", "'scatter' is the one there is"},
		{"import brian2tools\nbrian2tools.plot_raster([0], [1]*ms, var_unit=mV)", "2:47", "no argument var_unit"},
		{"imshow([1, 2])", "1:1", "imshow() takes a table"},
	} {
		_, err := drawnBy(t, c.src)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "test.star:"+c.at+":") {
			t.Errorf("%s: the error is not at %s or lacks %q:\n%v", c.src, c.at, c.want, err)
		}
	}
}

// TestFiguresThatNothingKeeps: the warning comes where neither show() nor savefig() is called; or they are drawn, or an error says why not.
func TestFiguresThatNothingKeeps(t *testing.T) {
	for src, want := range map[string]int{"plot([1, 2])": 1, "plot([1, 2]); savefig('x.png')": 0, "plot([1, 2]); show()": 0} {
		warnings := 0
		if _, _, err := runText(t, src, Options{Draw: func(*figure.Figure, string) error { return nil }, Warn: func(string) { warnings++ }}); err != nil || warnings != want {
			t.Errorf("%s: %d warnings, want %d; %v", src, warnings, want, err)
		}
		drawn := 0
		if _, _, err := runText(t, src, Options{DrawLeft: true, Draw: func(*figure.Figure, string) error { drawn++; return nil }, Warn: func(w string) { t.Error(w) }}); err != nil || drawn != 1 {
			t.Errorf("%s: %d figures with DrawLeft, want 1; %v", src, drawn, err)
		}
	}
	full := errors.New("the disk is full")
	for _, src := range []string{"plot([1, 2])", "plot([1, 2]); exit()"} {
		if _, _, err := runText(t, src, Options{DrawLeft: true, Draw: func(*figure.Figure, string) error { return full }}); !errors.Is(err, full) {
			t.Errorf("%s: a picture that cannot be drawn: %v", src, err)
		}
	}
}
