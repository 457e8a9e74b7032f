package checker

import "fmt"

// Verdict is what a check has to say about a history. The zero Verdict is
// Unknown: who has not checked does not know.
type Verdict uint8

const (
	Unknown Verdict = iota // could not be decided, or nothing was exercised
	Valid                  // the history keeps the claim
	Invalid                // it does not, and there is a witness
)

// String returns valid, invalid or unknown.
func (v Verdict) String() string {
	switch v {
	case Unknown:
		return "unknown"
	case Valid:
		return "valid"
	case Invalid:
		return "invalid"
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// And returns the verdict on two claims together: invalid if one of them is
// broken, else unknown if one of them is not decided, else valid.
func (v Verdict) And(w Verdict) Verdict {
	switch {
	case v == Invalid || w == Invalid:
		return Invalid
	case v == Valid && w == Valid:
		return Valid
	}
	return Unknown
}
