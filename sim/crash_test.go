package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ledger is a node that boots from its disk and does what it is told.
type ledger struct {
	got     []Message
	started func(*Env)
}

func (l *ledger) Start(env *Env) {
	if l.started != nil {
		l.started(env)
	}
}

func (l *ledger) Receive(env *Env, from Addr, m Message) {
	l.got = append(l.got, m)
	doer{}.Receive(env, from, m)
}

// ledgerWorld returns a world with a ledger and an inbox.
func ledgerWorld(started func(*Env)) (w *World, a, b NodeID, boots *[]string, in *inbox) {
	w = New(Config{})
	boots = new([]string)
	a = w.AddNode("a", func(_ NodeID, d *Disk) Node {
		*boots = append(*boots, fmt.Sprint(w.Now(), " ", d.Records()))
		return &ledger{started: started}
	})
	in = &inbox{w: w}
	b = add(w, "b", in)
	return w, a, b, boots, in
}

func write(env *Env) {
	env.Append("synced")
	env.Sync()
	env.Append("not synced")
}

func TestDiskFates(t *testing.T) {
	for fate, want := range map[DiskFate]string{
		LoseUnsynced: "3ms [synced]",
		KeepAll:      "3ms [synced not synced]",
		LoseAll:      "3ms []",
	} {
		w, a, _, boots, _ := ledgerWorld(nil)
		tell(w, ms, a, write)
		w.At(2*ms, "crash", func() { w.Crash(a, fate) })
		w.At(3*ms, "restart", func() { w.Restart(a) })
		w.Run(10 * ms)
		require.Equal(t, []string{"0s []", want}, *boots)
		require.Equal(t, len(w.Disk(a).Records()), w.Disk(a).Synced(), "what survived is durable")
	}
}

func TestSyncTakesTime(t *testing.T) {
	w, a, b, boots, in := ledgerWorld(nil)
	w.SetSyncTime(a, 5*ms)
	send := func(env *Env) {
		write(env)
		env.Send(b, "done")
		env.After(ms, func(env *Env) { env.Send(b, "timer") })
	}
	tell(w, 0, a, send)
	tell(w, 2*ms, a, func(env *Env) { env.Send(b, "waited") })
	w.Run(4 * ms)
	require.Equal(t, []any{"synced"}, w.Disk(a).Records())
	require.Zero(t, w.Disk(a).Synced())
	w.Run(10 * ms)
	require.Equal(t, []Message{"done", "waited", "timer"}, in.got)
	require.Equal(t, []time.Duration{5 * ms, 5 * ms, 6 * ms}, in.when)
	require.Equal(t, 1, w.Disk(a).Synced())

	tell(w, 10*ms, a, send)
	w.At(12*ms, "crash in the sync", func() { w.Crash(a, LoseUnsynced); w.Restart(a) })
	w.Run(time.Second)
	require.Equal(t, []string{"0s []", "12ms [synced]"}, *boots)
	require.Len(t, in.got, 3, "the rest of the step died with the node")
	require.False(t, w.hosts[a].busy)
}

func TestRecordsCannotBeOverwrittenByAppend(t *testing.T) {
	w, a, _, _, _ := ledgerWorld(nil)
	one := func(env *Env) { env.Append("record") }
	for range 20 { // whatever room append leaves behind the records
		kept := append(w.Disk(a).Records(), "scribble")
		tell(w, 0, a, one)
		w.Run(0)
		require.Equal(t, "scribble", kept[len(kept)-1])
		require.Equal(t, "record", w.Disk(a).Records()[len(kept)-1])
	}
}

func TestCrashDropsTimersAndInbox(t *testing.T) {
	w, a, b, _, in := ledgerWorld(nil)
	tell(w, 0, a, func(env *Env) {
		env.After(10*ms, func(env *Env) { env.Send(b, "timer") })
		env.Busy(8 * ms)
		env.Send(b, "rest")
	})
	tell(w, ms, a, func(env *Env) { env.Send(b, "inbox") })
	w.At(2*ms, "crash", func() { w.Crash(a, KeepAll) })
	w.At(2*ms, "crash again", func() { w.Crash(a, LoseAll) })
	w.At(3*ms, "restart", func() { w.Restart(a); w.Restart(a) })
	// Busy again, so that the resumption of the first incarnation would be heard.
	tell(w, 4*ms, a, func(env *Env) {
		env.Busy(10 * ms)
		env.Send(b, "second life")
	})
	w.Run(time.Second)
	require.Equal(t, []Message{"second life"}, in.got)
	require.Equal(t, []time.Duration{14 * ms}, in.when)
}

func TestMessagesInFlightMeetTheNodeThatIsThere(t *testing.T) {
	w := New(Config{Link: Link{Latency: Constant(10 * ms)}})
	var lives []*ledger
	a := w.AddNode("a", func(NodeID, *Disk) Node {
		lives = append(lives, &ledger{})
		return lives[len(lives)-1]
	})
	b := add(w, "b", doer{})
	w.At(5*ms, "crash", func() { w.Crash(a, KeepAll) })
	w.At(15*ms, "restart", func() { w.Restart(a) })
	burst(w, 0, b, a, 2)    // arrive while a is down
	burst(w, 6*ms, b, a, 3) // arrive in its second life
	w.Run(12 * ms)
	require.Nil(t, w.Node(a))
	w.Run(time.Second)
	require.Same(t, lives[1], w.Node(a))
	require.Empty(t, lives[0].got)
	require.Len(t, lives[1].got, 3)
	require.EqualValues(t, 2, w.Traffic(Pair{b, a}).Dropped[NodeDown])
}

func TestCrashAfterSends(t *testing.T) {
	for n, want := range map[int][]Message{0: nil, 1: {0}, 2: {0, 1}, 3: {0, 1, 2}} {
		w, a, b, boots, in := ledgerWorld(nil)
		w.CrashAfterSends(a, n)
		tell(w, ms, a, func(env *Env) {
			write(env)
			for i := range 4 {
				env.After(time.Duration(i), func(env *Env) { env.Send(b, "timer") })
				env.Send(b, i)
			}
			env.Append("never written")
		})
		w.At(2*ms, "restart", func() { w.Restart(a) })
		tell(w, 3*ms, a, func(env *Env) { env.Append("alive"); env.Send(b, 9) })
		w.Run(time.Second)
		require.Equal(t, append(want, 9), in.got)
		require.Equal(t, []string{"0s []", "2ms [synced]"}, *boots)
	}
}

func TestCrashAfterSendsCountsAcrossSteps(t *testing.T) {
	w, a, b, boots, in := ledgerWorld(nil)
	w.CrashAfterSends(a, 3)
	burst(w, ms, a, b, 2)
	burst(w, 2*ms, a, b, 2)
	w.Run(3 * ms)
	require.Equal(t, []Message{0, 1, 0}, in.got)
	require.Nil(t, w.Node(a))

	w.CrashAfterSends(a, 0) // of a node that is down: nothing
	w.Restart(a)
	callOff := w.CrashAfterSends(a, 0)
	require.False(t, callOff())
	burst(w, 4*ms, a, b, 2)
	w.Run(5 * ms)
	require.Len(t, in.got, 5)
	require.Len(t, *boots, 2)
}

// One that is called off leaves the others as they are.
func TestCrashesAfterSendsAreOverlays(t *testing.T) {
	w, a, b, _, in := ledgerWorld(nil)
	late, soon := w.CrashAfterSends(a, 5), w.CrashAfterSends(a, 2)
	burst(w, 0, a, b, 1)
	w.Run(ms)
	require.False(t, soon())
	burst(w, ms, a, b, 9)
	w.Run(time.Second)
	require.Len(t, in.got, 5)
	require.True(t, late())
	require.Nil(t, w.Node(a))
	require.Empty(t, w.hosts[a].traps)
}

func TestCrashAfterSendsWithinDrainedInbox(t *testing.T) {
	w, a, b, _, in := ledgerWorld(nil)
	tell(w, 0, a, func(env *Env) { env.Busy(5 * ms) })
	for i := range 4 {
		burst(w, ms+time.Duration(i), a, b, 1)
	}
	w.CrashAfterSends(a, 2)
	w.Run(time.Second)
	require.Len(t, in.got, 2)
	require.Nil(t, w.Node(a))
	require.Empty(t, w.hosts[a].inbox)
}

func TestInboxKeepsOrderWhileBusy(t *testing.T) {
	w, a, b, _, in := ledgerWorld(nil)
	work := func(i int) func(*Env) {
		return func(env *Env) {
			env.Busy(3 * ms)
			env.Send(b, i)
		}
	}
	for i := range 5 {
		tell(w, time.Duration(i)*ms, a, work(i))
	}
	w.Run(time.Second)
	require.Equal(t, []Message{0, 1, 2, 3, 4}, in.got)
	require.Equal(t, []time.Duration{3 * ms, 6 * ms, 9 * ms, 12 * ms, 15 * ms}, in.when)
}

// What a node does after a restart depends on when it was, not on the crashes
// before; and two boots at one moment are two boots.
func TestIdentityOfABoot(t *testing.T) {
	boots := func(times ...time.Duration) (ids []uint64) {
		w, a, _, _, _ := ledgerWorld(func(env *Env) { ids = append(ids, env.cause) })
		for _, at := range times {
			w.At(at, "reboot", func() { w.Crash(a, KeepAll); w.Restart(a) })
		}
		w.Run(time.Second)
		return ids
	}
	all, fewer := boots(0, 0, ms, 2*ms, 2*ms), boots(2*ms)
	require.Equal(t, all[4], fewer[1])
	require.Equal(t, all[0], fewer[0])
	seen := map[uint64]bool{}
	for _, id := range all {
		seen[id] = true
	}
	require.Len(t, seen, 6)
}
