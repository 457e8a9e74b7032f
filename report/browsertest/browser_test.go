package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/internal/unable"
	"github.com/rashomon-go/rashomon/report"
)

// program returns the browser to use.
func program(t *testing.T) string {
	if b := os.Getenv("RASHOMON_BROWSER"); b != "" {
		return b
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	unable.Skip(t, "no browser: set RASHOMON_BROWSER, or apt-get install -y chromium")
	return ""
}

// tab is a page open in a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
	dir string

	mutex    sync.Mutex
	troubles []string // errors on the console, exceptions, dialogs
}

// open writes a page and opens it in a browser of its own. When the test ends, the
// page must have caused no trouble.
func open(t *testing.T, p *report.Page, width, height int) *tab {
	t.Helper()
	b := &tab{t: t, dir: t.TempDir()}
	file := filepath.Join(b.dir, "page.html")
	f, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, p.Write(f))
	require.NoError(t, f.Close())
	return b.start(program(t), file, width, height)
}

func (b *tab) start(program, file string, width, height int) *tab {
	t := b.t
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(filepath.Join(b.dir, "profile")), chromedp.WindowSize(width, height),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-quic", true),
	)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stopTab := chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(stopTab)
	b.ctx = ctx
	b.do(raw(log.Enable, cdp.Empty{}), raw(performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}),
		chromedp.EmulateViewport(int64(width), int64(height)))
	ctx, stopClock := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stopClock)
	b.ctx = ctx
	b.do(chromedp.Navigate("file://" + file))
	t.Cleanup(func() {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		require.Empty(t, b.troubles)
	})
	return b
}

func (b *tab) listen(event any) {
	trouble := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		trouble = fmt.Sprintf("%+v", *e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		trouble = "console: " + e.Type.String()
	case *log.EventEntryAdded:
		trouble = "log: " + e.Entry.Text
	case *page.EventJavascriptDialogOpening:
		trouble = "dialog: " + e.Message
	default:
		return
	}
	if strings.Contains(trouble, "willReadFrequently") {
		return // advice about the tests, which look at pixels
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.troubles = append(b.troubles, trouble)
}

type action = chromedp.Action[chromedp.Void]

func (b *tab) do(actions ...action) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, actions...))
}

// raw is a command of the protocol whose result does not matter.
func raw[P, R any](command cdp.Command[P, R], params P) action {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, command, params)
		return chromedp.Void{}, err
	}
}

// click clicks on an element.
func click(selector string) action { return chromedp.Click(chromedp.CSS(selector)) }

// value evaluates an expression on the page, in which app is the page's program.
func value[T any](b *tab, expression string) (v T) {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T]("(() => { const app = globalThis.rashomon; return "+expression+"; })()"))
	require.NoError(b.t, err)
	return v
}

// busy returns how long the processor has worked for the page's thread.
func (b *tab) busy() (spent time.Duration) {
	b.t.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		metrics, err := cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return none, err
		}
		for _, m := range metrics.Metrics {
			if m.Name == "TaskDuration" {
				spent = time.Duration(m.Value * float64(time.Second))
			}
		}
		return none, nil
	})
	return spent
}

// text returns what an element says.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return value[string](b, fmt.Sprintf("document.querySelector(%q).textContent", selector))
}

// frame waits until what was asked for is drawn.
func (b *tab) frame() {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, chromedp.EvalAwaitPromise))
}

// point returns where on the screen something of the drawing is: an expression gives
// it in pixels of the canvas.
func (b *tab) point(expression string) (x, y float64) {
	b.t.Helper()
	at := value[[]float64](b, `(() => { app.diagram.canvas.scrollIntoView({block: "center"}); const box = app.diagram.canvas.getBoundingClientRect(); const p = `+expression+`; return [box.left + p[0], box.top + p[1]]; })()`)
	return at[0], at[1]
}

// clickAt clicks on the drawing.
func (b *tab) clickAt(expression string) {
	b.t.Helper()
	x, y := b.point(expression)
	b.do(chromedp.MouseClickXY(x, y))
	b.frame()
}
