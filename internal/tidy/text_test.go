package tidy

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
)

var (
	// A note to self is work that nobody else can see: it belongs in an issue.
	// (The brackets keep the pattern from matching itself.)
	noteToSelf = regexp.MustCompile(`\b(T[O]DO|F[I]XME|X{3})\b`)
	// A path below somebody's home works on one machine.
	machinePath = regexp.MustCompile(`(^|[\s"'=:(\x60])(/(root|home|Users|work)/\w|[A-Z]:\\Users\\)`)
)

func checkText(t *tree, r *report) {
	for _, f := range t.texts {
		goCode := path.Ext(f.path) == ".go"
		for i, line := range f.lines {
			if goCode && noteToSelf.MatchString(line) {
				r.addLine(f.path, i+1, "note", "%s: do it, or open an issue", noteToSelf.FindString(line))
			}
			if m := machinePath.FindStringSubmatch(line); m != nil {
				r.addLine(f.path, i+1, "path", "%s… is a path on one machine", m[2])
			}
		}
	}
}

// wellKnown are methods whose interface says all there is to say.
var wellKnown = []string{"Error", "Unwrap", "String", "Len", "Less", "Swap", "Push", "Pop"}

// checkDocs asks for one package comment per package, and for a comment on
// every name that others can use. A comment on a group, or behind a constant,
// counts; constants of a type of ours are covered by the comment of the type.
func checkDocs(t *tree, r *report) {
	for _, p := range t.pkgs {
		var code []*ast.File
		documented := false
		for _, f := range p.files {
			if !f.test {
				code = append(code, f.syntax)
				documented = documented || f.syntax.Doc != nil
			}
		}
		if len(code) == 0 {
			continue
		}
		if !documented {
			r.add(code[0].Package, "doc", "package %s has no package comment", code[0].Name.Name)
		}
		if code[0].Name.Name == "main" {
			continue // nobody can use its names
		}
		for _, f := range code {
			for _, d := range f.Decls {
				checkDecl(d, r)
			}
		}
	}
}

func checkDecl(d ast.Decl, r *report) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		method := d.Recv != nil
		if d.Doc != nil || !d.Name.IsExported() || method && (!ast.IsExported(receiver(d)) || slices.Contains(wellKnown, d.Name.Name)) {
			return
		}
		r.add(d.Pos(), "doc", "%s has no comment", d.Name.Name)
	case *ast.GenDecl:
		if d.Doc != nil || d.Tok == token.IMPORT {
			return
		}
		enumerates := false
		for _, s := range d.Specs {
			if enumerates = isEnumerator(d.Tok, s, enumerates); !enumerates {
				checkSpec(s, r)
			}
		}
	}
}

// isEnumerator says whether a spec names a constant of an exported type, whose
// comment says what its values mean. A spec without a value goes on as the one
// before it.
func isEnumerator(tok token.Token, s ast.Spec, before bool) bool {
	v, ok := s.(*ast.ValueSpec)
	if !ok || tok != token.CONST {
		return false
	}
	if v.Type == nil && v.Values == nil {
		return before
	}
	of, ok := v.Type.(*ast.Ident)
	return ok && of.IsExported()
}

func checkSpec(s ast.Spec, r *report) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && s.Comment == nil {
			r.add(s.Pos(), "doc", "type %s has no comment", s.Name.Name)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && s.Doc == nil && s.Comment == nil {
				r.add(name.Pos(), "doc", "%s has no comment", name.Name)
			}
		}
	}
}

// receiver returns the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	for e := d.Recv.List[0].Type; ; {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
