package workload_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/workload"
)

// zero makes the simplest choice, always.
type zero struct{}

func (zero) IntN(int) int { return 0 }

func seeded(seed uint64) *sim.Draws {
	d := sim.NewDraws(seed)
	return &d
}

// choices lets rapid draw.
type choices struct{ t *rapid.T }

func (c choices) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(c.t, "choice") }

// Example shows two phases: clients that come and go, of which a few keys are hot,
// and then a burst of reads at random times.
func Example() {
	ops := workload.Generate(seeded(1), 3,
		workload.Workload{
			Operations: 5,
			Clients:    workload.Clients{Count: 2, Stay: 2, Every: 20 * time.Millisecond, Lifetime: 2},
			Think:      2 * time.Millisecond,
			Keys:       workload.HotSpot{Count: 100, Hot: 2, Percent: 90},
			Mix:        workload.Mix{{model.Read, 50}, {model.Write, 40}, {model.CAS, 10}},
		},
		workload.Workload{
			Operations: 4,
			Start:      100 * time.Millisecond,
			Open: &workload.Open{
				Rates:   workload.Spike(10, 1000, 50*time.Millisecond, 10*time.Millisecond, 50*time.Millisecond),
				Poisson: true, Longest: time.Second,
			},
			Keys:     workload.NewZipf(10),
			Mix:      workload.Mix{{model.Read, 1}},
			Timeouts: workload.Timeouts{Choices: []time.Duration{0, 5 * time.Millisecond}, PerOperation: true},
		})
	for _, op := range ops {
		fmt.Println(op)
	}
	// Output:
	// 1 c0 read k0 at n2 after 1ms
	// 2 c1 read k0 at n0 after 4ms at 20ms
	// 3 c0 cas k1=seen->3 at n2 after 1ms
	// 4 c1 read k1 at n0 after 2ms
	// 5 c2 read k0 at n1 after 4ms at 40ms
	// 6 c3 read k1 at n0 at 151.59ms
	// 7 c4 read k1 at n1 at 151.99ms timeout 5ms
	// 8 c5 read k0 at n2 at 152.31ms
	// 9 c6 read k0 at n0 at 152.98ms
}

// drawWorkload draws a workload, sane or not.
func drawWorkload(t *rapid.T) workload.Workload {
	small := rapid.IntRange(-1, 9)
	ms := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(0, 50_000).Draw(t, "µs")) * time.Microsecond
	})
	w := workload.Workload{
		Operations: rapid.IntRange(-1, 60).Draw(t, "operations"), Start: ms.Draw(t, "start"), Think: ms.Draw(t, "think"),
		Clients: workload.Clients{
			Count: small.Draw(t, "count"), Stay: small.Draw(t, "stay"), Every: ms.Draw(t, "every"), Lifetime: small.Draw(t, "lifetime"),
		},
		Timeouts: workload.Timeouts{Choices: rapid.SliceOfN(ms, 0, 3).Draw(t, "timeouts"), PerOperation: rapid.Bool().Draw(t, "per operation")},
	}
	switch rapid.IntRange(0, 3).Draw(t, "keys") {
	case 1:
		w.Keys = workload.Uniform(small.Draw(t, "uniform"))
	case 2:
		w.Keys = workload.NewZipf(small.Draw(t, "zipf"))
	case 3:
		w.Keys = workload.HotSpot{Count: small.Draw(t, "keys"), Hot: small.Draw(t, "hot"), Percent: rapid.IntRange(-1, 101).Draw(t, "percent"), Move: small.Draw(t, "move")}
	}
	for range rapid.IntRange(0, 3).Draw(t, "kinds") {
		kind := rapid.SampledFrom([]model.Kind{model.Read, model.Write, model.CAS, model.Delete, model.Add}).Draw(t, "kind")
		w.Mix = append(w.Mix, workload.Share{Kind: kind, Weight: small.Draw(t, "weight")})
	}
	if rapid.Bool().Draw(t, "open") {
		w.Open = &workload.Open{Poisson: rapid.Bool().Draw(t, "poisson"), Longest: ms.Draw(t, "longest")}
		for range rapid.IntRange(0, 4).Draw(t, "rates") {
			w.Open.Rates = append(w.Open.Rates, workload.Rate{
				For: ms.Draw(t, "for"), From: rapid.IntRange(-1, 2_000_000).Draw(t, "from"), To: rapid.IntRange(-1, 5000).Draw(t, "to"),
			})
		}
	}
	return w
}

// What is generated is a scenario's list of operations: numbered from 1, unique
// values, places that exist, and lines that read back. An open loop never gives a
// client something to do while it may be busy.
func TestGenerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := rapid.IntRange(1, 7).Draw(t, "nodes")
		phases := rapid.SliceOfN(rapid.Custom(drawWorkload), 0, 3).Draw(t, "phases")
		ops := workload.Generate(choices{t}, nodes, phases...)
		most := 0
		for _, p := range phases {
			most += max(p.Operations, 0)
		}
		require.LessOrEqual(t, len(ops), most)
		for i, op := range ops {
			require.EqualValues(t, i+1, op.ID)
			require.True(t, op.Client >= 0 && op.Client < workload.MaxClients && op.Node >= 0 && op.Node < nodes, "%v", op)
			require.True(t, op.Start >= 0 && op.Think >= 0 && op.Timeout >= 0, "%v", op)
			if op.Kind == model.Write || op.Kind == model.CAS || op.Kind == model.Add {
				require.EqualValues(t, op.ID, op.Value)
			}
			read, err := workload.ParseOperation(op.String())
			require.NoError(t, err)
			require.Equal(t, op, read)
		}
		if len(phases) == 1 && phases[0].Open != nil {
			free := map[int]time.Duration{}
			for _, op := range ops {
				until, busy := free[op.Client]
				require.False(t, busy && op.Start <= until, "%v, busy until %v", op, until)
				free[op.Client] = op.Start + phases[0].Open.Longest
			}
		}
	})
}

// The simplest choices make the simplest operations.
func TestZeroIsSimplest(t *testing.T) {
	for _, op := range workload.Generate(zero{}, 3, workload.Workload{
		Operations: 20, Clients: workload.Clients{Count: 1, Stay: 1}, Think: time.Second,
		Keys: workload.HotSpot{Count: 5, Hot: 2, Percent: 50}, Mix: workload.Mix{{model.Read, 1}, {model.Delete, 9}},
		Open:     &workload.Open{Poisson: true, Rates: []workload.Rate{workload.Steady(5, time.Minute)}},
		Timeouts: workload.Timeouts{Choices: []time.Duration{0, 1}},
	}) {
		assert.Equal(t, workload.Operation{ID: op.ID, Client: op.Client, Kind: model.Read, Key: "k0", Node: 0}, op)
	}
}

// starts returns when the operations of an open loop begin.
func starts(seed uint64, o workload.Open) (at []time.Duration) {
	for _, op := range workload.Generate(seeded(seed), 1, workload.Workload{Operations: 1_000_000, Open: &o}) {
		at = append(at, op.Start)
	}
	return at
}

// Constant rates are even to the grain, and ramps and spikes have the number of
// arrivals that the area under them says.
func TestConstantRates(t *testing.T) {
	at := starts(0, workload.Open{Rates: []workload.Rate{workload.Steady(200, time.Second)}})
	require.Len(t, at, 200)
	for i, a := range at {
		assert.Equal(t, time.Duration(i)*5*time.Millisecond, a)
	}
	at = starts(0, workload.Open{Rates: []workload.Rate{{time.Second, 0, 1000}, workload.Steady(0, time.Second), {time.Second, 1000, 0}}})
	assert.InDelta(t, 1000, len(at), 1)
	quarters := make([]int, 12)
	for _, a := range at {
		quarters[a/(250*time.Millisecond)]++
	}
	for i, want := range []int{31, 94, 156, 219, 0, 0, 0, 0, 219, 156, 94, 31} {
		assert.InDelta(t, want, quarters[i], 1, "quarter %d", i)
	}
	at = starts(0, workload.Open{Rates: workload.Spike(10, 1000, time.Second, 100*time.Millisecond, time.Second)})
	assert.InDelta(t, 120, len(at), 1)
}

// A Poisson process has exponential gaps: mean, variance, and the shares beyond one
// and beyond three means; and its counts in windows have the variance of their mean.
func TestPoisson(t *testing.T) {
	at := starts(3, workload.Open{Poisson: true, Rates: []workload.Rate{workload.Steady(100, 1000*time.Second)}})
	n := float64(len(at))
	assert.InDelta(t, 100_000, n, 4*math.Sqrt(100_000))
	sum, squares, beyond1, beyond3 := 0.0, 0.0, 0.0, 0.0
	for i := 1; i < len(at); i++ {
		gap := float64(at[i]-at[i-1]) / float64(10*time.Millisecond)
		sum += gap
		squares += gap * gap
		if gap > 1 {
			beyond1++
		}
		if gap > 3 {
			beyond3++
		}
	}
	assert.InDelta(t, 1, sum/n, 0.02)
	assert.InDelta(t, 2, squares/n, 0.08)
	assert.InDelta(t, math.Exp(-1), beyond1/n, 0.006)
	assert.InDelta(t, math.Exp(-3), beyond3/n, 0.003)
	counts := make([]float64, 1000)
	for _, a := range at {
		counts[a/time.Second]++
	}
	variance := 0.0
	for _, c := range counts {
		variance += (c - 100) * (c - 100) / 1000
	}
	assert.InDelta(t, 100, variance, 20)
}

// shares returns how often each key is drawn.
func shares(keys workload.Keys, from, to int) map[int]float64 {
	src, s := seeded(9), map[int]float64{}
	for i := from; i < to; i++ {
		s[keys.Key(src, i)] += 1 / float64(to-from)
	}
	return s
}

func TestKeys(t *testing.T) {
	const n, within = 100_000, 0.01
	for k, share := range shares(workload.Uniform(4), 0, n) {
		assert.InDelta(t, 0.25, share, within, "key %d", k)
	}
	zipf := shares(workload.NewZipf(4), 0, n)
	for k := range 4 {
		assert.InDelta(t, 12.0/25/float64(k+1), zipf[k], within, "key %d", k)
	}
	hot := shares(workload.HotSpot{Count: 10, Hot: 2, Percent: 80}, 0, n)
	assert.InDelta(t, 0.42, hot[0], within)
	assert.InDelta(t, 0.42, hot[1], within)
	assert.InDelta(t, 0.02, hot[2], within)
	moving := workload.HotSpot{Count: 3, Hot: 2, Percent: 100, Move: n}
	assert.InDelta(t, 0.5, shares(moving, n, 2*n)[0], within)
	assert.InDelta(t, 0.5, shares(moving, n, 2*n)[2], within)
}

// Clients stay, roam, come and leave as they are told.
func TestClients(t *testing.T) {
	ops := workload.Generate(seeded(1), 3, workload.Workload{
		Operations: 60, Clients: workload.Clients{Count: 4, Stay: 3, Every: 10 * time.Millisecond, Lifetime: 6},
	})
	perClient := map[int][]workload.Operation{}
	for _, op := range ops {
		perClient[op.Client] = append(perClient[op.Client], op)
	}
	assert.Len(t, perClient, 12)
	for c, ops := range perClient {
		assert.Equal(t, time.Duration(c)*10*time.Millisecond, ops[0].Start, "client %d", c)
		assert.LessOrEqual(t, len(ops), 6)
		for i, op := range ops {
			assert.Equal(t, ops[i/3*3].Node, op.Node, "%v", op)
			assert.True(t, i == 0 || op.Start == 0, "%v", op)
		}
	}
	for _, op := range workload.Generate(seeded(1), 3, workload.Workload{Operations: 60, Clients: workload.Clients{Count: 7}}) {
		assert.Equal(t, op.Client%3, op.Node, "%v", op)
	}
	nobodyLeaves := workload.Generate(seeded(1), 3, workload.Workload{Operations: 3 * workload.MaxClients, Clients: workload.Clients{Lifetime: 1}})
	assert.Equal(t, workload.MaxClients-1, nobodyLeaves[len(nobodyLeaves)-1].Client)
}

// A mix has the shares of its weights; timeouts belong to clients or to operations.
func TestMixAndTimeouts(t *testing.T) {
	w := workload.Workload{
		Operations: 20_000, Clients: workload.Clients{Count: 10},
		Mix:      workload.Mix{{model.Read, 5}, {model.Write, 3}, {model.CAS, 2}},
		Timeouts: workload.Timeouts{Choices: []time.Duration{0, 7, 9}},
	}
	of := map[model.Kind]float64{}
	byClient := map[int]time.Duration{}
	for _, op := range workload.Generate(seeded(2), 3, w) {
		of[op.Kind] += 1.0 / 20_000
		if first, known := byClient[op.Client]; known {
			assert.Equal(t, first, op.Timeout)
		}
		byClient[op.Client] = op.Timeout
	}
	assert.InDelta(t, 0.5, of[model.Read], 0.02)
	assert.InDelta(t, 0.3, of[model.Write], 0.02)
	assert.InDelta(t, 0.2, of[model.CAS], 0.02)
	w.Timeouts.PerOperation = true
	each := map[time.Duration]float64{}
	for _, op := range workload.Generate(seeded(2), 3, w) {
		each[op.Timeout] += 1.0 / 20_000
	}
	for d, share := range each {
		assert.InDelta(t, 1.0/3, share, 0.02, "%v", d)
	}
}
