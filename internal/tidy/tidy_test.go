package tidy

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rashomon-go/rashomon/internal/unable"
)

// rules are all that a finding can name. Each must have a victim.
var rules = []string{
	"layer", "arrow", "module", "allowance", "testonly", "testing",
	"go", "select", "chan", "sync", "clock", "rand", "finalizer", "world",
	"address", "unsafe", "order", "float", "excuse", "types",
	"note", "path", "doc", "skip",
}

// TestTidy applies the rules to this module.
func TestTidy(t *testing.T) {
	root := moduleRoot(t)
	tree, err := readTree(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.pkgs) < 3 || len(tree.texts) < 10 {
		t.Fatalf("read %d packages and %d texts below the module's root, expected a module", len(tree.pkgs), len(tree.texts))
	}
	findings, err := inspect(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Error(f)
	}
}

// TestVictims shows that every rule catches what it is for and nothing else:
// the findings in a victim are exactly the lines that say `// want <rule>`.
func TestVictims(t *testing.T) {
	caught := map[string]bool{}
	var said strings.Builder
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no victims in testdata (%v)", err)
	}
	for _, p := range paths {
		t.Run(filepath.Base(p), func(t *testing.T) {
			fsys, want := readVictim(t, p)
			for _, w := range want {
				caught[ruleOf(w)] = true
			}
			got, explained := inspectVictim(t, fsys, filepath.Base(p) == "allowances.txt")
			said.WriteString(explained)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("findings differ\ngot  %v\nwant %v\nin full:\n%s", got, want, explained)
			}
		})
	}
	for _, rule := range rules {
		if !caught[rule] {
			t.Errorf("rule %q has no victim: what shows that it catches anything?", rule)
		}
	}
	for rule := range caught {
		if !slices.Contains(rules, rule) {
			t.Errorf("victims want rule %q, which is not among the rules", rule)
		}
	}
	for path := range bannedImports {
		wantSaid(t, said.String(), "import of "+path+":")
	}
	for name := range bannedNames {
		wantSaid(t, said.String(), ": "+name+":")
	}
}

// wantSaid finds entries of the tables that ban nothing, such as a misspelt
// name.
func wantSaid(t *testing.T, said, text string) {
	t.Helper()
	if !strings.Contains(said, text) {
		t.Errorf("no finding in any victim says %q", text)
	}
}

// inspectVictim returns the findings in a victim as "path:line rule", without
// repetition, and in full. A victim has some packages only, and some of their
// imports, unless it is whole.
func inspectVictim(t *testing.T, fsys fs.FS, whole bool) (short []string, full string) {
	t.Helper()
	tree, err := readTree(fsys)
	if err != nil {
		t.Fatal(err)
	}
	tree.dice = map[string]string{"sim/dice.go": "the victim of the global generator"}
	tree.whole = whole
	findings, err := inspect(tree)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		short = append(short, fmt.Sprintf("%s:%d %s", f.path, f.line, f.rule))
		full += f.String() + "\n"
	}
	slices.Sort(short)
	return slices.Compact(short), full
}

func ruleOf(want string) string { return want[strings.LastIndex(want, " ")+1:] }

var (
	fileHeader = regexp.MustCompile(`^-- (\S+) --$`)
	wantMark   = regexp.MustCompile(`\s*// want ([a-z ]+)$`)
)

// readVictim reads a module from one text file, in which a line "-- path --"
// begins each of its files, and takes the marks out: what they say would
// otherwise count as documentation.
func readVictim(t *testing.T, name string) (fsys fstest.MapFS, want []string) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fsys = fstest.MapFS{}
	path, number := "", 0
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSuffix(line, "\n")
		if m := fileHeader.FindStringSubmatch(line); m != nil {
			path, number = m[1], 0
			fsys[path] = &fstest.MapFile{}
			continue
		}
		if path == "" {
			continue // what stands before the first file explains the victim
		}
		number++
		if m := wantMark.FindStringSubmatch(line); m != nil {
			line = strings.TrimSuffix(line, m[0])
			for rule := range strings.FieldsSeq(m[1]) {
				want = append(want, fmt.Sprintf("%s:%d %s", path, number, rule))
			}
		}
		fsys[path].Data = append(fsys[path].Data, line+"\n"...)
	}
	slices.Sort(want)
	return fsys, want
}

// TestLibraryStaysLight follows the table: whoever imports the library gets no
// more than this, whatever the packages below it do within their rows.
func TestLibraryStaysLight(t *testing.T) {
	if got, want := reach(layers, "."), []string{porcupine, yaml}; !slices.Equal(got, want) {
		t.Errorf("the root brings along %v, expected %v", got, want)
	}
	heavy := map[string]layer{".": {imports: []string{"report"}}, "report": {modules: []string{edn}}}
	if got := reach(heavy, "."); !slices.Equal(got, []string{edn}) {
		t.Errorf("a root that imports a heavy package brings along %v, expected %v", got, edn)
	}
}

// TestLayersAgree finds rows that allow a package without a row.
func TestLayersAgree(t *testing.T) {
	for dir, row := range layers {
		for _, d := range row.imports {
			if _, ok := layers[d]; !ok {
				t.Errorf("the row of %s allows %s, which has no row", dir, d)
			}
		}
	}
}

// TestNoFailuresOfRapid finds files that rapid wrote when a property failed, and
// that somebody committed: each run of the test would begin with them.
func TestNoFailuresOfRapid(t *testing.T) {
	root := moduleRoot(t)
	git := exec.Command("git", "ls-files", "--", ":(glob)**/testdata/rapid/**")
	git.Dir = root
	out, err := git.Output()
	if err != nil {
		unable.Skip(t, "no git here: %v", err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			t.Errorf("%s is committed, expected .gitignore to keep it out", name)
		}
	}
}

// moduleRoot returns the directory with our go.mod, above this one.
func moduleRoot(t *testing.T) string {
	t.Helper()
	root := filepath.Join("..", "..")
	content, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(content), "module "+module+"\n") {
		t.Fatalf("%s is not the go.mod of %s", root, module)
	}
	return root
}
