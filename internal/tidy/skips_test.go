package tidy

import (
	"go/ast"
	"slices"
)

// checkSkips lets tests be skipped for their length (testing.Short), for what another
// operating system lacks (runtime.GOOS), or by package unable, which does not skip them
// where everything runs.
func checkSkips(t *tree, r *report) {
	for _, p := range t.pkgs {
		for _, f := range p.files {
			if f.test {
				ast.Inspect(f.syntax, func(n ast.Node) bool { return skips(n, r) })
			}
		}
	}
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
