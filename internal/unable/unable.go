// Package unable is for tests that cannot do their work on every machine.
package unable

import (
	"os"
	"testing"
)

// Skip skips a test that lacks something here. On a machine of continuous integration
// (CI=true), which has all that tests can use, it fails: what never runs proves nothing.
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format+"; where CI=true nothing may be lacking", args...)
	}
	t.Skipf(format, args...)
}
