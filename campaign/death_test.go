package campaign

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const overflow = `starting
panic: first [recovered]
	panic: second

goroutine 9 [running]:
runtime.throw({0x1, 0x2})
	/go/src/runtime/panic.go:1101 +0x48
runtime: goroutine stack exceeds 1000000000-byte limit
fatal error: stack overflow

runtime stack:
runtime.throw({0x5d2f3a?, 0x0?})
	/go/src/runtime/panic.go:1101 +0x48 fp=0x7ffd sp=0x7ffd pc=0x46b1a8

goroutine 1 gp=0xc000002380 m=0 mp=0x66c7a0 [running]:
panic({0x1, 0x2})
	/go/src/runtime/panic.go:700 +0x48
example.com/x/store.(*Log).grow(0xc000, {0x1, 0x2})
	/src/store/log.go:17 +0x1d fp=0xc0201 sp=0xc0202 pc=0x45f6dd
main.main()
	/src/main.go:9 +0x1d
`

// What a process says in the end is read in whatever pieces it comes, and whatever it is.
func FuzzLastWords(f *testing.F) {
	f.Add(overflow, 40)
	f.Add("panic: ", 3)
	f.Add("fatal error: x\n(\n\t+0x\n)\n\t:\n", 9)
	f.Fuzz(func(t *testing.T, text string, at int) {
		var whole, pieces lastWords
		at = max(0, min(at, len(text)))
		for _, w := range []struct {
			to   *lastWords
			text string
		}{{&whole, text}, {&pieces, text[:at]}, {&pieces, text[at:]}} {
			n, err := w.to.Write([]byte(w.text))
			require.NoError(t, err)
			require.Equal(t, len(w.text), n)
		}
		require.Equal(t, whole.death(nil), pieces.death(nil))
	})
}

func TestLastWords(t *testing.T) {
	var w lastWords
	_, err := w.Write([]byte(overflow))
	require.NoError(t, err)
	require.Equal(t, &death{how: "fatal error: stack overflow", where: "store.(*Log).grow (log.go:17)"}, w.death(nil))
}
