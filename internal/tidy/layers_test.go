package tidy

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

const module = "github.com/rashomon-go/rashomon"

const (
	porcupine  = "github.com/anishathalye/porcupine"
	yaml       = "github.com/goccy/go-yaml"
	gonum      = "gonum.org/v1/gonum"
	edn        = "olympos.io/encoding/edn"
	datadriven = "github.com/cockroachdb/datadriven"
	flock      = "github.com/gofrs/flock"
	goose      = "github.com/pressly/goose/v3"
	pgx        = "github.com/jackc/pgx/v5"
	river      = "github.com/riverqueue/river"
	sqlite     = "modernc.org/sqlite"
)

// layer is what a package may import besides the standard library. Tests are
// free to import any package of ours (the compiler refuses cycles): a judge may
// be tested on simulated histories without knowing a simulator.
type layer struct {
	imports   []string // packages of ours, by directory, "." for the root
	modules   []string // other people's modules
	anything  bool     // the command: nobody imports it
	simulated bool     // the determinism bans hold
	files     []string // of a package that is not simulated: the files in which they hold
}

// layers is the architecture (docs/design.md has it as a picture). A row for a
// package that does not exist is harmless; a package without a row fails, and so
// does an allowance that nothing needs.
var layers = map[string]layer{
	// Judges: they know no simulator, so they judge histories recorded anywhere.
	"model":           {modules: []string{porcupine}},
	"history":         {imports: []string{"history/internal/lines", "model"}},
	"history/formats": {imports: []string{"history", "history/internal/lines", "model"}, modules: []string{edn}},
	"checker":         {imports: []string{"history", "model"}, modules: []string{porcupine}},

	"history/internal/lines": {},

	// The simulated world: protocols do not know that they are watched.
	"sim":         {simulated: true},
	"replication": {simulated: true, imports: []string{"sim"}},
	"faults":      {simulated: true, imports: []string{"sim"}},
	"workload":    {simulated: true, imports: []string{"model"}},
	"systems": {simulated: true, imports: []string{
		".", "checker", "faults", "model", "replication", "sim",
	}},

	// report never imports the root, so that a failing Check can write its page.
	"report":      {imports: []string{"history", "internal/english", "model", "sim"}},
	"report/site": {imports: []string{"internal/english", "report"}}, // pages of a campaign, of which it knows nothing
	// The root reads scenario files from `go test` too, hence YAML. What decides a
	// run stands in files of its own.
	".": {
		files:   []string{"client.go", "digest.go", "generate.go", "generate_workload.go", "judge.go", "run.go", "shrink.go"},
		imports: []string{"checker", "faults", "history", "internal/english", "internal/wholefile", "model", "report", "sim", "workload"},
		modules: []string{yaml},
	},
	"campaign": {imports: []string{".", "checker", "faults", "model", "sim"}, modules: []string{gonum}},
	// What the command makes campaigns of stands alone, so that nobody else gets a database.
	"campaign/store": {imports: []string{"campaign"}, modules: []string{flock, goose, pgx, sqlite}},
	"campaign/queue": {imports: []string{".", "campaign", "campaign/store"}, modules: []string{pgx, river}},

	"campaign/corpus": {imports: []string{".", "campaign/store", "checker", "internal/wholefile", "systems"}},
	"campaign/verdict": {imports: []string{
		".", "campaign", "campaign/corpus", "campaign/store", "checker", "internal/english", "model", "sim", "systems",
	}},

	"cmd/check": {anything: true},

	"internal/cputime":   {},
	"internal/english":   {},
	"internal/lethal":    {imports: []string{".", "sim"}},
	"internal/pgtest":    {imports: []string{"internal/unable"}},
	"internal/tidy":      {},
	"internal/unable":    {},
	"internal/wholefile": {},
}

// testModules are for _test files only, in every package and in the command.
var testModules = []string{
	"github.com/stretchr/testify",
	"pgregory.net/rapid",
}

// testHelpers may be imported by the tests of any package, beside testModules.
var testHelpers = []string{
	datadriven,
	"github.com/rogpeppe/go-internal",
}

func checkLayers(t *tree, r *report) {
	for _, p := range t.pkgs {
		row, listed := t.layers[p.dir]
		if !listed {
			r.add(p.files[0].syntax.Package, "layer",
				"package %s has no row in the table layers: add one to internal/tidy/layers_test.go that says what it may import", p.dir)
			continue
		}
		for _, f := range p.files {
			for _, spec := range f.syntax.Imports {
				checkImport(p.dir, row, f.test, spec, r)
			}
		}
	}
}

// checkAllowances reports what a row allows and its package does not need: it
// would let the next arrow in without a decision. Modules may be needed by tests
// alone, packages of ours may not.
func checkAllowances(t *tree, r *report) {
	for _, p := range t.pkgs {
		row, needed, all := t.layers[p.dir], map[string]bool{}, []string{}
		for _, f := range p.files {
			for _, spec := range f.syntax.Imports {
				imported := strings.Trim(spec.Path.Value, "`\"")
				if ours, ok := inModule(imported); ok && !f.test {
					needed[ours] = true
				}
				all = append(all, imported)
			}
		}
		for _, dir := range row.imports {
			if !needed[dir] {
				r.add(p.files[0].syntax.Package, "allowance", "the row of %s allows %s of ours, which it does not import", p.dir, dir)
			}
		}
		for _, m := range row.modules {
			if !slices.ContainsFunc(all, func(path string) bool { return in([]string{m}, path) }) {
				r.add(p.files[0].syntax.Package, "allowance", "the row of %s allows %s, which it does not import", p.dir, m)
			}
		}
		for _, name := range row.files {
			if !slices.ContainsFunc(p.files, func(f *source) bool { return f.path == path.Join(p.dir, name) }) {
				r.add(p.files[0].syntax.Package, "allowance", "the row of %s has the file %s, which does not exist", p.dir, name)
			}
		}
	}
}

func checkImport(dir string, row layer, test bool, spec *ast.ImportSpec, r *report) {
	path := strings.Trim(spec.Path.Value, "`\"")
	if !test && in(testModules, path) {
		r.add(spec.Pos(), "testonly", "%s is for _test files", path)
		return
	}
	if !test && dir == "." && in([]string{"testing"}, path) {
		r.add(spec.Pos(), "testing", "the root imports %s, which adds test flags to every program that imports us: take a small interface", path)
		return
	}
	if row.anything {
		return
	}
	if ours, ok := inModule(path); ok {
		if !test && !slices.Contains(row.imports, ours) {
			r.add(spec.Pos(), "arrow", "%s may not import %s of ours (its row allows %v)", dir, ours, row.imports)
		}
		return
	}
	if isStd(path) || in(row.modules, path) || test && (in(testModules, path) || in(testHelpers, path)) {
		return
	}
	r.add(spec.Pos(), "module", "%s may not import %s (its row allows %v)", dir, path, row.modules)
}

// reach returns the modules that come along with an import of the package in
// dir, if every package imports all that its row allows.
func reach(rows map[string]layer, dir string) []string {
	seen, modules := map[string]bool{}, map[string]bool{}
	var visit func(string)
	visit = func(d string) {
		if seen[d] {
			return
		}
		seen[d] = true
		for _, m := range rows[d].modules {
			modules[m] = true
		}
		for _, d := range rows[d].imports {
			visit(d)
		}
	}
	visit(dir)
	return sortedKeys(modules)
}

// inModule returns the directory of a package of ours.
func inModule(path string) (dir string, ok bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// isStd says whether a path belongs to the standard library, whose first
// element has no dot.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// in says whether path is one of the modules or a package inside one.
func in(modules []string, path string) bool {
	return slices.ContainsFunc(modules, func(m string) bool {
		return path == m || strings.HasPrefix(path, m+"/")
	})
}
