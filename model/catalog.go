package model

import "fmt"

// All returns the models of this package.
func All() []Model {
	return []Model{register, casRegister, multiRegister, mutex, kv, set, counter, queue, list}
}

// ByName returns the model of this package with that name.
func ByName(name string) (Model, error) {
	var names []string
	for _, m := range All() {
		if m.name == name {
			return m, nil
		}
		names = append(names, m.name)
	}
	return Model{}, fmt.Errorf("no model %q, expected %s", name, oneOf(names))
}

// builtIn returns m as a model of this package.
func builtIn(m Model) Model {
	m.builtIn = true
	return m
}
