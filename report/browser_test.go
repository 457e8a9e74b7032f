package report

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser returns the browser that RASHOMON_BROWSER names, or a chromium of this
// machine.
func browser(t *testing.T) string {
	if b := os.Getenv("RASHOMON_BROWSER"); b != "" {
		return b
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no browser: set RASHOMON_BROWSER, or apt-get install -y chromium")
	return ""
}

// loaded returns the document that a browser has made of a page, and what it
// logged.
func loaded(t *testing.T, page string) (document, log string) {
	t.Helper()
	program, dir := browser(t), t.TempDir()
	file := filepath.Join(dir, "page.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--enable-logging=stderr", "--user-data-dir="+filepath.Join(dir, "profile"), "--window-size=800,900", "--dump-dom", "file://"+file)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), "%s", &errs)
	var console []string
	for line := range strings.Lines(errs.String()) {
		if strings.Contains(line, "CONSOLE") {
			console = append(console, line)
		}
	}
	return out.String(), strings.Join(console, "")
}

// driven is a script that uses the page as a person would and writes down what
// it saw. It runs beside the page's own, so its page must do without the policy.
const driven = `<script>
const seen = [];
const look = (name, selector, type) => {
  document.querySelector(selector).dispatchEvent(new MouseEvent(type, {bubbles: true}));
  seen.push(name + ": " + document.getElementById("about").textContent + " (" + document.querySelectorAll(".on").length + ")");
};
look("hover", "tr.in", "mouseover");
look("leave", "h1", "mouseover");
look("click", "#drawing .op.answer", "click");
look("kept", "h1", "mouseover");
document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}));
seen.push("scrolled: " + (document.getElementById("space").scrollLeft > 0));
seen.push("escaped: " + document.querySelectorAll(".on").length);
const pre = document.createElement("pre"); pre.id = "seen"; pre.textContent = seen.join("\n"); document.body.append(pre);
</script></body>`

func TestInABrowser(t *testing.T) {
	p := staleRead()
	page := written(t, p)
	document, console := loaded(t, page)
	assert.Empty(t, console, "script errors, or the page's policy refused its own script or style")
	assert.Equal(t, p.Witness, found(document, `<tr data-op="(\d+)" class="in">`)[:3])
	assert.Equal(t, p.Witness, found(document, `<g class="op [^"]*witness[^"]*" data-op="(\d+)"`))

	_, policy, _ := strings.Cut(page, `<meta http-equiv="Content-Security-Policy"`)
	policy, _, _ = strings.Cut(policy, ">")
	page = strings.Replace(page, `<meta http-equiv="Content-Security-Policy"`+policy+">", "", 1)
	document, console = loaded(t, strings.Replace(page, "</body>", driven, 1))
	assert.Empty(t, console)
	const read = "client 2: read k0 -&gt; 3 at n1 middle — ok, called at 32.4 ms, returned at 36.2 ms"
	const write = "client 0: write k0=3 at n0 head — ok, called at 12.1 ms, returned at 16.1 ms"
	assert.Contains(t, document, "hover: "+write)
	assert.Contains(t, document, "leave: Point at")
	assert.Contains(t, document, "click: "+read)
	assert.Contains(t, document, "kept: "+read)
	assert.Contains(t, document, "scrolled: true")
	assert.Contains(t, document, "escaped: 0")
}

// TestHostileTextsInABrowser looks for what would only be there if a text had
// become part of the page.
func TestHostileTextsInABrowser(t *testing.T) {
	p := staleRead()
	p.Sentence = `<img id=owned src=x onerror="document.title='owned'">`
	p.Events[0].Message, p.History.Keys[0] = p.Sentence, `</title><b id=owned>`+"`${1}`"
	document, console := loaded(t, written(t, p))
	assert.Empty(t, console)
	assert.NotContains(t, document, "<img")
	assert.NotContains(t, document, "<b id")
}
