package checker

import (
	"encoding/json"
	"flag"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var mutants = flag.Bool("mutants", false, "test the tests of the engines with each mutant of the engines (minutes)")

// A mutant is an engine, or the verifier, with a mistake that one might make.
type mutant struct{ file, right, wrong string }

var engineMutants = map[string]mutant{
	"zones: touching zones are no conflict":          {"zones.go", "x.last > longest.first && longest.last > x.first", "x.last > longest.last && longest.last > x.first"},
	"zones: backward zones skipped":                  {"zones.go", "if x.last > longest.first &&", "if lasts && x.last > longest.first &&"},
	"zones: initial value ignored":                   {"zones.go", "if v == model.Absent && z.omit&ruleInitial == 0 {", "if false {"},
	"zones: reads from the future":                   {"zones.go", "possible && early >= 0,", "possible && early >= math.MinInt64,"},
	"zones: values that nobody wrote":                {"zones.go", "(!possible || !z.written())", "!possible"},
	"zones: values written twice":                    {"zones.go", "twice |= writes &^ int64(x.write>>31)", ""},
	"zones: reads before the write do not count":     {"zones.go", "min(x.first, o.Return)", "(min(x.first, o.Return)&(writes-1) | o.Return&-writes)"},
	"zones: reads do not end a zone":                 {"zones.go", "min(x.first, o.Return)", "min(x.first, o.Return|(1-writes)*history.Never)"},
	"zones: reads do not begin a zone":               {"zones.go", "max(x.last, o.Call)", "max(x.last, o.Call*writes)"},
	"zones: values that nobody wrote stay known":     {"zones.go", "} else if w < none {", "} else if false {"},
	"zones: order by last":                           {"zones.go", "cs[i].first = min(cs[i].first, cs[i].last)", "cs[i].first = cs[i].last"},
	"failed operations count":                        {"linearizable.go", "return o.Outcome == history.OK ||", "return o.Outcome == history.OK || o.Outcome == history.Fail ||"},
	"unknown writes never happened":                  {"linearizable.go", "o.Outcome == history.Unknown && o.Kind != model.Read", "o.Outcome == history.Unknown && o.Kind == model.CAS"},
	"blocks: unknown swaps happened if anybody asks": {"blocks.go", "if !l.swap || l.tied || l.open && !l.seen {", "if !l.swap || l.tied {"},
	"blocks: unknown swaps that others need dropped": {"blocks.go", "before.seen = true\n\t\t\tc = p", "c = p"},
	"blocks: swaps in a chain not followed":          {"blocks.go", "before.seen = true\n\t\t\tc = p", "before.seen = true\n\t\t\tbreak"},
	"blocks: two may replace one value":              {"blocks.go", "if before.next != none {", "if before.next == c {"},
	"blocks: inner order ignored":                    {"blocks.go", "if m.first < x.last {", "if m.first < x.first {"},
	"blocks: circles ignored":                        {"blocks.go", "if passed < kept {", "if passed < 0 {"},
	"blocks: failed on what it expects":              {"blocks.go", "!o.Swapped && o.Seen == o.Expect {", "!o.Swapped && o.Seen == o.Value {"},
	"blocks: silent failures say nothing":            {"blocks.go", "b.partial = b.partial || o.Kind == model.CAS && !saw", ""},
	"blocks: swaps that change nothing are writes":   {"blocks.go", "return o.Kind == model.CAS && o.Expect == o.Value", "return false"},
	"blocks: unknown compare-and-deletes dropped":    {"blocks.go", "return flaw{}, false", "continue"},
	"greedy: unknown deletes first":                  {"greedy.go", "if !ok && full && open < len(g.open)", "if full && open < len(g.open)"},
	"greedy: unknown deletes never":                  {"greedy.go", "if !ok && full && open < len(g.open)", "if !ok && full && open < 0"},
	"greedy: deletes before fills":                   {"greedy.go", "case has(fills):\n\t\treturn fills, true\n\tcase has(empties):\n\t\treturn empties, true", "case has(empties):\n\t\treturn empties, true\n\tcase has(fills):\n\t\treturn fills, true"},
	"greedy: creates before misses":                  {"greedy.go", "case !full && has(misses):\n\t\treturn misses, true\n\tcase !full && has(creates):\n\t\treturn creates, true", "case !full && has(creates):\n\t\treturn creates, true\n\tcase !full && has(misses):\n\t\treturn misses, true"},
	"greedy: latest first":                           {"greedy.go", "h[(i-1)/2] > h[i]", "h[(i-1)/2] < h[i]"},
	"greedy: an item is in its own way":              {"greedy.go", "if after == len(g.byFirst) || b.items[head].last <= b.items[g.byFirst[after]].first {", "if false {"},
	"greedy: creates while there is something":       {"greedy.go", "case !full && has(creates):", "case has(creates):"},
	"greedy: blocks from nothing to nothing fill":    {"greedy.go", "case fresh && ends:\n\t\treturn misses", "case fresh && ends:\n\t\treturn creates"},
	"window: what is left is not remembered":         {"window.go", "words = append(words, open...)", ""},
	"window: what is held is not remembered":         {"window.go", "uint64(first)<<32|uint64(w.held)", "uint64(first)<<32"},
	"window: values left too late":                   {"window.go", "w.op(s).Call < w.ops[o].Return", "w.op(s).Call < w.ops[o].Call"},
	"window: nobody needs unknown swaps":             {"window.go", "if w.needs[len(w.ops)+n] == v && !w.openDone(n) {", "if w.needs[len(w.ops)+n] == -7 {"},
	"window: refusals need nothing":                  {"window.go", "if w.silent || w.observers[v]", "if w.observers[v]"},
	"window: open writes for open swaps":             {"window.go", "return w.value[y] == v && w.needs[y] == w.needs[x]", "return w.value[y] == v"},
	"window: time ignored":                           {"window.go", "x != end && w.ops[x].Call < deadline; {", "x != end; {"},
	"window: queues do not go back":                  {"window.go", "q.from = min(q.from, w.storesAt[x])", "_ = q"},
	"stream: first not set by reads":                 {"stream.go", "fresh := z.first == history.Never", "fresh := z.first == history.Never && o.Kind == model.Write"},
	"stream: conflicts from the middle":              {"stream.go", "if other := k.conflict(z, from); other", "if other := k.conflict(z, (from+z.last)/2); other"},
	"stream: only zones that end later":              {"stream.go", "if x != z && x.last > z.first {", "if x != z && x.last > z.last {"},
	"stream: forgets what is under way":              {"stream.go", "oldest = k.oldest.op().Call", "oldest = k.latest.op().Call"},
	"stream: forgets what is not dead":               {"stream.go", "if i >= past || z.first >= others {", "if i >= past || others < 0 {"},
	"stream: a zone is in its own way":               {"stream.go", "if z != longest && longest != nil {", "if longest != nil {"},
	"stream: failed writes that were read":           {"stream.go", "if z.first != history.Never {\n\t\t\treturn s.offend", "if false {\n\t\t\treturn s.offend"},
	"stream: failed writes may be read":              {"stream.go", "delete(z.key.values, z.value)\n\t\tif", "if"},
	"stream: unknown operations stay under way":      {"stream.go", "	k.leave(c)\n", "	if a.Outcome != history.Unknown {\n\t\tk.leave(c)\n\t}\n"},
	"stream: unread unknown writes are forgotten":    {"stream.go", "k.open[z.value] = openWrite{call: o.Call,", "_ = openWrite{call: o.Call,"},
	"stream: unread unknown writes may be repeated":  {"stream.go", "_, twice = k.open[a.Value]", ""},
	"stream: unread unknown writes begin a zone":     {"stream.go", "z := s.fresh(k, v, w.call)", "z := s.fresh(k, v, s.position)"},
	"stream: what is dead may be read":               {"stream.go", "delete(k.values, z.value)\n\t\tk.forgot", "k.forgot"},
	"staleness: writes may be old":                   {"staleness.go", "return a.h.Ops[i].Kind == model.Read && !a.final[i]", "return !a.final[i]"},
	"staleness: final reads may be old":              {"staleness.go", "return a.h.Ops[i].Kind == model.Read && !a.final[i]", "return a.h.Ops[i].Kind == model.Read"},
	"staleness: the age itself is too old":           {"staleness.go", "return cmp.Compare(a.h.Ops[r].ReturnedAt, t)", "return cmp.Compare(a.h.Ops[r].ReturnedAt, t+1)"},
	"staleness: of the last key":                     {"staleness.go", "if needs > a.lag {", "if true {"},
	"staleness: behind the return":                   {"staleness.go", "2*a.h.Ops[a.returns[at]].Return-1)", "2*a.h.Ops[a.returns[at]].Return+1)"},
	"causality: unknown operations have a session":   {"causality.go", "case c.op(int32(i)).Outcome == history.OK && s != none:", "case s != none:"},
	"causality: itself among what it knows":          {"causality.go", "known-- // not r itself", ""},
	"causality: the first write of a chain only":     {"causality.go", "w := list[at-1]", "w := list[0]"},
	"causality: nothing is missed at the beginning":  {"causality.go", "case saw == initial:\n\t\t\treturn c.forgotten", "case saw == -7:\n\t\t\treturn c.forgotten"},
	"causality: replaced values may be read":         {"causality.go", "case c.precedes(saw, w):", "case false:"},
	"causality: no conflicts":                        {"causality.go", "*conflicts = append(*conflicts, conflict{w, saw, r})", "*conflicts = nil"},
	"causality: unknown swaps saw nothing":           {"causality.go", "default:\n\t\t\tc.origin[i] = w\n", "default:\n"},
	"sequential: later in a block before earlier":    {"sequential.go", "if x.at > y.at {", "if x.at > y.at+1 {"},
	"sequential: blocks may be entered":              {"sequential.go", "		b = y.first\n", "		_ = y.first\n"},
	"sequential: blocks may be left":                 {"sequential.go", "		a = x.end\n", "		_ = x.end\n"},
	"sequential: nothing is first":                   {"sequential.go", "case c > 0:", "case c < 0:"},
	"sequential: unknown operations have a session":  {"sequential.go", "if s.op(i).Outcome == history.OK {\n\t\t\ts.last", "if true {\n\t\t\ts.last"},
	"sequential: two may replace one value":          {"sequential.go", "if y := s.clusters[x].next; y != none {", "if y := s.clusters[x].next; y == -9 {"},
	"sequential: failures that must not be":          {"sequential.go", "if o.Seen == o.Expect {", "if false {"},
	"nothing: the first nogood is a proof":           {"nothing.go", "switch n.choose(n.nogoods) {", "switch n.choose(n.nogoods); Invalid {"},
	"nothing: nogoods are forgotten":                 {"nothing.go", "last := g.picks[len(g.picks)-1].read", "last := g.picks[0].read"},
	"nothing: the beginning is no candidate":         {"nothing.go", "\treturn at + 1\n", "\treturn max(at, 1)\n"},
	"nothing: deletes from the future":               {"nothing.go", "n.deletes[o.Key], o.Return, func", "n.deletes[o.Key], history.Never, func"},
	"nothing: failed deletes":                        {"nothing.go", "o.Kind == model.Delete && o.Outcome != history.Fail {", "o.Kind == model.Delete {"},
	"nothing: unknown swaps replaced something":      {"nothing.go", "v, saw = o.Expect, true", "_ = saw"},
	"nothing: only reads of the witness are judged":  {"nothing.go", "return nogood{few, again}, true", "return nogood{few[:min(1, len(few))], again}, true"},
	"locks: what is under way cannot excuse":         {"locks.go", "o.returns = append(o.calls, h.Ops[i].Call), append(o.returns, h.Ops[i].Return)", "o.returns = append(o.calls, h.Ops[i].Call), append(o.returns, h.Ops[i].Call)"},
	"locks: a lock is held at first":                 {"locks.go", "since, need := int64(-1), 0", "since, need := int64(-1), 1"},
	"counters: what may have happened did not":       {"counters.go", "default:\n\t\tc.hi += n", "default:\n\t\tc.hi += 0"},
	"counters: all that happens between did":         {"counters.go", "o.Outcome == history.OK && e.before(past, i) && e.before(i, r)", "o.Outcome == history.OK && e.before(i, r)"},
	"queues: enqueued too late":                      {"queues.go", "in := b.calledBefore(b.in[v], d)", "in := slices.DeleteFunc(slices.Clone(b.in[v]), func(i int32) bool { return !b.done(i, d) })"},
	"queues: unknown dequeues took nothing":          {"queues.go", "len(puts) > len(gone)+len(wild)", "len(puts) > len(gone)"},
	"queues: passed over while enqueued":             {"queues.go", "|| !b.done(first, later[0]) {", "|| b.op(first).Call > b.op(later[0]).Call {"},
	"elements: what is under way is there":           {"elements.go", "return !x.explanation.done(i, r)", "return x.before(r, i)"},
	"elements: order of calls":                       {"elements.go", "if last != none && x.explanation.done(i, last) {", "if last != none && i < last {"},
	"elements: the larger came last":                 {"elements.go", "!x.before(b.op, a.op) {", "x.before(a.op, b.op) {"},
	"transactions: of two authors the first":         {"transaction_pairs.go", "return w, w != none ||", "return w, true ||"},
	"transactions: under way before":                 {"transaction_pairs.go", "if once && next != none && e.before(w, next) {", "if once && next != none && w < next {"},
	"verifier: twice":                                {"verifier.go", "case v.done[i]:", "case false:"},
	"verifier: time ignored":                         {"verifier.go", "case o.Return < called:", "case o.Return < o.Call:"},
	"verifier: time of the last only":                {"verifier.go", "called = max(called, o.Call)", "called = o.Call"},
	"verifier: failed operations":                    {"verifier.go", "case o.Outcome == history.Fail:", "case false:"},
	"verifier: other keys":                           {"verifier.go", "case o.Key != k:", "case false:"},
	"verifier: something is missing":                 {"verifier.go", "verified[o.Key] && !v.done[i]", "verified[o.Key] && false"},
	"verifier: unknown reads":                        {"verifier.go", "return held, known && (o.Seen", "return held, !known || (o.Seen"},
	"verifier: any read":                             {"verifier.go", "(o.Seen == held || o.Seen == model.Unseen)\n\tcase model.Write:", "true\n\tcase model.Write:"},
	"verifier: failed swaps":                         {"verifier.go", "!known || !o.Swapped && (o.Seen == held || o.Seen == model.Unseen)", "!known || !o.Swapped"},
	"verifier: swaps of what is there may fail":      {"verifier.go", "return o.Value, !known || o.Swapped", "return o.Value, true"},
}

// Every mutant must make a test fail. That takes minutes, so it is asked for;
// otherwise the mutants are only seen to be programs.
func TestMutantsOfEnginesAreKilled(t *testing.T) {
	for name, m := range engineMutants {
		source, err := os.ReadFile(m.file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), m.right); n != 1 {
			t.Errorf("%s: %d places in %s to change, expected one", name, n, m.file)
			continue
		}
		mutated := strings.Replace(string(source), m.right, m.wrong, 1)
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, mutated, 0); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if *mutants {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				kill(t, m.file, mutated)
			})
		}
	}
}

// killers are the tests that must notice a mutant of a file.
var killers = map[string]string{
	"linearizable.go":      "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"zones.go":             "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"blocks.go":            "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"greedy.go":            "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"window.go":            "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"verifier.go":          "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"stream.go":            "TestStream",
	"staleness.go":         "TestStal",
	"causality.go":         "TestCausal|TestAnomaliesOfClaims",
	"sequential.go":        "TestSequential|TestAnomaliesOfClaims",
	"locks.go":             "TestReasons",
	"counters.go":          "TestReasons",
	"queues.go":            "TestReasons",
	"elements.go":          "TestReasons",
	"transaction_pairs.go": "TestReasons|TestTransactions",
	"nothing.go":           "TestNothing|TestCausal|TestSequential|TestSession|TestPrefix|TestAnomaliesOfClaims",
}

func kill(t *testing.T, file, mutated string) {
	dir := t.TempDir()
	replacement := filepath.Join(dir, file)
	here, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {here: replacement}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{replacement: []byte(mutated), filepath.Join(dir, "overlay.json"): overlay} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("go", "test", "-overlay", filepath.Join(dir, "overlay.json"), "-vet=off", "-failfast",
		"-run", killers[file], "-histories", "10000", "-timeout", "2m", ".").CombinedOutput()
	switch {
	case err == nil:
		t.Error("the mutant survived")
	case strings.Contains(string(out), "[build failed]"):
		t.Errorf("the mutant is no program:\n%s", out)
	case !strings.Contains(string(out), "--- FAIL:") && !strings.Contains(string(out), "panic:"):
		t.Errorf("something else than a test has failed:\n%s", out)
	}
}
