package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

// unversioned is what a build calls itself that cannot say which code is in it: go
// run stamps nothing, and a tree with changes may hold anything.
const unversioned = "unversioned build"

// version returns the commit that the program was built from, or the module's
// version, or unversioned.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unversioned
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	stamps := stampsOf(info)
	if stamps["vcs.modified"] == "true" {
		return unversioned
	}
	revision := stamps["vcs.revision"]
	name := cmp.Or(revision[:min(12, len(revision))], info.Main.Version)
	if !versioned(name) {
		return unversioned
	}
	return name
}

// stampsOf returns what the build was told, by key.
func stampsOf(info *debug.BuildInfo) map[string]string {
	stamps := map[string]string{}
	for _, s := range info.Settings {
		stamps[s.Key] = s.Value
	}
	return stamps
}

// versioned says whether a name tells which code a program was built from. Files
// may carry names of older builds, and those of a changed tree.
func versioned(name string) bool {
	switch name {
	case "", unversioned, "(devel)", "unknown":
		return false
	}
	return !strings.HasSuffix(name, "+changes") && !strings.HasSuffix(name, "+dirty")
}

// build names the program: by its version, or by what is in its file if it has none.
func build() string {
	v := version()
	if v != unversioned {
		return v
	}
	name, err := os.Executable()
	if err != nil {
		return v
	}
	f, err := os.Open(name)
	if err != nil {
		return v
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return v
	}
	return v + " " + hex.EncodeToString(h.Sum(nil)[:6])
}
