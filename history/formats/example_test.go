package formats_test

import (
	"fmt"
	"strings"

	"github.com/rashomon-go/rashomon/history/formats"
)

func ExampleRead() {
	const log = `0	:invoke	:write	3
1	:invoke	:read	nil
0	:ok	:write	3
1	:ok	:read	nil
1	:invoke	:cas	[4 5]
1	:fail	:cas	[4 5]
`
	h, info, err := formats.Read(strings.NewReader(log), "history.txt", formats.Auto)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Format, "for", formats.SuggestModel(h))
	fmt.Println(h.Stats())
	for i := range h.Ops {
		fmt.Println(h.OpString(i))
	}
	_, _, err = formats.Read(strings.NewReader("0\t:ok\t:write\t3\n"), "history.txt", formats.Auto)
	fmt.Println(err)
	// Output:
	// jepsen-log for cas-register
	// 3 operations (3 ok, 0 fail, 0 unknown), 2 overlapping: 1 read, 1 write, 1 cas
	// write x=3
	// read x -> nil
	// cas x 4->5: failed
	// history.txt:1:1: process 0 ends an operation but has none open, expected its :invoke first
}
