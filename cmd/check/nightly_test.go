//go:build !windows

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// workflow is as much of a workflow as nightly.yml needs.
type workflow struct {
	Jobs map[string]struct{ Steps []workflowStep }
}

type workflowStep struct {
	If, Run, Uses string
	With, Env     map[string]any
}

// night runs the steps of nightly.yml as GitHub would, on this machine: artifacts and
// the cache are directories, and gh is a script that writes down what it is told.
type night struct {
	t                *testing.T
	steps            workflow
	artifacts, cache string
	bin              string            // has gh
	expressions      map[string]string // what stands for each ${{ }}
	quicker          *strings.Replacer // of commands
}

var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

func (n *night) evaluate(text any) string {
	return expression.ReplaceAllStringFunc(fmt.Sprint(text), func(e string) string {
		value, known := n.expressions[expression.FindStringSubmatch(e)[1]]
		require.True(n.t, known, "%s has no value here", e)
		return value
	})
}

// job runs the steps of a job, and returns where it has worked, and what it printed.
func (n *night) job(name string) (dir, printed string, failed bool) {
	dir = n.t.TempDir()
	work := dir
	for _, s := range n.steps.Jobs[name].Steps {
		if failed && !strings.Contains(s.If, "!cancelled()") {
			continue
		}
		path := n.evaluate(s.With["path"])
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		switch action, _, _ := strings.Cut(s.Uses, "@"); action {
		case "":
			out, err := n.run(s, work, dir)
			printed, failed = printed+out, failed || err != nil
		case "actions/checkout":
			work = filepath.Join("..", "..")
		case "actions/setup-go":
		case "actions/upload-artifact":
			n.copy(path, filepath.Join(n.artifacts, n.evaluate(s.With["name"])))
		case "actions/download-artifact":
			from := n.artifacts
			if s.With["name"] != nil {
				from, path = filepath.Join(n.artifacts, n.evaluate(s.With["name"])), dir
			}
			n.copy(from, path)
		case "actions/cache/restore":
			n.copy(n.cache, path)
		case "actions/cache/save":
			n.copy(path, n.cache)
		default:
			n.t.Fatalf("%s is unknown here", s.Uses)
		}
	}
	return dir, printed, failed
}

func (n *night) run(s workflowStep, work, dir string) (string, error) {
	c := exec.CommandContext(n.t.Context(), "bash", "-e", "-c", n.quicker.Replace(s.Run))
	c.Dir = work
	c.Env = append(os.Environ(), "PATH="+n.bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary"), "RUNNER_TEMP="+n.expressions["runner.temp"], "GH_LOG="+filepath.Join(n.bin, "log"))
	for name, value := range s.Env {
		c.Env = append(c.Env, name+"="+n.evaluate(value))
	}
	out, err := c.CombinedOutput()
	return string(out), err
}

// copy copies what is in a directory, or a file into one, if it is there.
func (n *night) copy(from, to string) {
	info, err := os.Stat(from)
	if err != nil {
		return
	}
	require.NoError(n.t, os.RemoveAll(to))
	if info.IsDir() {
		require.NoError(n.t, os.CopyFS(to, os.DirFS(from)))
		return
	}
	require.NoError(n.t, os.MkdirAll(to, 0o755))
	content, err := os.ReadFile(from)
	require.NoError(n.t, err)
	require.NoError(n.t, os.WriteFile(filepath.Join(to, filepath.Base(from)), content, 0o644))
}

// gh writes down what it is asked. It knows of an issue if its list says so.
const gh = `#!/usr/bin/env bash
printf '%s|' "$@" >>"$GH_LOG"
echo >>"$GH_LOG"
case "$2" in
list) [ -f "$GH_LOG.known" ] && echo 1 || echo 0 ;;
create) cp issue.md "$GH_LOG.body" ;;
esac
`

// nightlyBug is what the nights find: a run in three does, or more.
const nightlyBug = "chain-ack-at-middle"

func newNight(t *testing.T) *night {
	text, err := os.ReadFile("../../.github/workflows/nightly.yml")
	require.NoError(t, err)
	n := &night{t: t, artifacts: t.TempDir(), cache: filepath.Join(t.TempDir(), "nightly"), bin: t.TempDir()}
	n.quicker = strings.NewReplacer("check fuzz --for", "check fuzz --bug "+nightlyBug+" --for", "check zoo", "check zoo --runs 5 --bug "+nightlyBug)
	require.NoError(t, yaml.Unmarshal(text, &n.steps))
	require.NoError(t, os.WriteFile(filepath.Join(n.bin, "gh"), []byte(gh), 0o755))
	n.expressions = map[string]string{
		"runner.temp": t.TempDir(), "strategy.job-total": "2", "inputs.for || '60m'": "1s", "inputs.mute": "", "inputs.reason": "",
		"github.run_number": "7", "github.run_id": "77", "github.token": "secret", "github.repository": "me/ours", "github.server_url": "https://example.org",
	}
	return n
}

// shards runs all jobs before the merge, and returns what the shards have printed.
func (n *night) shards() (printed string) {
	_, out, failed := n.job("build")
	require.False(n.t, failed, out)
	_, out, failed = n.job("zoo")
	require.False(n.t, failed, out)
	for _, n.expressions["matrix.shard"] = range []string{"1", "2"} {
		_, out, failed := n.job("shard")
		require.False(n.t, failed, out)
		printed += out
	}
	return printed
}

// The workflow finds a bug in two nights: the first one opens an issue; the second one
// runs the corpus, and knows of the issue.
func TestNightly(t *testing.T) {
	n := newNight(t)
	n.shards()
	dir, out, failed := n.job("merge")
	require.True(t, failed, "the bug was caught, which is no success: %s", out)
	assert.FileExists(t, filepath.Join(dir, "site", "index.html"))
	summary, err := os.ReadFile(filepath.Join(dir, "summary"))
	require.NoError(t, err)
	assert.Contains(t, string(summary), "Rashomon, campaign 1: invalid")
	issues, err := filepath.Glob(filepath.Join(n.artifacts, "site", "issue-*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, issues)
	id := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(issues[len(issues)-1]), "issue-"), ".md")
	log, err := os.ReadFile(filepath.Join(n.bin, "log"))
	require.NoError(t, err)
	assert.Contains(t, string(log), "issue|list|--state|all|--search|"+id+" in:title|--json|number|--jq|length|\n")
	assert.Contains(t, string(log), "issue|create|--title|Nightly: failure "+id+"|--body-file|issue.md|\n")
	body, err := os.ReadFile(filepath.Join(n.bin, "log.body"))
	require.NoError(t, err)
	assert.Contains(t, string(body), "    check replay run-"+id+".yaml\n")
	assert.Contains(t, string(body), "| Failures | ")
	assert.Contains(t, string(body), "https://example.org/me/ours/actions/runs/77 has the pages")

	// The cache has a corpus. Nobody writes a second issue.
	n.copy("../../systems/testdata/zoo/"+nightlyBug+".yaml", filepath.Join(n.cache, "corpus"))
	require.NoError(t, os.WriteFile(filepath.Join(n.bin, "log.known"), nil, 0o644))
	require.NoError(t, os.Remove(filepath.Join(n.bin, "log")))
	require.NoError(t, os.RemoveAll(n.artifacts))
	n.expressions["inputs.mute"], n.expressions["inputs.reason"] = id, `"; touch injected; $(touch injected)`
	assert.Equal(t, 2, strings.Count(n.shards(), "corpus: 1 scenario that once failed, 1 of them still"))
	dir, out, failed = n.job("merge")
	require.True(t, failed, out)
	assert.NoFileExists(t, filepath.Join(dir, "injected"))
	assert.NoFileExists(t, filepath.Join(dir, "site", "issue-"+id+".md"), "it was muted")
	summary, err = os.ReadFile(filepath.Join(dir, "summary"))
	require.NoError(t, err)
	assert.Contains(t, string(summary), "Rashomon, campaign 2: invalid")
	assert.Contains(t, string(summary), `muted: "; touch injected; $(touch injected)`)
	log, err = os.ReadFile(filepath.Join(n.bin, "log"))
	if err == nil { // other signatures may have been found
		assert.NotContains(t, string(log), "create")
	}
}
