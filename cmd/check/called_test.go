package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// People are told to type what they have typed.
func TestCalled(t *testing.T) {
	built, kept := "/tmp/go-build3362/b001/exe/check", "/var/cache/go-build/23/"+strings.Repeat("2f", 32)+"-d/check"
	for _, c := range []struct {
		program, module string
		inSources       bool
		want            string
	}{
		{"check", "v1.2.3", false, "check"},
		{"check", "(devel)", true, "check"},
		{"./check", "", true, "./check"},
		{"/opt/my go/bin/check", "v1.2.3", false, "'/opt/my go/bin/check'"},
		{built, "(devel)", true, "go run ./cmd/check"},
		{kept, "(devel)", true, "go run ./cmd/check"},
		{kept, "", false, "go run github.com/rashomon-go/rashomon/cmd/check"},
		{built, "v1.2.3", false, "go run github.com/rashomon-go/rashomon/cmd/check@v1.2.3"},
	} {
		assert.Equal(t, c.want, calledAs(c.program, c.module, c.inSources), c)
	}
}
