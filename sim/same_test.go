package sim

import (
	"math"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// Messages are equal if and only if reflect.DeepEqual says so, whatever they are made of, and those
// that protocols send are not compared by it.
func TestMessagesAreComparedAsDeepEqualDoes(t *testing.T) {
	type flat struct {
		N    int
		Name string
		At   [2]uint8
	}
	type sliced struct {
		flat
		Members []NodeID
		Parts   [][]flat
	}
	type tree struct {
		N        int
		Children []tree
	}
	type boxed struct{ Inside any }
	one, other := 1, 1
	shared := []float64{math.NaN()}
	all := []Message{
		nil, 1, 2, "1", uint8(1), true, 1i, math.NaN(), struct{}{},
		flat{}, flat{N: 1}, flat{Name: "x"}, flat{At: [2]uint8{0, 1}}, [2]float64{0, 1}, [2]float64{0, math.NaN()},
		[]int(nil), []int{}, []int{1}, []int{1, 2}, []int{1, 3}, []string{"x"}, shared, []float64{math.NaN()},
		sliced{}, sliced{flat: flat{N: 1}}, sliced{Members: []NodeID{}}, sliced{Members: []NodeID{1}}, sliced{Members: []NodeID{2}},
		sliced{Parts: [][]flat{{}, {{N: 1}}}}, sliced{Parts: [][]flat{{}, {{N: 2}}}}, sliced{Parts: [][]flat{nil, {{N: 1}}}},
		tree{}, tree{1, []tree{{2, nil}}}, tree{1, []tree{{3, nil}}},
		&one, &other, boxed{}, boxed{1}, boxed{[]int{1}}, boxed{[]int{2}}, map[string]int{"x": 1}, map[string]int{"x": 2},
	}
	again := []Message{
		[]int{1}, sliced{Members: []NodeID{1}}, sliced{Parts: [][]flat{{}, {{N: 1}}}}, tree{1, []tree{{2, nil}}}, boxed{[]int{1}}, map[string]int{"x": 1},
	}
	known := comparisons{}
	for _, a := range all {
		for _, b := range append(again, all...) {
			require.Equal(t, reflect.DeepEqual(a, b), known.equal(a, b), "%#v and %#v", a, b)
		}
	}
	require.Equal(t, asValues, known[reflect.TypeOf(flat{})])
	require.Equal(t, asParts, known[reflect.TypeOf(sliced{})])
	require.Equal(t, asDeep, known[reflect.TypeOf(tree{})])
	require.Equal(t, asDeep, known[reflect.TypeOf(boxed{})])
	require.Equal(t, asDeep, known[reflect.TypeOf(&one)])
}
