package formats_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/history/formats"
)

// garbage is two gigabytes of one pattern. It counts what was read.
type garbage struct {
	pattern []byte
	read    int64
}

const size = 2 << 30

func (g *garbage) Read(p []byte) (int, error) {
	if g.read >= size {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = g.pattern[(g.read+int64(i))%int64(len(g.pattern))]
	}
	g.read += int64(len(p))
	return len(p), nil
}

// Whatever the format and the garbage, a reader gives up at the first bad line,
// and at the latest after the longest operation that there may be.
func TestGarbageFailsAtItsFirstLine(t *testing.T) {
	const longest = 16 << 20
	for _, format := range []formats.Format{formats.Auto, formats.JSONLines, formats.EDN, formats.JepsenLog, formats.PorcupineKV} {
		for _, pattern := range []string{
			"\x00", "\xff\xfe", "a", "0", "0 ", "garbage and more of it\n", "{", "[", "((", `"`, `"a" `, "{:a 1}\n", "[1 2] ", "#", "#_ ", "\\",
			"{\"process\":1}\n", "0 :invoke\n", "\x1f\x8b\x08\x00garbage", ":",
		} {
			t.Run(fmt.Sprintf("%v/%q", format, pattern), func(t *testing.T) {
				t.Parallel()
				g := &garbage{pattern: []byte(pattern)}
				_, _, err := formats.Read(g, "f", format)
				var place *history.ReadError
				require.ErrorAs(t, err, &place)
				require.Equal(t, 1, place.Line)
				require.LessOrEqual(t, g.read, int64(2*longest), "of %d bytes", size)
				if bytes.ContainsRune(g.pattern, '\n') {
					require.LessOrEqual(t, g.read, int64(1<<20))
				}
			})
		}
	}
}
