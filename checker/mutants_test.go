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
	"zones: touching zones are no conflict":           {"engine_zones.go", "x.last > longest.first && longest.last > x.first", "x.last > longest.last && longest.last > x.first"},
	"zones: backward zones skipped":                   {"engine_zones.go", "if x.last > longest.first &&", "if lasts && x.last > longest.first &&"},
	"zones: initial value ignored":                    {"engine_zones.go", "if v == model.Absent && z.omit&ruleInitial == 0 {", "if false {"},
	"zones: reads from the future":                    {"engine_zones.go", "possible && early >= 0,", "possible && early >= math.MinInt64,"},
	"zones: values that nobody wrote":                 {"engine_zones.go", "(!possible || !z.written())", "!possible"},
	"zones: values written twice":                     {"engine_zones.go", "twice |= writes &^ int64(x.write>>31)", ""},
	"zones: reads before the write do not count":      {"engine_zones.go", "min(x.first, o.Return)", "(min(x.first, o.Return)&(writes-1) | o.Return&-writes)"},
	"zones: reads do not end a zone":                  {"engine_zones.go", "min(x.first, o.Return)", "min(x.first, o.Return|(1-writes)*history.Never)"},
	"zones: reads do not begin a zone":                {"engine_zones.go", "max(x.last, o.Call)", "max(x.last, o.Call*writes)"},
	"zones: values that nobody wrote stay known":      {"engine_zones.go", "} else if w < none {", "} else if false {"},
	"zones: order by last":                            {"engine_zones.go", "cs[i].first = min(cs[i].first, cs[i].last)", "cs[i].first = cs[i].last"},
	"failed operations count":                         {"effects.go", "return o.Outcome == history.OK ||", "return o.Outcome == history.OK || o.Outcome == history.Fail ||"},
	"unknown writes never happened":                   {"effects.go", "o.Outcome == history.Unknown && o.Kind != model.Read", "o.Outcome == history.Unknown && o.Kind == model.CAS"},
	"blocks: unknown swaps happened if anybody asks":  {"engine_blocks.go", "if !l.swap || l.tied || l.open && !l.seen {", "if !l.swap || l.tied {"},
	"blocks: unknown swaps that others need dropped":  {"engine_blocks.go", "before.seen = true\n\t\t\tc = p", "c = p"},
	"blocks: swaps in a chain not followed":           {"engine_blocks.go", "before.seen = true\n\t\t\tc = p", "before.seen = true\n\t\t\tbreak"},
	"blocks: two may replace one value":               {"engine_blocks.go", "if before.next != none {", "if before.next == c {"},
	"blocks: inner order ignored":                     {"engine_blocks.go", "if m.first < x.last {", "if m.first < x.first {"},
	"blocks: circles ignored":                         {"engine_blocks.go", "if passed < kept {", "if passed < 0 {"},
	"blocks: failed on what it expects":               {"engine_blocks.go", "!o.Swapped && o.Seen == o.Expect {", "!o.Swapped && o.Seen == o.Value {"},
	"blocks: silent failures say nothing":             {"engine_blocks.go", "b.partial = b.partial || o.Kind == model.CAS && !saw", ""},
	"blocks: swaps that change nothing are writes":    {"effects.go", "return o.Kind == model.CAS && o.Expect == o.Value", "return false"},
	"blocks: unknown compare-and-deletes dropped":     {"engine_blocks.go", "return flaw{}, false", "continue"},
	"greedy: unknown deletes first":                   {"engine_greedy.go", "if !ok && full && open < len(g.open)", "if full && open < len(g.open)"},
	"greedy: unknown deletes never":                   {"engine_greedy.go", "if !ok && full && open < len(g.open)", "if !ok && full && open < 0"},
	"greedy: deletes before fills":                    {"engine_greedy.go", "case has(fills):\n\t\treturn fills, true\n\tcase has(empties):\n\t\treturn empties, true", "case has(empties):\n\t\treturn empties, true\n\tcase has(fills):\n\t\treturn fills, true"},
	"greedy: creates before misses":                   {"engine_greedy.go", "case !full && has(misses):\n\t\treturn misses, true\n\tcase !full && has(creates):\n\t\treturn creates, true", "case !full && has(creates):\n\t\treturn creates, true\n\tcase !full && has(misses):\n\t\treturn misses, true"},
	"greedy: latest first":                            {"engine_greedy.go", "h[(i-1)/2] > h[i]", "h[(i-1)/2] < h[i]"},
	"greedy: an item is in its own way":               {"engine_greedy.go", "if after == len(g.byFirst) || b.items[head].last <= b.items[g.byFirst[after]].first {", "if false {"},
	"greedy: creates while there is something":        {"engine_greedy.go", "case !full && has(creates):", "case has(creates):"},
	"greedy: blocks from nothing to nothing fill":     {"engine_greedy.go", "case fresh && ends:\n\t\treturn misses", "case fresh && ends:\n\t\treturn creates"},
	"window: what is left is not remembered":          {"engine_window.go", "words = append(words, open...)", ""},
	"window: what is held is not remembered":          {"engine_window.go", "uint64(first)<<32|uint64(w.held)", "uint64(first)<<32"},
	"window: who is called late serves nobody":        {"engine_window_owed.go", "if o.Call >= w.ops[x].Return {", "if o.Call >= w.ops[x].Call {"},
	"window: who returns late serves nobody":          {"engine_window_owed.go", "o.Return > w.overtaken[x] && !w.isDone(s)", "o.Return > w.overtaken[x] && o.Return < w.ops[x].Call && !w.isDone(s)"},
	"window: reads of the same overtake":              {"engine_window_owed.go", "l.value = w.needs[y]", "l.value = none"},
	"window: writes of the same overtake":             {"engine_window_owed.go", "at = max(second.call, unless[v])", "at = max(first.call, unless[v])"},
	"window: nothing is there at the beginning":       {"engine_window_owed.go", "there := int32(v) == w.held && w.overtaken[x] == math.MinInt64", "there := false"},
	"window: what is owed is due at once":             {"engine_window_owed.go", "if w.ops[x].Call > deadline || next != none {", "if true {"},
	"window: swaps before writes that return earlier": {"engine_window.go", "x == write && (swap == none || w.ops[x].Return < w.ops[swap].Return)", "x == write && swap == none"},
	"window: writes before swaps":                     {"engine_window.go", "if x == swap || x == write && (", "if x == swap && write == none || x == write && (true || "},
	"window: who returns last first":                  {"engine_window.go", "w.ops[x].Return < w.ops[*best].Return", "w.ops[x].Return > w.ops[*best].Return"},
	"window: nobody needs unknown swaps":              {"engine_window.go", "if w.needs[len(w.ops)+n] == v && !w.openDone(n) {", "if w.needs[len(w.ops)+n] == -7 {"},
	"window: refusals need nothing":                   {"engine_window.go", "if w.silent || w.observers[v]", "if w.observers[v]"},
	"window: open writes for open swaps":              {"engine_window.go", "return w.value[y] == v && (w.needs[y] == w.needs[x] || w.needs[x] == none)", "return w.value[y] == v"},
	"window: time ignored":                            {"engine_window.go", "x != end && w.ops[x].Call < deadline; {", "x != end; {"},
	"window: queues do not go back":                   {"engine_window.go", "q.from = min(q.from, w.storesAt[x])", "_ = q"},
	"stream: first not set by reads":                  {"stream_zones.go", "fresh := z.first == history.Never", "fresh := z.first == history.Never && o.Kind == model.Write"},
	"stream: conflicts from the middle":               {"stream_zones.go", "if other := k.conflict(z, from); other", "if other := k.conflict(z, (from+z.last)/2); other"},
	"stream: only zones that end later":               {"stream_zones.go", "if x != z && x.last > z.first {", "if x != z && x.last > z.last {"},
	"stream: forgets what is under way":               {"stream_zones.go", "oldest = k.oldest.op().Call", "oldest = k.latest.op().Call"},
	"stream: forgets what is not dead":                {"stream_zones.go", "if i >= past || z.first >= others {", "if i >= past || others < 0 {"},
	"stream: a zone is in its own way":                {"stream_zones.go", "if z != longest && longest != nil {", "if longest != nil {"},
	"stream: failed writes that were read":            {"stream.go", "if z.first != history.Never {\n\t\t\treturn s.offend", "if false {\n\t\t\treturn s.offend"},
	"stream: failed writes may be read":               {"stream.go", "delete(z.key.values, z.value)\n\t\tif", "if"},
	"stream: unknown operations stay under way":       {"stream.go", "	k.leave(c)\n", "	if a.Outcome != history.Unknown {\n\t\tk.leave(c)\n\t}\n"},
	"stream: unread unknown writes are forgotten":     {"stream_zones.go", "k.open[z.value] = openWrite{call: o.Call,", "_ = openWrite{call: o.Call,"},
	"stream: unread unknown writes may be repeated":   {"stream.go", "_, twice = k.open[a.Value]", ""},
	"stream: unread unknown writes begin a zone":      {"stream_zones.go", "z := s.fresh(k, v, w.call)", "z := s.fresh(k, v, s.position)"},
	"stream: what is dead may be read":                {"stream_zones.go", "delete(k.values, z.value)\n\t\tk.forgot", "k.forgot"},
	"staleness: writes may be old":                    {"claim_staleness.go", "return a.h.Ops[i].Kind == model.Read && !a.final[i]", "return !a.final[i]"},
	"staleness: final reads may be old":               {"claim_staleness.go", "return a.h.Ops[i].Kind == model.Read && !a.final[i]", "return a.h.Ops[i].Kind == model.Read"},
	"staleness: the age itself is too old":            {"claim_staleness.go", "return cmp.Compare(a.h.Ops[r].ReturnedAt, t)", "return cmp.Compare(a.h.Ops[r].ReturnedAt, t+1)"},
	"staleness: of the last key":                      {"claim_staleness.go", "if needs > a.lag {", "if true {"},
	"staleness: behind the return":                    {"claim_staleness.go", "2*a.h.Ops[a.returns[at]].Return-1)", "2*a.h.Ops[a.returns[at]].Return+1)"},
	"causality: unknown operations have a session":    {"claim_causality.go", "case c.op(int32(i)).Outcome == history.OK && s != none:", "case s != none:"},
	"causality: itself among what it knows":           {"claim_causality.go", "known-- // not r itself", ""},
	"causality: the first write of a chain only":      {"claim_causality.go", "w := list[at-1]", "w := list[0]"},
	"causality: nothing is missed at the beginning":   {"claim_causality.go", "case saw == initial:\n\t\t\treturn c.forgotten", "case saw == -7:\n\t\t\treturn c.forgotten"},
	"causality: replaced values may be read":          {"claim_causality.go", "case c.precedes(saw, w):", "case false:"},
	"causality: no conflicts":                         {"claim_causality.go", "*conflicts = append(*conflicts, conflict{w, saw, r})", "*conflicts = nil"},
	"causality: unknown swaps saw nothing":            {"claim_causality.go", "default:\n\t\t\tc.origin[i] = w\n", "default:\n"},
	"sequential: later in a block before earlier":     {"claim_sequential.go", "if x.at > y.at {", "if x.at > y.at+1 {"},
	"sequential: blocks may be entered":               {"claim_sequential.go", "		b = y.first\n", "		_ = y.first\n"},
	"sequential: blocks may be left":                  {"claim_sequential.go", "		a = x.end\n", "		_ = x.end\n"},
	"sequential: nothing is first":                    {"claim_sequential.go", "case c > 0:", "case c < 0:"},
	"sequential: unknown operations have a session":   {"claim_sequential.go", "if s.op(i).Outcome == history.OK {\n\t\t\ts.last", "if true {\n\t\t\ts.last"},
	"sequential: two may replace one value":           {"claim_sequential.go", "if y := s.clusters[x].next; y != none {", "if y := s.clusters[x].next; y == -9 {"},
	"sequential: failures that must not be":           {"claim_sequential.go", "if o.Seen == o.Expect {", "if false {"},
	"origins: the first nogood is a proof":            {"origins.go", "switch s.avoid(s.nogoods) {", "switch s.avoid(s.nogoods); Invalid {"},
	"origins: nogoods are forgotten":                  {"origins.go", "last := g.picks[len(g.picks)-1].read", "last := g.picks[0].read"},
	"origins: the beginning is no candidate":          {"origins.go", "\treturn at + 1\n", "\treturn max(at, 1)\n"},
	"origins: deletes from the future":                {"origins.go", "s.deletes[o.Key], o.Return, func", "s.deletes[o.Key], history.Never, func"},
	"origins: failed deletes":                         {"origins.go", "o.Kind == model.Delete && o.Outcome != history.Fail {", "o.Kind == model.Delete {"},
	"origins: unknown swaps replaced something":       {"origins.go", "v, saw = o.Expect, true", "_ = saw"},
	"origins: only reads of the witness are judged":   {"origins.go", "return nogood{few, again}, true", "return nogood{few[:min(1, len(few))], again}, true"},
	"locks: what is under way cannot excuse":          {"explain_locks.go", "o.returns = append(o.calls, h.Ops[i].Call), append(o.returns, h.Ops[i].Return)", "o.returns = append(o.calls, h.Ops[i].Call), append(o.returns, h.Ops[i].Call)"},
	"locks: a lock is held at first":                  {"explain_locks.go", "since, need := int64(-1), 0", "since, need := int64(-1), 1"},
	"counters: what may have happened did not":        {"explain_counters.go", "default:\n\t\tc.hi += n", "default:\n\t\tc.hi += 0"},
	"counters: all that happens between did":          {"explain_counters.go", "o.Outcome == history.OK && e.before(past, i) && e.before(i, r)", "o.Outcome == history.OK && e.before(i, r)"},
	"queues: enqueued too late":                       {"explain_queues.go", "in := b.calledBefore(b.in[v], d)", "in := slices.DeleteFunc(slices.Clone(b.in[v]), func(i int32) bool { return !b.done(i, d) })"},
	"queues: unknown dequeues took nothing":           {"explain_queues.go", "len(puts) > len(out)+len(wild)", "len(puts) > len(out)"},
	"queues: passed over while enqueued":              {"explain_queues.go", "|| !b.done(first, later[0]) {", "|| b.op(first).Call > b.op(later[0]).Call {"},
	"elements: what is under way is there":            {"explain_elements.go", "return !x.explanation.done(i, r)", "return x.before(r, i)"},
	"elements: order of calls":                        {"explain_elements.go", "if last != none && x.explanation.done(i, last) {", "if last != none && i < last {"},
	"elements: the larger came last":                  {"explain_elements.go", "!x.before(b.op, a.op) {", "x.before(a.op, b.op) {"},
	"transactions: of two authors the first":          {"explain_transaction_pairs.go", "return w, w != none ||", "return w, true ||"},
	"transactions: under way before":                  {"explain_transaction_pairs.go", "if once && next != none && e.before(w, next) {", "if once && next != none && w < next {"},
	"verifier: twice":                                 {"verifier.go", "case v.done[i]:", "case false:"},
	"verifier: time ignored":                          {"verifier.go", "case o.Return < called:", "case o.Return < o.Call:"},
	"verifier: time of the last only":                 {"verifier.go", "called = max(called, o.Call)", "called = o.Call"},
	"verifier: failed operations":                     {"verifier.go", "case o.Outcome == history.Fail:", "case false:"},
	"verifier: other keys":                            {"verifier.go", "case o.Key != k:", "case false:"},
	"verifier: something is missing":                  {"verifier.go", "verified[o.Key] && !v.done[i]", "verified[o.Key] && false"},
	"verifier: unknown reads":                         {"verifier.go", "return held, known && (o.Seen", "return held, !known || (o.Seen"},
	"verifier: any read":                              {"verifier.go", "(o.Seen == held || o.Seen == model.Unseen)\n\tcase model.Write:", "true\n\tcase model.Write:"},
	"verifier: failed swaps":                          {"verifier.go", "!known || !o.Swapped && (o.Seen == held || o.Seen == model.Unseen)", "!known || !o.Swapped"},
	"verifier: swaps of what is there may fail":       {"verifier.go", "return o.Value, !known || o.Swapped", "return o.Value, true"},
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
	"explain_locks.go":             "TestReasons",
	"explain_counters.go":          "TestReasons",
	"explain_queues.go":            "TestReasons",
	"explain_elements.go":          "TestReasons",
	"explain_transaction_pairs.go": "TestReasons|TestTransactions",
	"effects.go":                   "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"engine_zones.go":              "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"engine_blocks.go":             "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"engine_greedy.go":             "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"engine_window.go":             "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite|TestWindow",
	"engine_window_owed.go":        "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite|TestWindow",
	"verifier.go":                  "TestEnginesAgree|TestVerif|TestWhat|TestOpenWrite",
	"stream.go":                    "TestStream",
	"stream_zones.go":              "TestStream",
	"claim_staleness.go":           "TestStal",
	"claim_causality.go":           "TestCausal|TestAnomaliesOfClaims",
	"claim_sequential.go":          "TestSequential|TestAnomaliesOfClaims",
	"origins.go":                   "TestOrigins|TestCausal|TestSequential|TestSession|TestPrefix|TestAnomaliesOfClaims",
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
