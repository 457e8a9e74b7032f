package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// provenance is what a program knows of where it comes from.
type provenance struct {
	Version  string `json:"version"` // what campaigns are marked with
	Module   string `json:"module,omitempty"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"` // of the revision
	Modified bool   `json:"modified"`       // the tree had changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// newProvenance tells of the program that runs.
func newProvenance() provenance {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	p := provenanceOf(info)
	p.Version = build()
	return p
}

func provenanceOf(info *debug.BuildInfo) provenance {
	stamps := stampsOf(info)
	return provenance{
		Version: versionOf(info), Module: info.Main.Version,
		Revision: stamps["vcs.revision"], Time: stamps["vcs.time"], Modified: stamps["vcs.modified"] == "true",
		Go: info.GoVersion, Platform: cmp.Or(stamps["GOOS"], runtime.GOOS) + "/" + cmp.Or(stamps["GOARCH"], runtime.GOARCH),
	}
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Tell which code the program was built from",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return printJSON(a.out, newProvenance())
			}
			return newProvenance().print(a.out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p provenance) print(w io.Writer) error {
	module, revision := cmp.Or(p.Module, "unknown"), cmp.Or(p.Revision, "unknown")
	if p.Time != "" {
		revision += " of " + p.Time
	}
	if p.Modified {
		revision += ", with changes"
	}
	_, err := fmt.Fprintf(w, "check version %s\nmodule:   %s\nrevision: %s\ngo:       %s %s\n", p.Version, module, revision, p.Go, p.Platform)
	return err
}
