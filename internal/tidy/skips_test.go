package tidy

import (
	"go/ast"
	"go/build"
	"slices"
)

// checkSkips lets tests be skipped for their length (testing.Short), for what another
// operating system lacks (runtime.GOOS), or by package unable, which does not skip them
// where everything runs. Nor may a build tag, or the name of a file, keep tests from CI.
func checkSkips(t *tree, r *report) error {
	ci := build.Default
	ci.GOOS, ci.GOARCH, ci.BuildTags = "linux", "amd64", nil
	for _, p := range t.pkgs {
		for _, f := range p.files {
			if !f.test {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool { return skips(n, r) })
			runs, err := t.matches(ci, f)
			if err != nil {
				return err
			}
			if !runs {
				r.add(f.syntax.Package, "skip", "tests that CI never builds: it has Linux, and no tags")
			}
		}
	}
	return nil
}

// skips says whether the inspection goes on below n.
func skips(n ast.Node, r *report) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		return !asks(n.Cond, "testing", "Short") && !asks(n.Cond, "runtime", "GOOS")
	case *ast.CallExpr:
		s, ok := n.Fun.(*ast.SelectorExpr)
		if ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) && !isName(s.X, "unable") {
			r.add(n.Pos(), "skip", "a test that may never run: use internal/unable, or ask testing.Short or runtime.GOOS")
		}
	}
	return true
}

// asks says whether a condition has a name of a package.
func asks(cond ast.Expr, pkg, name string) (found bool) {
	ast.Inspect(cond, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == name && isName(s.X, pkg) {
			found = true
		}
		return !found
	})
	return found
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
