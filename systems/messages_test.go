package systems_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// Faults may name the types of messages that a system lists. Those are all that it
// sends, and none that nobody sends.
func TestMessagesAreThoseThatAreSent(t *testing.T) {
	const runs = 60
	sentByAny := map[string]bool{}
	for _, s := range systems.All() {
		note := func(e sim.Event) {
			if e.Kind == sim.Sent {
				name := sim.MessageName(e.Message)
				require.Contains(t, s.Messages, name, s.Name)
				sentByAny[name] = true
			}
		}
		for seed := range uint64(runs) {
			sc := rashomon.FromSeed(seed, s, s.Claims[int(seed)%len(s.Claims)], 0)
			_, err := rashomon.Run(s, sc, rashomon.Options{Trace: note})
			require.NoError(t, err)
		}
	}
	for _, s := range systems.All() {
		for _, name := range s.Messages {
			assert.True(t, sentByAny[name], "%s: nobody sends %s", s.Name, name)
		}
	}
}
