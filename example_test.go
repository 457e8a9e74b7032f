package rashomon_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// A register of your own, on three nodes. A write is passed on to the other nodes,
// but nobody waits until it is there.

type (
	get struct{ Key string }
	put struct {
		Key   string
		Value model.Value
	}
	passed struct{ put }
	answer struct{ Value model.Value }
)

type lazyRegister struct {
	cluster *rashomon.Cluster
	values  map[string]model.Value
}

func (r *lazyRegister) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case put:
		r.values[m.Key] = m.Value
		for _, node := range r.cluster.Nodes {
			if node != env.Self() {
				env.Send(node, passed{m})
			}
		}
		env.Reply(from, answer{m.Value})
	case passed:
		r.values[m.Key] = m.Value
	case get:
		value, found := r.values[m.Key]
		if !found {
			value = model.Absent
		}
		env.Reply(from, answer{value})
	}
}

var lazySystem = &rashomon.System{
	Name:   "lazy-register",
	Claims: []rashomon.Claim{{Reads: "any", Property: rashomon.Linearizable}},
	Boot: func(c *rashomon.Cluster, _ int) sim.Boot {
		return func(sim.NodeID, *sim.Disk) sim.Node {
			return &lazyRegister{c, map[string]model.Value{}}
		}
	},
	Client: func(c *rashomon.Cluster) rashomon.Client {
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			var request sim.Message = get{op.Key}
			if op.Kind == model.Write {
				request = put{op.Key, op.Value}
			}
			reply, err := p.Call(c.Nodes[op.Node], request, op.Timeout)
			if err != nil {
				return rashomon.NotKnown()
			}
			return rashomon.Got(reply.(answer).Value)
		}
	},
}

// In a test of your own, this is all:
//
//	func TestLinearizable(t *testing.T) { rashomon.Check(t, lazySystem) }
func Example() {
	claim := lazySystem.Claims[0]
	for seed := range uint64(100) {
		scenario := rashomon.FromSeed(seed, lazySystem, claim, 0)
		result, err := rashomon.Run(lazySystem, scenario, rashomon.Options{})
		if err != nil {
			fmt.Println(err)
			return
		}
		if result.Verdict != checker.Invalid {
			continue
		}
		shrunk, err := rashomon.Shrink(lazySystem, scenario, rashomon.ShrinkOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		scenario, result = shrunk.Scenario, shrunk.Result
		fmt.Println(result.Verdict, "-", result.Anomaly)
		for _, i := range result.Witness {
			fmt.Println(result.DescribeOp(i))
		}
		fmt.Println(len(scenario.Operations), "operations, and", scenario.Faults)
		return
	}
	// Output:
	// invalid - stale-read
	// c0 write k0=1 (29ms..29ms)
	// c1 read k0 -> nil (30ms..30ms)
	// 2 operations, and 29ms..30ms delay n2 -> n0 by 1ms
}

// Check fails for such a register, and its report has everything that it takes to
// understand the failure and to see it again.
func TestExampleIsCaught(t *testing.T) {
	rec := &recordingTB{name: t.Name()}
	t.Setenv("RASHOMON_OUT", t.TempDir())
	rashomon.Check(rec, lazySystem)
	assert.Contains(t, rec.fatal, "lazy-register is not linearizable with reads at any: ")
	assert.Regexp(t, `digest: +[0-9a-f]{16}\n`, rec.fatal)
	assert.Contains(t, rec.fatal, "go test -run '^TestExampleIsCaught$'")
	page := regexp.MustCompile(`page: +(\S+)`).FindStringSubmatch(rec.fatal)
	require.NotNil(t, page)
	assert.FileExists(t, page[1])

	// The scenario that was written fails again, in the same way.
	file := regexp.MustCompile(`scenario: +(\S+)`).FindStringSubmatch(rec.fatal)
	require.NotNil(t, file)
	t.Setenv("RASHOMON_REPLAY", file[1])
	again := &recordingTB{name: t.Name()}
	rashomon.Check(again, lazySystem)
	assert.True(t, strings.HasPrefix(rec.fatal, again.fatal), again.fatal)
	assert.Contains(t, again.log, "replayed bit for bit")
}

// recordingTB takes down what Check reports.
type recordingTB struct{ name, log, errors, fatal string }

func (r *recordingTB) Helper()      {}
func (r *recordingTB) Name() string { return r.name }
func (r *recordingTB) Logf(format string, args ...any) {
	r.log += fmt.Sprintf(format, args...) + "\n"
}
func (r *recordingTB) Errorf(format string, args ...any) {
	r.errors += fmt.Sprintf(format, args...) + "\n"
}
func (r *recordingTB) Fatalf(format string, args ...any) { r.fatal = fmt.Sprintf(format, args...) }
