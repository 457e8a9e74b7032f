package tidy

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// tree is a module as the rules see it: the one we live in, or a victim.
type tree struct {
	fsys   fs.FS
	fset   *token.FileSet
	pkgs   []*pkg
	texts  []text
	nested []string // directories of modules in this one, with a slash at the end
	layers map[string]layer
	dice   map[string]string // files that may import math/rand, and why
	whole  bool              // every row's package is all there: what a row allows must be needed
}

// pkg is the Go files of one directory, of the package and of its tests.
type pkg struct {
	dir   string // with slashes, "." for the root
	files []*source
}

type source struct {
	path   string
	test   bool
	syntax *ast.File
	lines  []string
}

// text is any file that is not binary.
type text struct {
	path  string
	lines []string
}

// notOurs are directories that nobody commits, or that break rules on purpose.
// So are the failures that rapid writes down, in testdata/rapid of any package.
var notOurs = []string{".git", "rashomon-out", "internal/tidy/testdata"}

// readTree reads the module in fsys. Nested modules, testdata and directories
// that the go command skips hold texts but no packages.
func readTree(fsys fs.FS) (*tree, error) {
	t := &tree{fsys: fsys, fset: token.NewFileSet(), layers: layers, dice: dice, whole: true}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains(notOurs, name) || strings.HasSuffix(name, "testdata/rapid")):
			return fs.SkipDir
		case d.IsDir():
			if _, err := fs.Stat(fsys, path.Join(name, "go.mod")); err == nil && name != "." {
				t.nested = append(t.nested, name+"/")
			}
			return nil
		case !d.Type().IsRegular() || name == ".git": // in a worktree it is a file
			return nil
		}
		return t.read(name)
	})
	return t, err
}

func (t *tree) read(name string) error {
	content, err := fs.ReadFile(t.fsys, name)
	if err != nil {
		return err
	}
	if bytes.IndexByte(content, 0) >= 0 {
		return nil
	}
	lines := strings.Split(string(content), "\n")
	t.texts = append(t.texts, text{name, lines})
	nested := slices.ContainsFunc(t.nested, func(dir string) bool { return strings.HasPrefix(name, dir) })
	if path.Ext(name) != ".go" || nested || skipped(path.Dir(name)) {
		return nil
	}
	syntax, err := parser.ParseFile(t.fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	p := t.pkg(path.Dir(name))
	p.files = append(p.files, &source{name, strings.HasSuffix(name, "_test.go"), syntax, lines})
	return nil
}

func (t *tree) pkg(dir string) *pkg {
	for _, p := range t.pkgs {
		if p.dir == dir {
			return p
		}
	}
	p := &pkg{dir: dir}
	t.pkgs = append(t.pkgs, p)
	return p
}

// built returns the files that make up the package on this machine, without
// its tests.
func (t *tree) built(p *pkg) ([]*source, error) {
	var files []*source
	for _, f := range p.files {
		if f.test {
			continue
		}
		ok, err := t.matches(build.Default, f)
		if err != nil {
			return nil, err
		}
		if ok {
			files = append(files, f)
		}
	}
	return files, nil
}

// matches says whether a file is built in a context, by its name and its build tags.
func (t *tree) matches(ctx build.Context, f *source) (bool, error) {
	ctx.OpenFile = func(name string) (io.ReadCloser, error) { return t.fsys.Open(path.Clean(name)) }
	ctx.JoinPath = path.Join
	return ctx.MatchFile(path.Dir(f.path), path.Base(f.path))
}

// skipped says whether the go command ignores a directory.
func skipped(dir string) bool {
	return slices.ContainsFunc(strings.Split(dir, "/"), func(element string) bool {
		return element == "testdata" || element != "." && strings.ContainsAny(element[:1], "._")
	})
}

// finding is one thing that a rule has to say.
type finding struct {
	path string
	line int
	rule string
	text string
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.path, f.line, f.rule, f.text)
}

// report collects findings.
type report struct {
	fset     *token.FileSet
	findings []finding
}

func (r *report) add(at token.Pos, rule, format string, args ...any) {
	p := r.fset.Position(at)
	r.addLine(p.Filename, p.Line, rule, format, args...)
}

func (r *report) addLine(path string, line int, rule, format string, args ...any) {
	r.findings = append(r.findings, finding{path, line, rule, fmt.Sprintf(format, args...)})
}

// inspect runs every rule over the tree.
func inspect(t *tree) ([]finding, error) {
	r := &report{fset: t.fset}
	checkLayers(t, r)
	if t.whole {
		checkAllowances(t, r)
	}
	checkText(t, r)
	checkDocs(t, r)
	if err := checkSkips(t, r); err != nil {
		return nil, err
	}
	if err := checkBans(t, r); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.line, b.line), cmp.Compare(a.rule, b.rule))
	})
	return r.findings, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
