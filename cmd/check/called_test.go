package main

import (
	"path/filepath"
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

// Who reads a page does not stand where the program was called.
func TestFromAnywhere(t *testing.T) {
	for _, c := range []struct{ program, here, want string }{
		{"check", "check", "check"},
		{"./check", "./check", "check"},
		{"../bin/check", "../bin/check", "check"},
		{"/opt/bin/check", "/opt/bin/check", "/opt/bin/check"},
		{"/tmp/go-build3362/b001/exe/check", "go run ./cmd/check", "check"},
		{"/tmp/go-build3362/b001/exe/check", "go run github.com/rashomon-go/rashomon/cmd/check@v1.2.3", "go run github.com/rashomon-go/rashomon/cmd/check@v1.2.3"},
	} {
		if filepath.IsAbs(c.program) == strings.HasPrefix(c.program, "/") { // not on Windows
			assert.Equal(t, c.want, fromAnywhere(c.program, c.here), c)
		}
	}
	assert.Equal(t, "..", fromSite("bugs/site", "bugs"))
	assert.Equal(t, "../nightly", fromSite("public", "nightly"))
	assert.Equal(t, "../my finds", fromSite("./a/../public", "my finds"))
}
