package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// cellsOf returns the rows of the table of what replicas hold, without markup.
func cellsOf(page string) (rows []string) {
	_, table, _ := strings.Cut(page, `<table class="endings">`)
	table, _, _ = strings.Cut(table, "</table>")
	tags := regexp.MustCompile(`<[^>]+>`)
	for row := range strings.SplitSeq(table, "<tr") {
		_, row, _ = strings.Cut(row, ">")
		rows = append(rows, strings.Join(strings.Fields(tags.ReplaceAllString(row, " ")), " "))
	}
	return rows[1:]
}

func TestEndings(t *testing.T) {
	p := staleRead()
	assert.NotContains(t, written(t, p), "What the replicas hold at the end")
	p.Endings = []Ending{
		{Name: "k1", Held: []string{"5", "5", "5"}},
		{Name: "k0<b>", Held: []string{"3", "3", ""}, Writes: []int{0}},
	}
	page := written(t, p)
	rows := cellsOf(page)
	assert.Equal(t, "Key n0 head n1 middle n2 tail Written by, ms", rows[0])
	assert.Regexp(t, `^k0&lt;b&gt; 3 3 nothing they differ .* client 0 at n0 head, 0 to 0.7, ok$`, rows[1])
	assert.Equal(t, "k1 5 5 5 the same 0 writes", rows[2])
	assert.Equal(t, 1, strings.Count(page, `<td class="odd">`), "what more than half do not hold")

	p.Endings = []Ending{{Name: "k0", Held: []string{"3", "4"}, Writes: indices(mostWriters + 2)}}
	page = written(t, p)
	assert.NotContains(t, page, `<td class="odd">`, "nobody knows who is right")
	assert.Contains(t, cellsOf(page)[1], "3 4 they differ and 2 earlier ")

	p.Endings[0].Writes = []int{len(p.History.Ops)}
	assert.ErrorContains(t, p.Write(&bytes.Buffer{}), "what is held at the end names operation")
}
