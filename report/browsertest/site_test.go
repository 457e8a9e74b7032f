package browsertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// check builds the command.
func check(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "check")
	build := exec.Command("go", "build", "-o", program, "./cmd/check")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// visit opens a file in a browser.
func visit(t *testing.T, file string, width, height int) *tab {
	t.Helper()
	b := &tab{t: t, dir: t.TempDir()}
	return b.start(program(t), file, width, height)
}

// until waits for an expression to become true, also on the next page.
func (b *tab) until(expression string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		yes, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("document.readyState === 'complete' && Boolean("+expression+")"))
		return err == nil && yes
	}, 30*time.Second, 50*time.Millisecond, expression)
}

// fits demands that the page is not wider than the window.
func (b *tab) fits() {
	b.t.Helper()
	assert.LessOrEqual(b.t, value[int](b, "document.documentElement.scrollWidth"), value[int](b, "window.innerWidth"))
}

// The site of a campaign that caught a bug leads from the verdict to the run.
func TestSite(t *testing.T) {
	program(t)
	check, dir := check(t), t.TempDir()
	out, err := exec.Command(check, "fuzz", "--bug", "pb-no-fencing", "--runs", "20", "--dir", dir).CombinedOutput()
	require.Error(t, err, "it was caught: %s", out)
	out, err = exec.Command(check, "report", dir).CombinedOutput()
	require.Error(t, err, "%s", out)

	b := visit(t, filepath.Join(dir, "site", "index.html"), 1300, 900)
	assert.Contains(t, b.text("h1"), "the planted bug pb-no-fencing was caught")
	assert.Equal(t, "invalid", b.text(".verdict"))
	assert.Positive(t, value[int](b, `[...document.querySelectorAll(".chart rect")].filter((r) => r.getBoundingClientRect().height > 10).length`), "the chart has bars")
	assert.Empty(t, value[[]string](b, `[...document.querySelectorAll("nav a")].filter((a) => !document.querySelector(a.hash)).map((a) => a.hash)`))
	assert.Equal(t, "rgb(196, 22, 42)", value[string](b, `getComputedStyle(document.querySelector(".verdict")).backgroundColor`), "the style was let in")
	b.fits()
	b.do(chromedp.EmulateViewport(400, 800))
	b.fits()
	b.do(raw(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}))
	assert.Equal(t, "rgb(20, 24, 31)", value[string](b, `getComputedStyle(document.documentElement).backgroundColor`))
	b.do(chromedp.EmulateViewport(1300, 900))

	b.do(click(`td a[href^="group-"]`))
	b.until(`document.querySelector(".home")`)
	assert.Contains(t, b.text("h1"), "is stale")
	assert.Contains(t, b.text("main"), "--bug pb-no-fencing --reads primary --claim linearizable --seed ")
	b.until(`document.querySelector(".picture img").naturalWidth > 300`)
	b.fits()

	b.do(click(".picture a"))
	b.until(`globalThis.rashomon`)
	assert.Contains(t, b.text("h1"), "is stale")
	assert.Positive(t, value[int](b, `app.run.ops.length`))
}

// While a campaign is at work its site grows in the browser, where one had scrolled to.
// When it has ended, the page stays as it is.
func TestSiteOfARunningCampaign(t *testing.T) {
	program(t)
	check, dir := check(t), t.TempDir()
	start := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), check, args...)
		c.Stderr = os.Stderr
		require.NoError(t, c.Start())
		return c
	}
	fuzz := start("fuzz", "--for", "100s", "--dir", dir)
	follow := start("report", "--follow", dir)
	index := filepath.Join(dir, "site", "index.html")
	require.Eventually(t, func() bool {
		page, err := os.ReadFile(index)
		return err == nil && strings.Contains(string(page), `<rect `) // runs were kept
	}, 30*time.Second, 50*time.Millisecond)

	b := visit(t, index, 1300, 500)
	runs := func() int {
		n, err := strconv.Atoi(strings.ReplaceAll(b.text("dl.meta dd"), ",", ""))
		require.NoError(t, err)
		return n
	}
	before := runs()
	assert.Equal(t, "running", b.text(".verdict"))
	b.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 400)`))
	loaded := value[float64](b, "performance.timeOrigin")
	b.until("performance.timeOrigin > " + strconv.FormatFloat(loaded, 'f', -1, 64) + ` && document.querySelector("dl.meta dd").textContent !== "` + b.text("dl.meta dd") + `"`)
	assert.Greater(t, runs(), before)
	assert.InDelta(t, 400, value[float64](b, "scrollY"), 1)

	require.NoError(t, fuzz.Process.Signal(os.Interrupt))
	_ = fuzz.Wait() // it may have had too little time for a verdict
	_ = follow.Wait()
	assert.LessOrEqual(t, follow.ProcessState.ExitCode(), 2)
	b.until(`!document.querySelector("meta[http-equiv=refresh]")`)
	assert.NotEqual(t, "running", b.text(".verdict"))
}
