package formats_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history/formats"
)

// What a long line takes is a small multiple of its length, whether it is accepted or
// not. In the shortest EDN a form stands for two bytes, and takes dozens.
func TestMemoryOfLongLines(t *testing.T) {
	const n = 200_000
	ones := strings.Repeat("1,", n)
	increasing := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(counted(n))), ","), "[]")
	json := func(invoke, ok, header string) string {
		return `{"format":"rashomon-history","version":1` + header + `}
{"process":0,"type":"invoke","key":"k",` + invoke + `}
{"process":0,"type":"ok"` + ok + `}
{"type":"end","events":2}
`
	}
	edn := func(f, asked, told string) string {
		return fmt.Sprintf("{:process 0 :type :invoke :f %s :value %s} {:process 0 :type :ok :f %s :value %s}", f, asked, f, told)
	}
	for name, c := range map[string]struct {
		most int // bytes allocated, for each byte
		text string
	}{
		"JSON lines, no set":        {20, json(`"op":"read"`, `,"seen":[`+ones+`1]`, `,"sets":true`)},
		"JSON lines, a set":         {20, json(`"op":"read"`, `,"seen":[`+increasing+`]`, `,"sets":true`)},
		"JSON lines, a transaction": {20, json(`"op":"txn","value":[`+strings.Repeat(`["r","a"],`, n)+`["w","a",1]]`, "", "")},
		"EDN, a set":                {20, edn(":read", "nil", "["+ones+"]")},
		"EDN, a transaction":        {60, edn(":txn", "["+strings.Repeat("[:r 1 nil]", n)+"]", "["+strings.Repeat("[:r 1 nil]", n)+"]")},
		"EDN, of a nemesis":         {200, `{:process :nemesis :type :info :value [` + strings.Repeat("()", n) + `]}`},
	} {
		t.Run(name, func(t *testing.T) {
			before := allocated()
			_, _, err := formats.Read(strings.NewReader(c.text), "f", formats.Auto)
			took := allocated() - before
			assert.LessOrEqual(t, took, uint64(c.most*len(c.text)+1<<20), "%.1f for each byte, %v", float64(took)/float64(len(c.text)), err)
		})
	}
}

func counted(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// Long lists are kept in another way, also where something stands between the numbers.
func TestLongListsOfNumbers(t *testing.T) {
	long := strings.Trim(fmt.Sprint(counted(3000)[1:]), "[]") // all but 0
	read := func(list string) (string, error) {
		h, _, err := formats.Read(strings.NewReader("{:process 0 :type :invoke :f :read} {:process 0 :type :ok :f :read :value "+list+"}"), "f", formats.EDN)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(h.Sets), nil
	}
	want := fmt.Sprint([][]int{counted(3000)})
	for name, list := range map[string]string{
		"a vector":             "[0 " + long + "]",
		"a set":                "#{" + long + " 0}",
		"a discarded list":     "[" + long + " #_(" + long + " 7) 0]",
		"numbers with a mark":  "[" + long + " ^{:a [" + long + " 9999]} 0]",
		"signs and other ends": "(+" + long + " -0)",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(list)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	for list, message := range map[string]string{
		"[" + long + " [1] 2]":                  "a vector in a set or a list, expected numbers",
		"[" + long + " nil]":                    "nil in a set or a list, expected numbers",
		"[" + long + " -9223372036854775808]":   "-9223372036854775808 in a set or a list, expected numbers",
		"[" + long + " #tag 3]":                 "a number with a tag in a set or a list, expected numbers",
		"[" + long + " [" + long + " :a] 3 4 ]": "a vector in a set or a list, expected numbers",
	} {
		_, err := read(list)
		assert.ErrorContains(t, err, message)
	}
}
