package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func pause(w *World, node NodeID, from, until time.Duration) {
	w.At(from, "pause", func() {
		id := w.Strain(Strain{Pause: true}, node)
		w.At(until, "go on", func() { w.Relieve(id) })
	})
}

func TestPauseQueues(t *testing.T) {
	w, a, b, _, in := ledgerWorld(nil)
	tell(w, 0, a, func(env *Env) { env.After(3*ms, func(env *Env) { env.Send(b, "timer") }) })
	pause(w, a, ms, 11*ms)
	pause(w, a, 2*ms, 3*ms-1)
	tell(w, 4*ms, a, func(env *Env) { env.Send(b, "message") })
	pause(w, a, 9*ms, 19*ms)
	w.Run(time.Second)
	require.Equal(t, []Message{"timer", "message"}, in.got)
	require.Equal(t, []time.Duration{19 * ms, 19 * ms}, in.when)
	require.EqualValues(t, 2, w.StrainHits(1))
	require.Zero(t, w.StrainHits(2))
}

func TestPauseHoldsUpAStep(t *testing.T) {
	w, a, b, boots, in := ledgerWorld(nil)
	tell(w, 0, a, func(env *Env) { env.Busy(5 * ms); env.Send(b, "rest") })
	pause(w, a, ms, 11*ms)
	tell(w, 12*ms, a, func(env *Env) { env.Busy(5 * ms); env.Send(b, "busy to its end") })
	pause(w, a, 13*ms, 14*ms)
	w.Run(time.Second)
	require.Equal(t, []Message{"rest", "busy to its end"}, in.got)
	require.Equal(t, []time.Duration{11 * ms, 17 * ms}, in.when)
	require.Len(t, *boots, 1)
}

// A node that boots while it is paused takes its first step.
func TestPauseStaysOverACrash(t *testing.T) {
	var b NodeID
	w, a, b, _, in := ledgerWorld(func(env *Env) { env.Send(b, "booted") })
	pause(w, a, ms, 20*ms)
	burst(w, 2*ms, a, b, 1) // dies with the inbox
	w.At(3*ms, "reboot", func() { w.Crash(a, KeepAll); w.Restart(a) })
	burst(w, 4*ms, a, b, 2)
	w.Run(time.Second)
	require.Equal(t, []Message{"booted", 0, 1}, in.got)
	require.Equal(t, []time.Duration{3 * ms, 20 * ms, 20 * ms}, in.when)
	w.Crash(a, KeepAll)
	id := w.Strain(Strain{Pause: true}, a)
	require.False(t, w.hosts[a].busy, "it is down")
	w.Relieve(id)
	w.Restart(a)
	require.False(t, w.hosts[a].busy)
}

func TestSlowNodeFallsBehind(t *testing.T) {
	w, a, b, _, in := ledgerWorld(nil)
	id := w.Strain(Strain{Step: 10 * ms}, a)
	for i := range 5 {
		tell(w, time.Duration(i)*ms, a, func(env *Env) {
			require.Zero(t, env.Now()%(10*ms), "a step sees the time at which it begins")
			env.Send(b, i)
		})
	}
	w.Run(time.Second)
	require.Equal(t, []Message{0, 1, 2, 3, 4}, in.got)
	require.Equal(t, []time.Duration{10 * ms, 20 * ms, 30 * ms, 40 * ms, 50 * ms}, in.when)
	w.Relieve(id)
	w.Relieve(id)
	require.EqualValues(t, 5, w.StrainHits(id))
}

// The oracle computes each step from the ones before it and from the windows of
// the strains.
func TestSlowNodeAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, a, b, _, in := ledgerWorld(nil)
		type window struct{ from, until, step time.Duration }
		draw := func(most int, label string) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(t, label)) * ms
		}
		var windows []window
		for range rapid.IntRange(0, 4).Draw(t, "strains") {
			from := draw(30, "from")
			v := window{from + ms/2, from + draw(30, "length") + ms/2, draw(20, "step")}
			windows = append(windows, v)
			w.At(v.from, "strain", func() {
				id := w.Strain(Strain{Step: v.step}, a)
				w.At(v.until, "relieve", func() { w.Relieve(id) })
			})
		}
		step := func(at time.Duration) (sum time.Duration) {
			for _, v := range windows {
				if v.from <= at && at < v.until {
					sum += v.step
				}
			}
			return sum
		}
		slices.SortStableFunc(windows, func(v, u window) int { return int(v.until - u.until) })
		var want []time.Duration
		free := time.Duration(0)
		for i := range rapid.IntRange(0, 10).Draw(t, "messages") {
			arrives := time.Duration(i) * 4 * ms
			tell(w, arrives, a, func(env *Env) { env.Send(b, i) })
			begins := max(arrives, free)
			free = begins + step(begins)
			for _, v := range windows {
				if begins < v.until && v.until < free {
					free = min(free, max(v.until, begins+step(v.until)))
				}
			}
			want = append(want, free)
		}
		w.Run(10 * time.Second)
		require.Equal(t, want, in.when)
		require.Empty(t, w.hosts[a].strains)
	})
}

func TestSlowDiskAddsToItsOwnTime(t *testing.T) {
	w, a, b, _, in := ledgerWorld(nil)
	w.SetSyncTime(a, ms)
	first := w.Strain(Strain{Sync: 4 * ms}, a, a)
	second := w.Strain(Strain{Sync: 10 * ms}, a)
	step := func(env *Env) {
		env.Send(b, "before")
		env.Sync()
		env.Send(b, "after")
	}
	tell(w, 0, a, step)
	w.At(20*ms, "one less", func() { w.Relieve(second) })
	tell(w, 20*ms, a, step)
	tell(w, 30*ms, a, step)
	w.At(33*ms, "relieved amid the sync", func() { w.Relieve(first) })
	w.Run(time.Second)
	require.EqualValues(t, 3, w.StrainHits(first))
	require.EqualValues(t, 1, w.StrainHits(second))
	require.Equal(t, []time.Duration{0, 15 * ms, 20 * ms, 25 * ms, 30 * ms, 33 * ms}, in.when)
}

// A disk that fails stops the node at that point of the step, until its trouble is
// over, again and again. What a step has sent before is on its way.
func TestDiskTrouble(t *testing.T) {
	write := func(env *Env) { env.Append("new") }
	sync := func(env *Env) { env.Sync() }
	look := func(*Env) {}
	for _, c := range []struct {
		trouble DiskTrouble
		step    func(*Env)
		fails   bool
	}{
		{DiskSound, write, false}, {DiskSound, sync, false},
		{DiskFull, write, true}, {DiskFull, sync, false}, {DiskFull, look, false},
		{DiskFailing, write, true}, {DiskFailing, sync, true}, {DiskFailing, look, false},
	} {
		w, a, b, boots, in := ledgerWorld(nil)
		tell(w, 0, a, func(env *Env) { env.Append("kept"); env.Sync(); env.Append("unsynced") })
		var id StrainID
		w.At(ms, "trouble", func() { id = w.Strain(Strain{Disk: c.trouble}, a) })
		for at := range 4 { // the last when all is well again
			w.At(time.Duration(2*at+2)*ms, "restart", func() { w.Restart(a) })
			tell(w, time.Duration(2*at+3)*ms-1, a, func(env *Env) {
				env.Send(b, "before")
				c.step(env)
				env.Send(b, "after")
			})
		}
		w.At(8*ms, "over", func() { w.Relieve(id) })
		w.Run(time.Second)
		hits := w.StrainHits(id)
		if !c.fails {
			require.Len(t, in.got, 8)
			require.Len(t, *boots, 1)
			require.Zero(t, hits)
			continue
		}
		require.EqualValues(t, 3, hits)
		require.Equal(t, []Message{"before", "before", "before", "before", "after"}, in.got)
		require.Equal(t, []string{"0s []", "4ms [kept]", "6ms [kept]", "8ms [kept]"}, *boots)
	}
}

func TestDiskFailsASyncUnderWay(t *testing.T) {
	w, a, b, _, in := ledgerWorld(nil)
	w.SetSyncTime(a, 10*ms)
	tell(w, 0, a, func(env *Env) { write(env); env.Send(b, "done") })
	w.At(5*ms, "trouble", func() { w.Strain(Strain{Disk: DiskFailing}, a) })
	w.Run(9 * ms)
	require.NotNil(t, w.Node(a), "nobody knows before the disk says so")
	w.Run(time.Second)
	require.Nil(t, w.Node(a))
	require.Empty(t, w.Disk(a).Records())
	require.Empty(t, in.got)
}

// A node that writes when it boots cannot boot while its disk fails.
func TestDiskFailsABoot(t *testing.T) {
	w, a, _, boots, _ := ledgerWorld(func(env *Env) { env.Append("boot"); env.Sync() })
	full := w.Strain(Strain{Disk: DiskFull}, a)
	failing := w.Strain(Strain{Disk: DiskFailing}, a)
	w.Crash(a, KeepAll)
	w.Restart(a)
	require.Nil(t, w.Node(a))
	w.Relieve(failing)
	w.Restart(a)
	require.Nil(t, w.Node(a), "it is full, still")
	w.Relieve(full)
	w.Restart(a)
	require.EqualValues(t, 1, w.StrainHits(failing))
	require.EqualValues(t, 2, w.StrainHits(full))
	require.NotNil(t, w.Node(a))
	require.Equal(t, []string{"0s []", "0s [boot]", "0s [boot]", "0s [boot]"}, *boots)
}

// A strain outlives the crashes of its node.
func TestStrainStaysOverACrash(t *testing.T) {
	w, a, b, _, in := ledgerWorld(nil)
	w.Strain(Strain{Step: 5 * ms}, a)
	w.Crash(a, KeepAll)
	w.At(ms, "restart", func() { w.Restart(a) })
	burst(w, 2*ms, a, b, 1)   // waits for the boot, which is a step too
	pause(w, a, 20*ms, 40*ms) // amid a step
	burst(w, 18*ms, a, b, 1)
	w.Run(time.Second)
	require.Equal(t, []time.Duration{11 * ms, 40 * ms}, in.when)
}

// TestStrainsAreSymmetric lifts strains in any order; what is left is what was
// there before.
func TestStrainsAreSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New(Config{})
		for i := range 3 {
			add(w, fmt.Sprint(i), doer{})
			w.SetSyncTime(NodeID(i), time.Duration(i))
		}
		sums := func() (all []Strain) {
			for _, h := range w.hosts {
				all = append(all, Strain{h.paused, h.stepTime, h.syncTime, h.trouble})
			}
			return all
		}
		var before [][]Strain
		var laid []StrainID
		for range rapid.IntRange(1, 6).Draw(t, "strains") {
			before = append(before, sums())
			s := Strain{
				Pause: rapid.Bool().Draw(t, "pause"),
				Step:  time.Duration(rapid.Int64Range(-2, 9).Draw(t, "step")),
				Sync:  time.Duration(rapid.Int64Range(-2, 9).Draw(t, "sync")),
				Disk:  DiskTrouble(rapid.IntRange(0, 2).Draw(t, "disk")),
			}
			nodes := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 2), func(i int) NodeID { return NodeID(i) }), 0, 4).Draw(t, "nodes")
			laid = append(laid, w.Strain(s, nodes...))
		}
		if rapid.Bool().Draw(t, "stack") {
			for i := len(laid) - 1; i >= 0; i-- {
				w.Relieve(laid[i])
				require.Equal(t, before[i], sums())
			}
		}
		for _, id := range rapid.Permutation(laid).Draw(t, "order") {
			w.Relieve(id)
		}
		require.Equal(t, before[0], sums())
	})
}

func TestStrainRefusesStrangers(t *testing.T) {
	w, _ := worldOf(doer{})
	require.Panics(t, func() { w.Strain(Strain{Step: ms}, 0, 7) })
	require.Empty(t, w.strains)
	require.Zero(t, w.hosts[0].stepTime)
}

// TestStrainsAreDeterministic lays strains over random scenarios.
func TestStrainsAreDeterministic(t *testing.T) {
	digest := func(seed uint64, trace func(Event)) (digest, hits uint64) {
		w := randomWorld(seed, false, trace)
		defer w.Stop()
		r := random{NewDraws(seed)}
		for range r.IntN(6) {
			node, at := NodeID(r.IntN(2)), r.upTo(200*ms)
			until := at + r.upTo(50*ms)
			s := Strain{Step: r.upTo(5 * ms), Sync: r.upTo(50 * ms), Disk: DiskTrouble(r.IntN(3))}
			w.At(at, "strain", func() {
				id := w.Strain(s, node)
				w.At(until, "relieve", func() {
					w.Relieve(id)
					w.Restart(node)
					hits += w.StrainHits(id)
				})
			})
		}
		w.Run(300 * ms)
		return w.Digest(), hits
	}
	total := uint64(0)
	for seed := range uint64(300) {
		plain, hits := digest(seed, nil)
		traced, again := digest(seed, func(Event) {})
		require.Equal(t, plain, traced, "seed %d", seed)
		require.Equal(t, hits, again)
		total += hits
	}
	require.Greater(t, total, uint64(1000))
}
