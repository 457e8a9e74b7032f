package checker

import "fmt"

// Engine names an algorithm that decides linearizability. All of them are
// exact.
type Engine uint8

const (
	// Auto takes Zones where it applies, and Porcupine elsewhere.
	Auto Engine = iota
	// Zones compares intervals (Gibbons and Korach 1997). It applies to reads
	// and writes of a register in which no value is written twice, and takes
	// nearly linear time.
	Zones
	// Porcupine searches for an order (Wing and Gong 1993, Lowe 2017). It
	// applies to everything.
	Porcupine
	engines
)

var engineNames = [engines]string{"auto", "zones", "porcupine"}

// String returns auto, zones or porcupine.
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
	return 0, fmt.Errorf("no engine %q, expected auto, zones or porcupine", s)
}
