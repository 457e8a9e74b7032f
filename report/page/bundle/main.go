// Command bundle makes one script of the page's TypeScript:
//
//	bundle ENTRY OUT
//
// With -check it writes nothing, and fails if OUT is not what it would write.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	check := flag.Bool("check", false, "only compare")
	flag.Parse()
	if flag.NArg() != 2 {
		fail("bundle [-check] ENTRY OUT")
	}
	script, err := bundled(flag.Arg(0))
	if err != nil {
		fail(err)
	}
	out := flag.Arg(1)
	if !*check {
		if err := os.WriteFile(out, script, 0o644); err != nil {
			fail(err)
		}
		return
	}
	if old, err := os.ReadFile(out); err != nil {
		fail(err)
	} else if !bytes.Equal(old, script) {
		fail(out + " is not what its sources give: run go generate ./report")
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, "bundle:", why)
	os.Exit(1)
}

func bundled(entry string) ([]byte, error) {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{entry},
		Bundle:      true,
		Format:      api.FormatIIFE,
		Target:      api.ES2020,
		Charset:     api.CharsetUTF8,
		// The names stay, so that an error in a browser can be read.
		MinifyWhitespace: true,
		MinifySyntax:     true,
		LegalComments:    api.LegalCommentsNone,
		LogLevel:         api.LogLevelInfo,
	})
	if len(result.Errors) > 0 {
		return nil, fmt.Errorf("%s: %s", entry, result.Errors[0].Text)
	}
	return result.OutputFiles[0].Contents, nil
}
