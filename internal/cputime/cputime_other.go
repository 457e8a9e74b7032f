//go:build !unix

package cputime

import "time"

var began = time.Now()

// Used returns the time since the program began: here, the machine should not be
// busy with anything else.
func Used() time.Duration { return time.Since(began) }
