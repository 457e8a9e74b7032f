package checker

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

var histories = flag.Int("histories", 25_000, "random histories of each shape that are compared with the oracle")

func TestEnginesAgreeWithOracle(t *testing.T) {
	for name, c := range map[string]struct {
		shape  shape
		model  model.Model
		engine Engine
	}{
		"zones/wild":               {shape{keys: 1, unique: true, wild: true}, model.Register(), Zones},
		"zones/spoilt":             {shape{keys: 1, unique: true}, model.Register(), Zones},
		"zones/two keys":           {shape{keys: 2, unique: true}, model.CASRegister(), Zones},
		"blocks/wild":              {shape{keys: 1, cas: true, tells: true, unique: true, wild: true}, model.CASRegister(), Blocks},
		"blocks/spoilt":            {shape{keys: 1, cas: true, tells: true, unique: true}, model.CASRegister(), Blocks},
		"blocks/silent":            {shape{keys: 1, cas: true, unique: true}, model.CASRegister(), Blocks},
		"blocks/two keys":          {shape{keys: 2, cas: true, tells: true, unique: true}, model.CASRegister(), Blocks},
		"greedy/deletes":           {shape{keys: 1, deletes: true, unique: true}, model.Register(), Greedy},
		"greedy/deletes wild":      {shape{keys: 1, deletes: true, unique: true, wild: true}, model.Register(), Greedy},
		"greedy/cas":               {shape{keys: 1, cas: true, tells: true, unique: true}, model.CASRegister(), Greedy},
		"greedy/everything":        {shape{keys: 1, cas: true, tells: true, deletes: true, unique: true}, model.CASRegister(), Greedy},
		"greedy/everything wild":   {shape{keys: 1, cas: true, tells: true, deletes: true, unique: true, wild: true}, model.CASRegister(), Greedy},
		"greedy/two keys":          {shape{keys: 2, cas: true, tells: true, deletes: true, unique: true}, model.CASRegister(), Greedy},
		"window/register":          {shape{keys: 1, unique: true}, model.Register(), Window},
		"window/duplicates":        {shape{keys: 1, deletes: true}, model.Register(), Window},
		"window/duplicates wild":   {shape{keys: 1, wild: true}, model.Register(), Window},
		"window/everything":        {shape{keys: 2, cas: true, deletes: true}, model.CASRegister(), Window},
		"window/everything wild":   {shape{keys: 1, cas: true, deletes: true, wild: true}, model.CASRegister(), Window},
		"blocks/open":              {shape{keys: 1, cas: true, tells: true, unique: true, open: 3}, model.CASRegister(), Blocks},
		"greedy/open":              {shape{keys: 1, cas: true, tells: true, deletes: true, unique: true, open: 3}, model.CASRegister(), Greedy},
		"window/open":              {shape{keys: 1, cas: true, open: 3}, model.CASRegister(), Window},
		"window/unique":            {shape{keys: 1, cas: true, deletes: true, unique: true}, model.CASRegister(), Window},
		"porcupine/register":       {shape{keys: 1, unique: true}, model.Register(), Porcupine},
		"porcupine/delete":         {shape{keys: 1, deletes: true}, model.Register(), Porcupine},
		"porcupine/two keys":       {shape{keys: 2, deletes: true, wild: true}, model.Register(), Porcupine},
		"porcupine/cas":            {shape{keys: 1, cas: true, deletes: true}, model.CASRegister(), Porcupine},
		"porcupine/cas wild":       {shape{keys: 1, cas: true, wild: true}, model.CASRegister(), Porcupine},
		"porcupine/cas unique":     {shape{keys: 2, cas: true, unique: true}, model.CASRegister(), Porcupine},
		"auto/everything":          {shape{keys: 2, cas: true, deletes: true}, model.CASRegister(), Auto},
		"auto/duplicates":          {shape{keys: 2}, model.Register(), Auto},
		"auto/duplicates and wild": {shape{keys: 1, wild: true}, model.Register(), Auto},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, 2))
			count, judged, found := map[Verdict]int{}, map[Engine]int{}, map[Anomaly]int{}
			declined := 0
			for n := range *histories {
				h := c.shape.random(r)
				if n%4 == 0 {
					spread(h)
				}
				got, err := Linearizable(h, c.model, Options{Engine: c.engine})
				if errors.Is(err, ErrNotApplicable) {
					declined++
					continue
				}
				if err != nil {
					t.Fatalf("history %d: %v\n%s", n, err, show(h))
				}
				agree(t, n, h, c.model, got, count)
				found[got.Anomaly]++
				for _, k := range got.Keys {
					judged[k.Engine]++
				}
			}
			share := float64(count[Invalid]) / float64(count[Invalid]+count[Valid])
			t.Logf("%d valid, %d invalid (%.0f %%), %d unknown, %d declined; %v; judged by %v", count[Valid], count[Invalid], 100*share, count[Unknown], declined, found, judged)
			if share < 0.25 || share > 0.75 || count[Unknown] > *histories/20 {
				t.Errorf("the sample says little: %v", count)
			}
			if c.engine != Auto && len(judged) != 1 {
				t.Errorf("judged by %v, expected only %v", judged, c.engine)
			}
		})
	}
}

// agree compares a result with the oracle, and its witness with the oracle too.
func agree(t *testing.T, n int, h *history.History, m model.Model, got Result, count map[Verdict]int) {
	t.Helper()
	count[got.Verdict]++
	want := Invalid
	if oracle(h) {
		want = Valid
	}
	if !succeeded(h) {
		want = Unknown
	}
	if got.Verdict != want {
		t.Fatalf("history %d: %v, expected %v\n%s", n, got.Verdict, want, show(h))
	}
	if want != Invalid {
		if got.Witness != nil || got.Anomaly != NoAnomaly || got.Sentence != "" {
			t.Fatalf("history %d: a witness of a history that is %v", n, want)
		}
		return
	}
	alone := *h
	alone.Ops = nil
	for _, i := range got.Witness {
		alone.Ops = append(alone.Ops, h.Ops[i])
	}
	if oracle(&alone) || got.Anomaly == NoAnomaly || got.Sentence == "" {
		t.Fatalf("history %d: witness %v (%s) is not invalid\n%s", n, got.Witness, got.Sentence, show(h))
	}
	if again, err := Linearizable(&alone, m, Options{VerdictOnly: true}); err != nil || again.Verdict != Invalid {
		t.Fatalf("history %d: witness %v (%s) by itself: %v %v\n%s", n, got.Witness, got.Sentence, again, err, show(h))
	}
}

func succeeded(h *history.History) bool {
	for _, o := range h.Ops {
		if o.Outcome == history.OK {
			return true
		}
	}
	return false
}

func show(h *history.History) string {
	var b strings.Builder
	for i, o := range h.Ops {
		end := fmt.Sprint(o.Return)
		if o.Return == history.Never {
			end = "never"
		}
		fmt.Fprintf(&b, "%2d: %d..%s  %s\n", i, o.Call, end, h.OpString(i))
	}
	return b.String()
}

// Each rule left out of zones must make it disagree with the oracle. (A mutant
// that survives here would be one that no test can tell from the original.)
func TestOracleKillsMutantsOfZones(t *testing.T) {
	for name, omit := range map[string]rule{
		"never written": ruleNever, "from the future": ruleFuture,
		"two zones that last": ruleForward, "zone within a zone": ruleBackward,
		"initial value": ruleInitial,
	} {
		t.Run(name, func(t *testing.T) {
			if disagreements(omit) == 0 {
				t.Error("the mutant survived")
			}
		})
	}
	if n := disagreements(0); n != 0 {
		t.Errorf("the original disagrees %d times", n)
	}
	// An unread open write has first = Never, so it can come after everything
	// without the rule: leaving it out saves time and changes no verdict.
	if n := disagreements(ruleOpen); n != 0 {
		t.Errorf("keeping open writes that nobody read changes %d verdicts", n)
	}
}

func disagreements(omit rule) (n int) {
	r := rand.New(rand.NewPCG(3, 4))
	c := check{zones: zones{omit: omit}}
	for i := range 20_000 {
		h := shape{keys: 1, unique: true, wild: i%2 == 0}.random(r)
		if err := c.group(h); err != nil {
			panic(err)
		}
		if f, ok := c.zones.judge(h.Ops, c.part(0)); !ok || (f.verdict() == Valid) != oracle(h) {
			n++
		}
	}
	return n
}
