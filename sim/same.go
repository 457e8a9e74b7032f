package sim

import "reflect"

// comparison is a way to find out whether two messages of a type are equal: what
// reflect.DeepEqual says, which takes as long as tens of events, in less time where there can
// be no cycles.
type comparison uint8

const (
	asDeep   comparison = iota // by reflect.DeepEqual: there may be pointers, maps, interfaces, or floats that are no numbers
	asParts                    // there are slices, but of nothing else
	asValues                   // == compares all that there is
)

// comparisons are those of the types that have been met.
type comparisons map[reflect.Type]comparison

// same compares two events, and their messages once: what befalls a message after it was sent
// has the very same one.
func (known comparisons) same(a, b *Event) bool {
	x, y := *a, *b
	x.Message, y.Message = nil, nil
	if x != y {
		return false
	}
	switch a.Kind {
	case Delivered, Dropped, Duplicated, Held:
		return true
	}
	return known.equal(a.Message, b.Message)
}

func (known comparisons) equal(a, b Message) bool {
	t := reflect.TypeOf(a)
	if t != reflect.TypeOf(b) || t == nil {
		return a == nil && b == nil
	}
	how, found := known[t]
	if !found {
		how = comparisonOf(t, 0)
		known[t] = how
	}
	switch how {
	case asValues:
		return a == b
	case asParts:
		return equalParts(reflect.ValueOf(a), reflect.ValueOf(b))
	}
	return reflect.DeepEqual(a, b)
}

// deepest is how far types are followed: some contain themselves.
const deepest = 8

func comparisonOf(t reflect.Type, depth int) comparison {
	switch kind := t.Kind(); {
	case depth > deepest:
		return asDeep
	case kind == reflect.Struct:
		how := asValues
		for field := range t.Fields() {
			how = min(how, comparisonOf(field.Type, depth+1))
		}
		return how
	case kind == reflect.Array:
		return comparisonOf(t.Elem(), depth+1)
	case kind == reflect.Slice:
		return min(asParts, comparisonOf(t.Elem(), depth+1))
	case reflect.Bool <= kind && kind <= reflect.Uintptr, kind == reflect.String:
		return asValues
	}
	return asDeep
}

// equalParts compares two values of one type, which is compared asParts or asValues.
func equalParts(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if !equalParts(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		fallthrough
	case reflect.Array:
		for i := range a.Len() {
			if !equalParts(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
	switch {
	case a.CanInt(): // nearly all
		return a.Int() == b.Int()
	case a.CanUint():
		return a.Uint() == b.Uint()
	}
	return a.Equal(b)
}
