package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/rashomon-go/rashomon/sim"
)

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // for people who read k0 -> 7
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func printJSONLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// quoted puts a path into quotes if a shell would take it apart.
func quoted(path string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c > 127 ||
			strings.ContainsRune("/._-+=:,@%", c) || c == '\\' && runtime.GOOS == "windows"
	}
	switch {
	case path != "" && strings.IndexFunc(path, func(c rune) bool { return !plain(c) }) < 0:
		return path
	case runtime.GOOS == "windows":
		return `"` + path + `"`
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// naming returns a function for the names of nodes, by number.
func naming(names []string) func(sim.NodeID) string {
	return func(id sim.NodeID) string {
		if id >= 0 && int(id) < len(names) {
			return names[id]
		}
		return fmt.Sprintf("node %d", id)
	}
}

// notWritten is the error of files that could not be written. Only what the files
// themselves refuse has to do with the flag that names them.
func notWritten(flag, name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("%s: %s: %w", flag, name, path.Err)
	case errors.As(err, &link):
		return fmt.Errorf("%s: %s: %w", flag, name, link.Err)
	}
	return fmt.Errorf("%s could not be written: %w", name, err)
}
