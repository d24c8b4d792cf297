package num

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bitDeciding lists the folders whose arithmetic decides bits of a simulation (design section 3, rule 11).
var bitDeciding = []string{
	"engine", "engine/num", "engine/eqn", "engine/connect", "engine/ir", "engine/vm", "engine/backend", "engine/philox",
	"kernels", "kernels/ref",
}

// TestNoProductFuses walks those folders and rejects every floating-point product that is not rounded by an explicit
// conversion: a compiler may fuse it with a sum, even in another statement ("An explicit floating-point type conversion
// rounds to the precision of the target type, preventing fusion", says the language specification, and nothing else
// does). Write float64(x*y) or float32(x*y). A product by a power of two is exact, and one that only meets * / a comparison, a conversion to an integer or
// a function of package math cannot fuse. With SYNFIRE_FIX=1 the files are rewritten (but for *=).
func TestNoProductFuses(t *testing.T) {
	root := "../.."
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "source", nil)
	for _, dir := range bitDeciding {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		// Files of all build tags are looked at together; what they declare twice does not matter here.
		var files []*ast.File
		for _, e := range entries {
			if e.IsDir() || !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			f, err := parser.ParseFile(fset, filepath.Join(root, dir, e.Name()), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		found := fusable(fset, files, imp)
		if os.Getenv("SYNFIRE_FIX") != "" {
			fix(t, fset, found)
		}
		for _, p := range found {
			t.Error(strings.TrimPrefix(p.String(), root+"/"))
		}
	}
}

// product is one that may fuse; insert is what belongs into the text, by position.
type product struct {
	at     token.Position
	what   string
	insert map[token.Pos]string
}

func (p product) String() string { return fmt.Sprintf("%v: %s", p.at, p.what) }

// fix rewrites files so that the products are rounded.
func fix(t *testing.T, fset *token.FileSet, found []product) {
	texts := map[string]map[int]string{}
	for _, p := range found {
		for pos, s := range p.insert {
			at := fset.Position(pos)
			if texts[at.Filename] == nil {
				texts[at.Filename] = map[int]string{}
			}
			texts[at.Filename][at.Offset] += s
		}
	}
	for name, inserts := range texts {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		for k := range len(src) + 1 {
			out = append(out, inserts[k]...)
			if k < len(src) {
				out = append(out, src[k])
			}
		}
		if err := os.WriteFile(name, out, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// fusable finds the products that a compiler may fuse.
func fusable(fset *token.FileSet, files []*ast.File, imp types.Importer) []product {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: imp, Error: func(error) {}, FakeImportC: true}
	conf.Check("p", fset, files, info) // errors are none of this test's business
	var found []product
	name := func(e ast.Expr) string {
		return types.TypeString(info.Types[e].Type, func(p *types.Package) string {
			if p.Path() == "p" {
				return ""
			}
			return p.Name()
		})
	}
	isFloat := func(e ast.Expr) bool {
		tv, ok := info.Types[e]
		if !ok || tv.Type == nil || tv.Value != nil {
			return false
		}
		b, ok := tv.Type.Underlying().(*types.Basic)
		if _, isParam := tv.Type.(*types.TypeParam); isParam {
			return true
		}
		return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
	}
	for _, f := range files {
		var stack []ast.Node
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			stack = append(stack, n)
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok == token.MUL_ASSIGN && isFloat(n.Lhs[0]) {
					found = append(found, product{fset.Position(n.Pos()),
						"a floating-point *= may fuse with a later sum: write x = " + name(n.Lhs[0]) + "(x * y)",
						nil})
				}
			case *ast.BinaryExpr:
				if n.Op == token.MUL && isFloat(n) && !exact(info, n) && !rounded(stack, info) {
					found = append(found, product{fset.Position(n.Pos()), "this product may fuse with a sum: write " + name(n) + "(x * y)",
						map[token.Pos]string{n.Pos(): name(n) + "(", n.End(): ")"}})
				}
			}
			return true
		})
	}
	return found
}

// exact reports whether one factor is a power of two: such a product has nothing to round.
func exact(info *types.Info, n *ast.BinaryExpr) bool {
	for _, e := range []ast.Expr{n.X, n.Y} {
		if v := info.Types[e].Value; v != nil {
			if x, _ := constant.Float64Val(constant.ToFloat(v)); x != 0 {
				if m, _ := math.Frexp(math.Abs(x)); m == 0.5 {
					return true
				}
			}
		}
	}
	return false
}

// rounded reports whether the product on top of the stack goes where it cannot fuse.
func rounded(stack []ast.Node, info *types.Info) bool {
	var child ast.Node = stack[len(stack)-1]
	for k := len(stack) - 2; k >= 0; k-- {
		switch p := stack[k].(type) {
		case *ast.ParenExpr:
		case *ast.UnaryExpr:
			if p.Op != token.SUB {
				return false
			}
		case *ast.BinaryExpr:
			switch p.Op {
			case token.MUL, token.QUO, token.LSS, token.LEQ, token.GTR, token.GEQ, token.EQL, token.NEQ:
				return true
			}
			return false
		case *ast.CallExpr:
			if child == p.Fun {
				return false
			}
			if tv := info.Types[p.Fun]; tv.IsType() {
				return true
			}
			if s, ok := p.Fun.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok {
					if pkg, ok := info.Uses[x].(*types.PkgName); ok {
						return pkg.Imported().Path() == "math"
					}
				}
			}
			return false
		default:
			return false
		}
		child = stack[k]
	}
	return false
}

func TestFusableFindsProducts(t *testing.T) {
	const text = `package p
import "math"
type F float64
func f(a, b, c float64, g float32, h F, i, j int) float64 {
	x := a*b + c               // found
	x += a * b                 // found
	x *= c                     // found
	y := a * b                 // found
	z := -(a * b) - c          // found
	w := g*g - g               // found
	v := h*h + h               // found
	ok := float64(a*b) + c
	ok2 := i*j + i
	ok3 := a*b/c + float64(a*b*c)
	ok4 := 2.0*3.0 + c
	ok5 := 0.5*a + c
	i *= j
	if a*b < c || int(a*b) > i { return math.Floor(a*b) + c }
	_, _, _, _, _, _, _, _, _, _ = x, y, z, w, v, ok, ok2, ok3, ok4, ok5
	return a * b               // found
}
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", text, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]bool{}
	for _, p := range fusable(fset, []*ast.File{file}, importer.ForCompiler(fset, "source", nil)) {
		got[p.at.Line] = true
	}
	for k, line := range strings.Split(text, "\n") {
		if want := strings.Contains(line, "// found"); got[k+1] != want {
			t.Errorf("line %d, %q: found %v", k+1, line, got[k+1])
		}
	}
}
