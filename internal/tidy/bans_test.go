package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
)

// bannedImports are packages through which something other than the seed could
// decide, with the rule they break.
var bannedImports = map[string]string{
	"sync":         "sync",
	"sync/atomic":  "sync",
	"math/rand":    "rand",
	"math/rand/v2": "rand",
	"crypto/rand":  "rand",
	"hash/maphash": "address",
	"unique":       "address",
	"weak":         "address",
	"unsafe":       "unsafe",
	"net":          "world",
	"net/http":     "world",
	"os":           "world",
	"os/exec":      "world",
	"syscall":      "world",
}

// dice are the files that may import math/rand, each with its reason. Even
// they may not use its global generator.
var dice = map[string]string{}

// bannedNames are functions and methods, called or not, with the rule that
// they break.
var bannedNames = map[string]string{
	"time.Now":       "clock",
	"time.Since":     "clock",
	"time.Until":     "clock",
	"time.After":     "clock",
	"time.AfterFunc": "clock",
	"time.Sleep":     "clock",
	"time.Tick":      "clock",
	"time.NewTicker": "clock",
	"time.NewTimer":  "clock",

	"context.WithDeadline":      "clock",
	"context.WithDeadlineCause": "clock",
	"context.WithTimeout":       "clock",
	"context.WithTimeoutCause":  "clock",

	"runtime.AddCleanup":   "finalizer",
	"runtime.SetFinalizer": "finalizer",
	"runtime.GOMAXPROCS":   "world",
	"runtime.NumCPU":       "world",
	"runtime.NumGoroutine": "world",
	"runtime.ReadMemStats": "world",

	"maps.Keys":                "order",
	"maps.Values":              "order",
	"maps.All":                 "order",
	"(reflect.Value).MapKeys":  "order",
	"(reflect.Value).MapRange": "order",

	"(reflect.Value).Pointer":       "address",
	"(reflect.Value).UnsafeAddr":    "address",
	"(reflect.Value).UnsafePointer": "address",

	"(time.Duration).Hours":   "float",
	"(time.Duration).Minutes": "float",
	"(time.Duration).Seconds": "float",
}

// sorters make an order out of none: slices.Sorted(maps.Keys(m)) is fine.
var sorters = []string{"slices.Sorted", "slices.SortedFunc", "slices.SortedStableFunc"}

// excusable are the rules that a tidy: comment can excuse.
var excusable = []string{"order", "float"}

// why says in a finding what is wrong with breaking a rule.
var why = map[string]string{
	"go":        "the scheduler decides, not the seed",
	"select":    "select picks at random",
	"chan":      "one world runs on one goroutine",
	"sync":      "one world runs on one goroutine",
	"clock":     "a wall clock decides, not the seed",
	"rand":      "draw from the scenario's keyed randomness",
	"finalizer": "the garbage collector decides, not the seed",
	"world":     "the machine decides, not the seed",
	"address":   "addresses and their hashes differ from run to run",
	"unsafe":    "unsafe can undo every other rule",
	"order":     "map order differs from run to run: sort, or explain with //tidy:order <why it does not matter>",
	"float":     "machines round differently: use integer nanoseconds, or explain with //tidy:float <why all agree>",
}

// checkBans looks at every package whose row says simulated, or names files.
func checkBans(t *tree, r *report) error {
	var simulated []*pkg
	for _, p := range t.pkgs {
		if row := t.layers[p.dir]; row.simulated || len(row.files) > 0 {
			simulated = append(simulated, p)
		}
	}
	imp, err := t.importer(simulated)
	if err != nil {
		return err
	}
	for _, p := range simulated {
		files, err := t.built(p)
		if err != nil {
			return err
		}
		checkPackage(t, p.dir, files, imp, r)
	}
	return nil
}

// importer returns an importer for all that the packages import. It reads what
// the go command has compiled, which is much faster than reading sources.
func (t *tree) importer(pkgs []*pkg) (types.Importer, error) {
	imported := map[string]bool{}
	for _, p := range pkgs {
		for _, f := range p.files {
			for _, spec := range f.syntax.Imports {
				name := strings.Trim(spec.Path.Value, "`\"")
				if !f.test && name != "unsafe" && name != "C" {
					imported[name] = true
				}
			}
		}
	}
	exports, err := exportData(sortedKeys(imported))
	if err != nil {
		return nil, err
	}
	lookup := func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("%s was not compiled", path)
		}
		return os.Open(exports[path])
	}
	return importer.ForCompiler(t.fset, "gc", lookup), nil
}

// exportData returns the files with the compiled types of packages and of all
// that they import. A package that does not compile has none.
func exportData(paths []string) (map[string]string, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	args := append([]string{"list", "-e", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "--"}, paths...)
	var stderr bytes.Buffer
	cmd := exec.Command("go", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	return exports, nil
}

// checkPackage checks the types of one simulated package, because only types
// tell a map from a slice, and then its bans. A package that does not type-check
// is reported: what has no type would slip through.
func checkPackage(t *tree, dir string, files []*source, imp types.Importer, r *report) {
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Uses:  map[*ast.Ident]types.Object{},
	}
	conf := types.Config{Importer: imp, Error: func(err error) {
		if e, ok := err.(types.Error); ok {
			r.add(e.Pos, "types", "%s", e.Msg)
		}
	}}
	var syntax []*ast.File
	for _, f := range files {
		syntax = append(syntax, f.syntax)
	}
	_, _ = conf.Check(module+"/"+dir, t.fset, syntax, info) // its errors go to conf.Error
	row := t.layers[dir]
	for _, f := range files {
		if !row.simulated && !slices.Contains(row.files, path.Base(f.path)) {
			continue
		}
		b := &bans{file: f, info: info, report: r, dice: t.dice, excuses: excuses(t.fset, f, r), sorted: map[*ast.Ident]bool{}}
		ast.Inspect(f.syntax, b.node)
		b.unused()
	}
}

// bans looks at one file.
type bans struct {
	file    *source
	info    *types.Info
	report  *report
	dice    map[string]string
	excuses []*excuse
	sorted  map[*ast.Ident]bool // maps.Keys and the like inside a sorter
}

func (b *bans) add(at token.Pos, rule, format string, args ...any) {
	line := b.report.fset.Position(at).Line
	for _, e := range b.excuses {
		if e.rule == rule && e.line == line {
			e.used = true
			return
		}
	}
	b.report.add(at, rule, format+": %s", append(args, why[rule])...)
}

func (b *bans) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec:
		b.imported(n)
	case *ast.GoStmt:
		b.add(n.Pos(), "go", "go statement")
	case *ast.SelectStmt:
		b.add(n.Pos(), "select", "select")
	case *ast.ChanType:
		b.add(n.Pos(), "chan", "channel type")
	case *ast.SendStmt:
		b.add(n.Pos(), "chan", "send to a channel")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			b.add(n.Pos(), "chan", "receive from a channel")
		}
	case *ast.RangeStmt:
		b.ranged(n)
	case *ast.CallExpr:
		b.called(n)
	case *ast.Ident:
		b.used(n)
	}
	return true
}

func (b *bans) imported(spec *ast.ImportSpec) {
	path := strings.Trim(spec.Path.Value, "`\"")
	rule, banned := bannedImports[path]
	if !banned || strings.HasPrefix(path, "math/rand") && b.dice[b.file.path] != "" {
		return
	}
	b.add(spec.Pos(), rule, "import of %s", path)
}

func (b *bans) ranged(n *ast.RangeStmt) {
	t := b.info.TypeOf(n.X)
	if t == nil {
		return // reported as a type error
	}
	if hasKind(t, func(t types.Type) bool { _, ok := t.(*types.Map); return ok }) {
		b.add(n.Pos(), "order", "range over %s", t)
	}
	if hasKind(t, func(t types.Type) bool { _, ok := t.(*types.Chan); return ok }) {
		b.add(n.Pos(), "chan", "range over %s", t)
	}
}

func (b *bans) called(n *ast.CallExpr) {
	if b.info.Types[n.Fun].IsType() && len(n.Args) == 1 {
		b.converted(n)
		return
	}
	if slices.Contains(sorters, b.callee(n)) && len(n.Args) > 0 {
		if inner, ok := ast.Unparen(n.Args[0]).(*ast.CallExpr); ok {
			b.sorted[calleeIdent(inner)] = true
		}
	}
	if b.formats(n) {
		b.add(n.Pos(), "address", "%%p")
	}
}

// converted asks that no float becomes a time, or any integer on its way to
// one, and no time a float. Constants are exact: the compiler computes them.
func (b *bans) converted(n *ast.CallExpr) {
	to, from := b.info.TypeOf(n.Fun), b.info.Types[n.Args[0]]
	if from.Value != nil || from.Type == nil {
		return
	}
	switch {
	case isBasic(to, types.IsInteger) && isBasic(from.Type, types.IsFloat):
		b.add(n.Pos(), "float", "%s from a float", to)
	case isBasic(to, types.IsFloat) && isTime(from.Type):
		b.add(n.Pos(), "float", "%s from %s", to, from.Type)
	}
}

func (b *bans) used(id *ast.Ident) {
	fn, ok := b.info.Uses[id].(*types.Func)
	if !ok || fn.Pkg() == nil {
		return
	}
	if rule, banned := bannedNames[fn.FullName()]; banned && !b.sorted[id] {
		b.add(id.Pos(), rule, "%s", fn.FullName())
	}
	global := fn.Signature().Recv() == nil && !strings.HasPrefix(fn.Name(), "New")
	if strings.HasPrefix(fn.Pkg().Path(), "math/rand") && global {
		b.add(id.Pos(), "rand", "%s, the global generator", fn.FullName())
	}
}

var pointerVerb = regexp.MustCompile(`%[-+# 0]*(\d|\[|\]|\.|\*)*p`)

// formats says whether a call like fmt.Printf, with a format before any number
// of arguments, prints an address with %p.
func (b *bans) formats(n *ast.CallExpr) bool {
	sig, ok := b.info.TypeOf(n.Fun).(*types.Signature)
	if !ok || !sig.Variadic() || sig.Params().Len() < 2 {
		return false
	}
	i := sig.Params().Len() - 2
	if i >= len(n.Args) {
		return false
	}
	v := b.info.Types[n.Args[i]].Value
	return v != nil && v.Kind() == constant.String && pointerVerb.MatchString(strings.ReplaceAll(constant.StringVal(v), "%%", ""))
}

// callee returns the full name of the function that is called, or "".
func (b *bans) callee(n *ast.CallExpr) string {
	if fn, ok := b.info.Uses[calleeIdent(n)].(*types.Func); ok {
		return fn.FullName()
	}
	return ""
}

func calleeIdent(n *ast.CallExpr) *ast.Ident {
	fun := ast.Unparen(n.Fun)
	switch f := fun.(type) { // explicit type arguments
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	switch f := fun.(type) {
	case *ast.Ident:
		return f
	case *ast.SelectorExpr:
		return f.Sel
	}
	return nil
}

// hasKind says whether the underlying type, or one of those that a type
// parameter stands for, satisfies is.
func hasKind(t types.Type, is func(types.Type) bool) bool {
	u := t.Underlying()
	constraint, ok := u.(*types.Interface)
	if !ok {
		return is(u)
	}
	for e := range constraint.EmbeddedTypes() {
		union, ok := e.(*types.Union)
		if !ok {
			if hasKind(e, is) {
				return true
			}
			continue
		}
		for term := range union.Terms() {
			if hasKind(term.Type(), is) {
				return true
			}
		}
	}
	return false
}

func isBasic(t types.Type, info types.BasicInfo) bool {
	return hasKind(t, func(t types.Type) bool {
		basic, ok := t.(*types.Basic)
		return ok && basic.Info()&info != 0
	})
}

// isTime says whether t counts nanoseconds: time.Duration, or a Time of ours.
func isTime(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return false
	}
	name := named.Obj().Name()
	return (name == "Duration" || name == "Time") && isBasic(t, types.IsInteger)
}

// excuse is a tidy: comment.
type excuse struct {
	at   token.Pos
	rule string
	line int // the line that it excuses
	used bool
}

// excuses returns the tidy: comments of a file, and reports bad ones. A comment
// behind code excuses its line, one that stands alone the line after its group.
func excuses(fset *token.FileSet, f *source, r *report) []*excuse {
	var all []*excuse
	for _, group := range f.syntax.Comments {
		for _, c := range group.List {
			rest, ok := strings.CutPrefix(c.Text, "//tidy:")
			if !ok {
				continue
			}
			rule, reason, _ := strings.Cut(rest, " ")
			if !slices.Contains(excusable, rule) || strings.TrimSpace(reason) == "" {
				r.add(c.Pos(), "excuse", "%s: expected //tidy: and one of %v, a blank and a reason", c.Text, excusable)
				continue
			}
			line := fset.Position(c.Pos()).Line
			if strings.HasPrefix(strings.TrimSpace(f.lines[line-1]), "//") {
				line = fset.Position(group.End()).Line + 1
			}
			all = append(all, &excuse{at: c.Pos(), rule: rule, line: line})
		}
	}
	return all
}

// unused reports excuses that nothing needed: they would hide the next leak.
func (b *bans) unused() {
	for _, e := range b.excuses {
		if !e.used {
			b.report.add(e.at, "excuse", "//tidy:%s excuses nothing here", e.rule)
		}
	}
}
