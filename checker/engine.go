package checker

import (
	"fmt"
	"strings"
)

// Engine names an algorithm that decides linearizability. All of them are
// exact.
type Engine uint8

const (
	// Auto takes for each key the first of the others that applies to it.
	Auto Engine = iota
	// Zones compares intervals (Gibbons and Korach 1997). It applies to reads
	// and writes of a register in which no value is written twice, and takes
	// nearly linear time.
	Zones
	// Blocks does the same with compare-and-sets, which must tell what they saw
	// if they failed: it links the values that they replaced.
	Blocks
	// Greedy applies to deletes and to compare-and-sets of nothing as well: it
	// puts blocks in order one after the other, and never has to go back.
	Greedy
	// Window searches for an order of any operations on a register, and
	// remembers where it has been by what is new (Wing and Gong 1993, Lowe
	// 2017).
	Window
	// Porcupine searches for an order. It applies to everything.
	Porcupine
	engines
)

var engineNames = [engines]string{"auto", "zones", "blocks", "greedy", "window", "porcupine"}

// String returns the name of the engine in small letters.
func (e Engine) String() string {
	if e < engines {
		return engineNames[e]
	}
	return fmt.Sprintf("engine(%d)", uint8(e))
}

// ParseEngine returns the engine that String prints as s.
func ParseEngine(s string) (Engine, error) {
	for e := range engines {
		if engineNames[e] == s {
			return e, nil
		}
	}
	return 0, fmt.Errorf("no engine %q, expected %s", s, strings.Join(EngineNames(), ", "))
}

// EngineNames returns the names that ParseEngine knows.
func EngineNames() []string { return engineNames[:] }
