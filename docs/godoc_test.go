package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestGodoc: every package has a comment that says what it is, every exported name one of its own or that of the group it
// stands in. Methods of unexported types, and those that only meet an interface (String, Error, Len, ...), may go without.
func TestGodoc(t *testing.T) {
	packages := map[string]bool{}
	documented := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "shared") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		packages[dir] = true
		documented[dir] = documented[dir] || f.Doc != nil
		for _, d := range f.Decls {
			for _, id := range undocumented(d) {
				t.Errorf("%s: %s is exported and has no comment", files.Position(id.Pos()), id.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := range packages {
		if !documented[dir] {
			t.Errorf("%s: the package has no comment", dir)
		}
	}
}

// met are methods of interfaces that everybody knows, or that Starlark's machine asks of values.
var met = map[string]bool{}

func init() {
	for _, n := range strings.Fields("String Error Unwrap Len Less Swap Type Freeze Truth Hash Attr AttrNames SetField Get Has SetKey Iterate Binary Unary Slice Index CompareSameType CallInternal Name Write Read Close MarshalJSON UnmarshalJSON") {
		met[n] = true
	}
}

// undocumented are the exported names of a declaration that nothing explains.
func undocumented(d ast.Decl) (out []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil || !d.Name.IsExported() {
			return nil
		}
		if d.Recv != nil {
			of := d.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if generic, ok := of.(*ast.IndexExpr); ok {
				of = generic.X
			}
			if id, ok := of.(*ast.Ident); ok && !id.IsExported() || met[d.Name.Name] {
				return nil
			}
		}
		return []*ast.Ident{d.Name}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
					out = append(out, s.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
						out = append(out, n)
					}
				}
			}
		}
	}
	return out
}
