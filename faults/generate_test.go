package faults

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/sim"
)

func names(n int) []string {
	return []string{"n0", "n1", "n2", "n3", "n4", "n5", "n6"}[:n]
}

// everything allows every class on five nodes.
func everything() Options {
	return Options{
		Nodes: names(5),
		Roles: []string{"primary"},
		From:  100 * ms,
		Until: 2 * time.Second,
		Most:  8,

		Messages: []string{"greet", "answer"},
		Crash: CrashOptions{
			Nodes: []string{"n0", "n1", "primary"},
			Fates: []sim.DiskFate{sim.LoseUnsynced, sim.KeepAll, sim.LoseAll}, AtOnce: 2, Recovery: 50 * ms,
		},
		Clock: ClockOptions{Nodes: names(5), Offset: 50 * ms, DriftPPM: 500},
	}
}

// fromRapid makes options and draws shrink.
type fromRapid struct{ t *rapid.T }

func (r fromRapid) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(r.t, "draw") }

// anyOptions draws options from the least to the most permissive.
func anyOptions(src Source) (opt Options) {
	opt = everything()
	opt.Nodes = names(src.IntN(8))
	opt.Roles = opt.Roles[src.IntN(2):]
	opt.From = time.Duration(src.IntN(300)) * ms
	opt.Until = opt.From + []time.Duration{0, 1, ms / 2, ms, 7 * ms, 300 * ms, time.Second, time.Hour}[src.IntN(8)]
	opt.Classes = Classes(src.IntN(int(All) + 1))
	opt.Most = src.IntN(12)
	opt.Messages = opt.Messages[src.IntN(3):]
	opt.Slow = []time.Duration{0, 1, ms, time.Second}[src.IntN(4)]
	opt.Crash.Nodes = opt.Nodes[:src.IntN(len(opt.Nodes)+1)]
	opt.Crash.AtOnce = src.IntN(4)
	opt.Crash.All = src.IntN(2) == 1
	opt.Clock.Nodes = opt.Nodes[:src.IntN(len(opt.Nodes)+1)]
	opt.Clock.Offset = []time.Duration{0, 1, 50 * ms}[src.IntN(3)]
	opt.Clock.DriftPPM = []int64{0, 1, 500, 999_999}[src.IntN(4)]
	return opt
}

func checkGenerated(t require.TestingT, opt Options, s Schedule) {
	nodes := append(slices.Clone(opt.Nodes), opt.Roles...)
	require.NoError(t, s.Validate(Bounds{Nodes: nodes, End: opt.Until}))
	opt = opt.withDefaults()
	require.LessOrEqual(t, len(s), opt.Most*mostFailures)
	require.True(t, slices.IsSortedFunc(s, func(f, g Fault) int { return int(f.From - g.From) }))
	for i, f := range s {
		require.GreaterOrEqual(t, f.From, opt.From)
		switch f.Kind {
		case Crash, CrashSending, FillDisk, FailDisk:
			checkCrash(t, opt, s, f)
		case Slow:
			require.LessOrEqual(t, f.Time, max(opt.Slow/5, 1))
		case SlowDisk:
			require.LessOrEqual(t, f.Time, opt.Slow)
		case Clock:
			require.Contains(t, opt.Clock.Nodes, f.Who[0][0])
			require.LessOrEqual(t, f.Clock.Offset.Abs(), opt.Clock.Offset)
			require.LessOrEqual(t, max(f.Clock.DriftPPM, -f.Clock.DriftPPM), opt.Clock.DriftPPM)
			for _, g := range s[:i] {
				alone := g.Kind != Clock || g.Who[0][0] != f.Who[0][0] || g.Until <= f.From
				require.True(t, alone, "two faults of a clock\n%v", s)
			}
		}
	}
}

func checkCrash(t require.TestingT, opt Options, s Schedule, f Fault) {
	require.Contains(t, opt.Crash.Fates, f.Fate)
	if len(f.Who[0]) > 1 {
		require.NotEqual(t, sim.LoseAll, f.Fate)
	}
	if opt.everybody(f) {
		for _, g := range s {
			apart := g.Until+opt.Crash.Recovery < f.From || f.Until+opt.Crash.Recovery < g.From
			require.True(t, apart || g.Fate != sim.LoseAll, "%v", s)
		}
		return
	}
	require.Subset(t, opt.Crash.Nodes, f.Who[0])
	for _, absence := range absences(f) {
		require.LessOrEqual(t, opt.downAt(s, absence.From), opt.Crash.AtOnce, "%v", s)
	}
}

func (o Options) everybody(f Fault) bool {
	return o.Crash.All && f.Kind == Crash && f.Fate != sim.LoseAll && !f.Rolling && len(f.Who[0]) == len(o.Nodes)
}

// downAt counts crashes of all together as nothing.
func (o Options) downAt(s Schedule, t time.Duration) (down int) {
	for _, f := range s {
		if !f.Kind.crashes() || o.everybody(f) {
			continue
		}
		for _, absence := range absences(f) {
			if absence.From <= t && t <= absence.Until+o.Crash.Recovery {
				down++
			}
		}
	}
	return down
}

// absences returns a crash of one node for each that a crash takes down.
func absences(f Fault) (each Schedule) {
	for i := range f.Who[0] {
		g := f
		if f.Rolling {
			turn := (f.Until - f.From) / time.Duration(len(f.Who[0]))
			g.From += time.Duration(i) * turn
			g.Until = g.From + turn/2
		}
		each = append(each, g)
	}
	return each
}

func TestGenerateIsValid(t *testing.T) {
	src := sim.NewDraws(1)
	for range 10_000 {
		opt := anyOptions(&src)
		checkGenerated(t, opt, Generate(&src, opt))
	}
}

func TestGenerateIsDeterministic(t *testing.T) {
	for seed := range uint64(100) {
		one, other := sim.NewDraws(seed), sim.NewDraws(seed)
		require.Equal(t, Generate(&one, everything()), Generate(&other, everything()))
	}
}

// TestGenerateShrinks shows that smaller draws make simpler schedules.
func TestGenerateShrinks(t *testing.T) {
	require.Empty(t, Generate(constant(0), everything()))
	s := Generate(constant(1), everything())
	require.Len(t, s, 2)
	rapid.Check(t, func(t *rapid.T) {
		opt := anyOptions(fromRapid{t})
		checkGenerated(t, opt, Generate(fromRapid{t}, opt))
	})
}

type constant int

func (c constant) IntN(n int) int { return min(int(c), n-1) }

// classOf tells the class of a fault from its text alone.
func classOf(f Fault) Classes {
	switch {
	case f.Only != nil:
		return Typed
	case f.Every != 0 && f.Kind == Crash:
		return Restarts
	case f.Kind == Clock && f.From == everything().From && f.Until == everything().Until:
		return Skews
	case f.Every != 0:
		return Flapping
	}
	switch f.Kind {
	case Partition:
		switch {
		case f.Who[1][0] == everyone:
			return Isolation
		case len(f.Who[0])+len(f.Who[1]) == 4:
			return Bridges
		}
		return Halves
	case Cut:
		single := func(i int) bool { return len(f.Who[i]) == 1 && f.Who[i][0] != everyone }
		if single(0) && f.Who[1][0] == everyone || single(1) && f.Who[0][0] == everyone {
			return OneWay
		}
		return Links
	case Crash:
		if len(f.Who[0]) > 1 {
			return Restarts
		}
	case CrashSending:
		return Crashes
	}
	return map[Kind]Classes{
		Delay: Delays, Lose: Losses, Duplicate: Duplicates, Reorder: Reorders,
		Pause: Pauses, Slow: SlowNodes, SlowDisk: SlowDisks, Crash: Crashes,
		FillDisk: BadDisks, FailDisk: BadDisks, Clock: Clocks,
		Ring: Rings, Corrupt: Corruptions, Hold: Holds, Throttle: Throttles,
	}[f.Kind]
}

// inSeries tells a partition of a series: no other class leaves the grid of 5 ms.
func inSeries(f Fault) bool {
	return f.Kind == Partition && f.Every == 0 && (f.From%(5*ms) != 0 || f.Until%(5*ms) != 0)
}

// TestFailures draws many series: they do not overlap, and have several partitions.
func TestFailures(t *testing.T) {
	opt := everything()
	opt.Classes, opt.Most, opt.From, opt.Until = Failures, 1, 0, 16*time.Second
	src := sim.NewDraws(9)
	series, n := 0, 0
	for range 2000 {
		s := Generate(&src, opt)
		for i, f := range s {
			require.Equal(t, Halves, classOf(f))
			require.True(t, i == 0 || f.From > s[i-1].Until)
		}
		if len(s) > 0 {
			series, n = series+1, n+len(s)
		}
	}
	require.Greater(t, n, 2*series)
}

// TestTimesToFailure: the times are exponential.
func TestTimesToFailure(t *testing.T) {
	src := sim.NewDraws(10)
	g := generator{src: &src, Options: everything()}
	const n = 50_000
	var sum time.Duration
	longer := 0
	for range n {
		d := g.after(sim.Exponential(0, time.Second))
		if sum += d; d > 2*time.Second {
			longer++
		}
	}
	require.InDelta(t, time.Second, sum/n, float64(20*ms))
	require.InDelta(t, 0.135*n, longer, 0.01*n)
	g.src = constant(0)
	require.Equal(t, ms, g.after(sim.Exponential(0, time.Second)))
}

func TestGenerateReachesEveryClass(t *testing.T) {
	const runs = 2_000
	seen := map[Classes]int{}
	calm := 0
	src := sim.NewDraws(2)
	for range runs {
		s := Generate(&src, everything())
		classes := map[Classes]bool{}
		for _, f := range s {
			classes[classOf(f)] = true
			if inSeries(f) {
				classes[Failures] = true
			}
		}
		for c := range classes {
			seen[c]++
		}
		if len(s) == 0 {
			calm++
		}
	}
	for _, c := range All.split() {
		t.Logf("%-10v %4.1f %%", c, 100*float64(seen[c])/runs)
		require.Greater(t, seen[c], runs/12, "%v", c)
	}
	t.Logf("calm       %4.1f %%", 100*float64(calm)/runs)
	require.InDelta(t, runs/8, calm, runs/20)
}

// TestGenerateKeepsToClasses asks for one class at a time.
func TestGenerateKeepsToClasses(t *testing.T) {
	src := sim.NewDraws(3)
	for _, c := range All.split() {
		opt := everything()
		opt.Classes = c
		for range 200 {
			for _, f := range Generate(&src, opt) {
				if c == Links && classOf(f) == OneWay {
					continue // random links may happen to be those
				}
				if c == Failures {
					c = Halves
				}
				require.Equal(t, c, classOf(f), "%v", f)
			}
		}
	}
}

// Every second schedule has the fall of a role, in one of several ways, each of them
// within the budget.
func TestFalls(t *testing.T) {
	opt := everything()
	opt.Falls, opt.Services = []string{"primary"}, []string{"master"}
	opt.Classes = Delays // but for the falls
	ways := map[string]int{}
	falls := 0
	const runs = 2000
	for seed := range uint64(runs) {
		src := sim.NewDraws(seed)
		s := Generate(&src, opt)
		require.NoError(t, s.Validate(Bounds{Nodes: slices.Concat(opt.Nodes, opt.Roles, opt.Services, []string{Clients}), Messages: opt.Messages, End: time.Hour}))
		var kinds []string
		for _, f := range s {
			if f.Kind != Delay || f.Who[0][0] == "master" {
				kinds = append(kinds, f.Kind.String()+" "+f.Who[0][0])
			}
		}
		if len(kinds) > 0 {
			falls++
			ways[fmt.Sprint(kinds)]++
		}
	}
	require.InDelta(t, runs/2, falls, runs/20)
	require.Len(t, ways, 7, "%v", ways)
	opt.Crash, opt.Services = CrashOptions{}, nil
	for seed := range uint64(runs) {
		src := sim.NewDraws(seed)
		for _, f := range Generate(&src, opt) {
			require.False(t, f.Kind.crashes())
		}
	}
}

func TestCrashesAndClocksAreOffUnlessAllowed(t *testing.T) {
	opt := Options{Nodes: names(3), Until: time.Second}
	possible := func() Classes {
		o := opt.withDefaults()
		return o.possible()
	}
	require.Equal(t, (Network|Pauses|SlowNodes|SlowDisks)&^Typed, possible())
	opt.Messages = []string{"greet"}
	always := Network | Pauses | SlowNodes | SlowDisks
	require.Equal(t, always, possible())
	opt.Crash.Nodes = append(names(1), "primary")
	require.Equal(t, always|Crashes|BadDisks, possible(), "one node cannot roll")
	opt.Crash.Nodes = names(2)
	require.Equal(t, always|Crashes|BadDisks|Restarts, possible())
	opt.Crash.Fates = []sim.DiskFate{sim.KeepAll}
	require.Equal(t, always|Crashes|Restarts, possible(), "a failing disk loses what is not synced")
	opt.Crash.Fates = []sim.DiskFate{sim.LoseAll}
	require.Equal(t, always|Crashes, possible())
	opt.Crash.Fates = nil
	opt.Clock = ClockOptions{Nodes: names(1), DriftPPM: 1}
	require.Equal(t, All, possible())
}

func TestClassesText(t *testing.T) {
	src := sim.NewDraws(7)
	for range 10_000 {
		c := Classes(src.IntN(int(All) + 1))
		back, err := ParseClasses(c.String())
		require.NoError(t, err)
		require.Equal(t, c, back)
	}
	c, err := ParseClasses("partitions,crashes")
	require.NoError(t, err)
	require.Equal(t, Partitions|Crashes, c)
	_, err = ParseClasses("halves,quarters")
	require.EqualError(t, err, `no class of faults is called "quarters", expected halves, isolation, bridges, `+
		`rings, one-way, links, failures, flapping, delays, losses, duplicates, reorders, corruptions, holds, throttles, typed, `+
		`pauses, slow-nodes, slow-disks, crashes, restarts, bad-disks, clocks, skews, partitions, network or all`)
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	opt := everything()
	src := sim.NewDraws(4)
	faults := 0
	for b.Loop() {
		faults += len(Generate(&src, opt))
	}
	b.ReportMetric(float64(faults)/float64(b.N), "faults/op")
}

// BenchmarkApply begins and ends the faults of a schedule in a world of five
// nodes in which nothing else happens.
func BenchmarkApply(b *testing.B) {
	b.ReportAllocs()
	src := sim.NewDraws(5)
	opt := everything()
	opt.Classes = All &^ Crashes
	var s Schedule
	for len(s) < 4 {
		s = Generate(&src, opt)
	}
	s = s[:4]
	for b.Loop() {
		l := newLab(5)
		s.Apply(l.w, l.ids, func(string) []sim.NodeID { return l.ids[:1] })
		l.w.Run(opt.Until)
	}
}
