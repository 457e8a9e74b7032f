package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// replayCommand is what pages and messages tell people to type.
func replayCommand(file string) string { return called() + " replay " + quoted(file) }

// calledAnywhere returns how to call this program from any directory: one that was called by
// a relative path, or out of its sources, goes by its name.
func calledAnywhere() string { return fromAnywhere(os.Args[0], called()) }

// fromAnywhere is calledAnywhere for a program of this name that is called so from here.
func fromAnywhere(program, here string) string {
	program = filepath.ToSlash(program)
	if here == fromSources || strings.Contains(program, "/") && !filepath.IsAbs(program) {
		return "check"
	}
	return here
}

// fromSources is how to call the program in the root of its module.
const fromSources = "go run ./cmd/check"

// called returns how to call this program again in the way in which it was called.
func called() string {
	module := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		module = info.Main.Version
	}
	_, err := os.Stat("cmd/check/called.go")
	return calledAs(os.Args[0], module, err == nil)
}

// calledAs is called for a program of this name, from this version of the module, in
// its sources or elsewhere.
func calledAs(program, module string, inSources bool) string {
	const path = "github.com/rashomon-go/rashomon/cmd/check"
	switch {
	case !builtByGoRun(filepath.ToSlash(program)):
		return quoted(program)
	case inSources:
		return fromSources
	case strings.HasPrefix(module, "v"):
		return "go run " + path + "@" + module
	}
	return "go run " + path
}

// cached is where go run keeps the programs that it has built before.
var cached = regexp.MustCompile(`/[0-9a-f]{64}-d/[^/]*$`)

// builtByGoRun knows the places where go run puts programs: go run itself does not tell.
func builtByGoRun(program string) bool {
	return cached.MatchString(program) || strings.Contains(program, "/go-build") && strings.Contains(program, "/b001/exe/")
}
