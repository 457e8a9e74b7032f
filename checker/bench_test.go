//go:build unix

package checker

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/history/formats"
	"github.com/rashomon-go/rashomon/internal/cputime"
	"github.com/rashomon-go/rashomon/model"
)

func benchmark(b *testing.B, h *history.History, opts Options, check func(*history.History, Options)) {
	b.ReportAllocs()
	from := int64(cputime.Used())
	for b.Loop() {
		check(h, opts)
	}
	used := int64(cputime.Used()) - from // unlike elapsed time, it is ours alone
	b.ReportMetric(float64(used)/float64(b.N)/float64(len(h.Ops)), "cpu-ns/operation")
}

// whole is what a caller pays, with the validation of the history.
func whole(b *testing.B) func(*history.History, Options) {
	return func(h *history.History, opts Options) {
		if r, err := Linearizable(h, model.CASRegister(), opts); err != nil || r.Verdict != Valid {
			b.Fatal(r.Verdict, r.Reason, err)
		}
	}
}

// zonesOnly is the algorithm without the validation and the grouping by keys.
func zonesOnly(b *testing.B, h *history.History) func(*history.History, Options) {
	var c check
	if err := c.group(h); err != nil {
		b.Fatal(err)
	}
	return func(h *history.History, _ Options) {
		for k := range h.Keys {
			if f, ok := c.zones.judge(h.Ops, c.part(k)); !ok || f.broken != 0 {
				b.Fatal(f, ok)
			}
		}
	}
}

func BenchmarkZones100(b *testing.B) {
	h := closedLoop(seeded(), load{ops: 100, clients: 5, keys: 3, open: 0.01})
	b.Run("whole", func(b *testing.B) { benchmark(b, h, Options{Engine: Zones, VerdictOnly: true}, whole(b)) })
	b.Run("zones", func(b *testing.B) { benchmark(b, h, Options{}, zonesOnly(b, h)) })
}

func BenchmarkZones1e6(b *testing.B) {
	for _, keys := range []int{1, 10, 1000} {
		h := closedLoop(seeded(), load{ops: 1e6, clients: 50, keys: keys, open: 0.01})
		b.Run(fmt.Sprintf("whole/keys=%d", keys), func(b *testing.B) { benchmark(b, h, Options{Engine: Zones, VerdictOnly: true}, whole(b)) })
		b.Run(fmt.Sprintf("zones/keys=%d", keys), func(b *testing.B) { benchmark(b, h, Options{}, zonesOnly(b, h)) })
	}
}

// A million operations, as a caller pays for them, with and without a proof.
func BenchmarkEngines1e6(b *testing.B) {
	for _, l := range []struct {
		name string
		load load
	}{
		{"zones", load{ops: 1e6, clients: 50, keys: 1, open: 0.01}},
		{"blocks", load{ops: 1e6, clients: 50, keys: 1, open: 0.01, cas: true}},
		{"greedy", load{ops: 1e6, clients: 50, keys: 1, open: 0.01, cas: true, deletes: true}},
	} {
		h := closedLoop(seeded(), l.load)
		b.Run(l.name+"/verdict", func(b *testing.B) { benchmark(b, h, Options{VerdictOnly: true}, whole(b)) })
		b.Run(l.name+"/proof", func(b *testing.B) { benchmark(b, h, Options{}, whole(b)) })
	}
}

// A million operations of several recorders, in a random order and with moments of
// a clock instead of positions: what it takes to sort them, and to judge them too.
func BenchmarkAnyOrder1e6(b *testing.B) {
	for _, keys := range []int{1, 10} {
		logged := closedLoop(seeded(), load{ops: 1e6, clients: 50, keys: keys, open: 0.01})
		asLogged(seeded(), logged, 1000)
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			var sorting, all int64
			for b.Loop() {
				h := *logged
				h.Ops = slices.Clone(logged.Ops)
				runtime.GC() // of what the last round left behind
				from := int64(cputime.Used())
				if err := h.Sort(); err != nil {
					b.Fatal(err)
				}
				sorting += int64(cputime.Used()) - from
				whole(b)(&h, Options{VerdictOnly: true})
				all += int64(cputime.Used()) - from
			}
			b.ReportMetric(float64(sorting)/float64(b.N)/1e6, "cpu-ns/sorted-operation")
			b.ReportMetric(float64(all)/float64(b.N)/1e6, "cpu-ns/operation")
		})
	}
}

// The window on valid histories of one key, of which porcupine ends none with
// more than a dozen clients.
func BenchmarkWindow(b *testing.B) {
	for _, clients := range []int{5, 10, 20, 50} {
		for _, l := range []struct {
			name string
			load load
		}{
			{"unique", load{}},
			{"five values", load{values: 5}},
			{"silent cas", load{cas: true, silent: true, open: 0.01}},
			{"five values, all kinds", load{values: 5, cas: true, silent: true, deletes: true, open: 0.01}},
		} {
			l.load.ops, l.load.clients, l.load.keys = 10_000, clients, 1
			h := closedLoop(seeded(), l.load)
			b.Run(fmt.Sprintf("%s/clients=%d", l.name, clients), func(b *testing.B) {
				benchmark(b, h, Options{Engine: Window, VerdictOnly: true}, whole(b))
			})
		}
	}
}

// The logs that porcupine comes with: five values, compare-and-sets that do not
// tell why they failed, and time-outs. One operation is all of them together.
func BenchmarkEtcdLogs(b *testing.B) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/anishathalye/porcupine").Output()
	if err != nil {
		b.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "test_data/jepsen/etcd_*.log"))
	if err != nil || len(files) == 0 {
		b.Fatal(files, err)
	}
	var all []*history.History
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		h, _, err := formats.Read(f, name, formats.JepsenLog)
		f.Close()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, h)
	}
	for _, e := range []Engine{Auto, Porcupine} {
		b.Run(e.String(), func(b *testing.B) {
			from := int64(cputime.Used())
			for b.Loop() {
				for _, h := range all {
					if _, err := Linearizable(h, model.CASRegister(), Options{Engine: e, VerdictOnly: true}); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(int64(cputime.Used())-from)/float64(b.N)/1e6, "cpu-ms/all")
		})
	}
}

// The same histories through ours, porcupine, and porcupine with a model that
// knows that values are unique; unknown is 1 where the budget of 2,000,000 steps
// and 1 GiB was spent.
func BenchmarkSameHistories(b *testing.B) {
	for _, l := range []load{
		{ops: 1000, clients: 5, keys: 1}, {ops: 1000, clients: 10, keys: 1}, {ops: 1000, clients: 15, keys: 1}, {ops: 1000, clients: 20, keys: 1},
		{ops: 1000, clients: 10, keys: 1, open: 0.05},
		{ops: 10_000, clients: 10, keys: 1}, {ops: 10_000, clients: 50, keys: 1}, {ops: 10_000, clients: 50, keys: 100},
	} {
		h := closedLoop(seeded(), l)
		smart, needed := smartModel(h)
		for _, way := range []struct {
			name string
			h    *history.History
			m    model.Model
			opts Options
		}{
			{"ours", h, model.Register(), Options{VerdictOnly: true}},
			{"ours with proof", h, model.Register(), Options{}},
			{"window", h, model.Register(), Options{Engine: Window, VerdictOnly: true}},
			{"smart porcupine", needed, smart, Options{Engine: Porcupine, VerdictOnly: true}},
			{"porcupine", h, model.Register(), Options{Engine: Porcupine, VerdictOnly: true}},
		} {
			b.Run(fmt.Sprintf("ops=%d/clients=%d/keys=%d/open=%v/%s", l.ops, l.clients, l.keys, l.open, way.name), func(b *testing.B) {
				unknown := 0.0
				from := int64(cputime.Used())
				for b.Loop() {
					r, err := Linearizable(way.h, way.m, way.opts)
					if err != nil || r.Verdict == Invalid {
						b.Fatal(r, err)
					}
					if r.Verdict == Unknown {
						unknown = 1
					}
				}
				b.ReportMetric(float64(int64(cputime.Used())-from)/float64(b.N)/1e3, "cpu-µs")
				b.ReportMetric(unknown, "unknown")
			})
		}
	}
}

// heldValue is a register that counts who still has to read what it holds.
type heldValue struct {
	value model.Value
	left  int
}

// smartModel is what a careful user of porcupine can do for histories whose
// values are unique on a key: a value must not be overwritten before all who read
// it have read it, and unknown writes that nobody read are left out.
func smartModel(h *history.History) (model.Model, *history.History) {
	reads := map[model.Value]int{}
	for i := range h.Ops {
		if o := &h.Ops[i]; o.Kind == model.Read && o.Outcome == history.OK && o.Seen != model.Absent {
			reads[o.Seen]++
		}
	}
	needed := *h
	needed.Ops = slices.DeleteFunc(slices.Clone(h.Ops), func(o history.Op) bool {
		return o.Kind == model.Write && o.Outcome == history.Unknown && reads[o.Value] == 0
	})
	return model.Spec[heldValue]{
		Name: "smart", Kinds: []model.Kind{model.Read, model.Write}, Init: heldValue{value: model.Absent},
		Step: func(s heldValue, op model.Op) (heldValue, bool) {
			if op.Kind == model.Write {
				return heldValue{op.Value, reads[op.Value]}, s.left == 0
			}
			if op.Open || op.Seen == model.Absent {
				return s, op.Open || s.value == model.Absent
			}
			return heldValue{s.value, s.left - 1}, op.Seen == s.value
		},
		Hash: func(s heldValue) uint64 { return uint64(s.value)*0x9e3779b97f4a7c15 + uint64(s.left) },
	}.Model(), &needed
}

func BenchmarkPorcupine(b *testing.B) {
	for _, l := range []load{
		{ops: 100, clients: 5, keys: 3, open: 0.01},
		{ops: 100, clients: 5, keys: 3, open: 0.01, deletes: true},
		{ops: 1000, clients: 5, keys: 1},
		{ops: 10000, clients: 10, keys: 10},
	} {
		h := closedLoop(seeded(), l)
		b.Run(fmt.Sprintf("ops=%d/clients=%d/keys=%d/deletes=%v", l.ops, l.clients, l.keys, l.deletes),
			func(b *testing.B) { benchmark(b, h, Options{Engine: Porcupine}, whole(b)) })
	}
}

func BenchmarkValidate100(b *testing.B) {
	h := closedLoop(seeded(), load{ops: 100, clients: 5, keys: 3, open: 0.01})
	benchmark(b, h, Options{}, func(h *history.History, _ Options) { _ = h.Validate() })
}

// Every claim on a history that keeps it, as clients of one register see it.
func BenchmarkClaims(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		h := closedLoop(seeded(), load{ops: n, clients: 5, keys: 3, open: 0.01})
		h.Nodes = []string{"n0", "n1"}
		terms := Terms{Rule: LastWriterWins, Sessions: func(o *history.Op) int64 { return int64(o.Process) }}
		for k := range h.Keys {
			terms.Final = append(terms.Final, readAtTheEnd(h, int32(k), 0), readAtTheEnd(h, int32(k), 1))
		}
		for _, c := range Claims() {
			if c.Name == "set-converges" || c.Name == "prefix-consistent" && n > 1000 {
				continue
			}
			b.Run(fmt.Sprintf("%s/ops=%d", c.Name, n), func(b *testing.B) {
				benchmark(b, h, Options{}, func(h *history.History, _ Options) {
					if j, err := c.Judge(h, terms); err != nil || j.Verdict == Invalid {
						b.Fatal(j, err)
					}
				})
			})
		}
	}
}

// readAtTheEnd appends a read that returns what the key's last write that was
// read or acknowledged had stored.
func readAtTheEnd(h *history.History, k, node int32) int {
	last, end, process := model.Absent, int64(0), int32(0)
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Return != history.Never {
			end = max(end, o.Return)
		}
		end, process = max(end, o.Call), max(process, o.Process+1)
	}
	at := int64(0)
	for i := range h.Ops {
		o := &h.Ops[i]
		if v, saw := observed(o); o.Key == k && saw && o.Call > at {
			last, at = v, o.Call
		}
		if o.Key == k && o.Kind == model.Write && o.Outcome == history.OK && o.Call > at {
			last, at = o.Value, o.Call
		}
	}
	h.Ops = append(h.Ops, history.Op{
		Process: process, Key: k, Node: node, Kind: model.Read, Outcome: history.OK, Seen: last, Call: end + 1, Return: end + 2,
	})
	return len(h.Ops) - 1
}

// BenchmarkStream judges while operations come, and keeps no history. What the
// heap holds at the end must not depend on their number.
func BenchmarkStream(b *testing.B) {
	for _, n := range []int{1e5, 1e6, 1e7} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var used, heap int64
			for b.Loop() {
				idle, all, kept := streamed(b, n)
				used, heap = used+all-idle, kept
			}
			b.ReportMetric(float64(used)/float64(b.N)/float64(n), "cpu-ns/operation")
			b.ReportMetric(float64(heap), "heap-bytes")
		})
	}
}

// streamed returns the processor time that n operations of 50 clients on one key
// take without a stream and with it, and what the stream holds of the heap.
func streamed(b *testing.B, n int) (idle, all, heap int64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var s Stream
	run := func(call func(history.Asked), ret func(int32, history.Answered)) int64 {
		from := int64(cputime.Used())
		type client struct {
			process int32
			busy    bool
			ask     history.Asked
		}
		r := seeded()
		clients := make([]client, 50)
		for i := range clients {
			clients[i].process = int32(i)
		}
		next, held, value := int32(50), model.Absent, model.Value(0)
		for returned := 0; returned < n; {
			c := &clients[r.IntN(50)]
			if !c.busy {
				c.busy, c.ask = true, history.Asked{Process: c.process, Kind: model.Read, Key: "k0"}
				if x := r.Uint32(); x&1 == 0 {
					value++
					c.ask.Kind, c.ask.Value = model.Write, value
				}
				call(c.ask)
				continue
			}
			returned++
			c.busy = false
			if c.ask.Kind == model.Write {
				held = c.ask.Value
			}
			if r.IntN(100) == 0 {
				ret(c.process, history.Answered{Outcome: history.Unknown})
				c.process, next = next, next+1
				continue
			}
			ret(c.process, history.Answered{Outcome: history.OK, Seen: held})
		}
		return int64(cputime.Used()) - from
	}
	idle = run(func(history.Asked) {}, func(int32, history.Answered) {})
	all = run(func(a history.Asked) {
		if err := s.Call(a, 0); err != nil {
			b.Fatal(err)
		}
	}, func(p int32, a history.Answered) {
		if f, err := s.Return(p, a, 0); f != nil || err != nil {
			b.Fatal(f, err)
		}
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(&s)
	return idle, all, int64(after.HeapAlloc) - int64(before.HeapAlloc)
}
