//go:build unix

package main

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"

	"example.com/thread/internal/wait"
)

// module is the path of what is called.
const module = "example.com/thread"

// mostOfAType is how many values of one type are kept.
const mostOfAType = 12

// A pool has the values that calls have returned, and those of the types of
// table.go, for the calls that come.
type pool struct {
	mu     sync.Mutex
	types  []reflect.Type
	values map[reflect.Type][]reflect.Value
}

// fill makes some values of each type.
func (p *pool) fill(c *child) {
	for i, t := range types {
		v := &values{c: c, rng: rand.New(rand.NewPCG(c.seed, uint64(i)<<32))}
		for range 4 {
			made := reflect.New(t)
			if t.Kind() == reflect.Struct {
				v.setFields(made.Elem())
			} else {
				made.Elem().Set(v.of(t))
			}
			p.add(v.rng, made)
		}
	}
}

// add keeps r, if its methods are to be called.
func (p *pool) add(rng *rand.Rand, r reflect.Value) {
	if r.Kind() == reflect.Interface {
		r = r.Elem()
	}
	if !r.IsValid() || !isOurs(r.Type()) || r.Kind() == reflect.Pointer && r.IsNil() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.values == nil {
		p.values = map[reflect.Type][]reflect.Value{}
	}
	kept := p.values[r.Type()]
	switch {
	case kept == nil:
		p.types = append(p.types, r.Type())
		fallthrough
	case len(kept) < mostOfAType:
		p.values[r.Type()] = append(kept, r)
	default:
		kept[rng.IntN(len(kept))] = r
	}
}

// any returns a value.
func (p *pool) any(rng *rand.Rand) reflect.Value {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.types) == 0 {
		return reflect.Value{}
	}
	kept := p.values[p.types[rng.IntN(len(p.types))]]
	return kept[rng.IntN(len(kept))]
}

// that returns a value that can be assigned to t, if there is one.
func (p *pool) that(rng *rand.Rand, t reflect.Type) reflect.Value {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []reflect.Value
	for _, of := range p.types {
		if of.AssignableTo(t) {
			found = append(found, p.values[of]...)
		}
	}
	if len(found) == 0 {
		return reflect.Value{}
	}
	return found[rng.IntN(len(found))]
}

// isOurs reports whether t, or what it points to, is a type of an exported
// package of the module. The sources of waits are not: they are exported for
// WaitAny and WaitAll alone, which call them with their guard.
func isOurs(t reflect.Type) bool {
	if t.Implements(reflect.TypeFor[wait.Source]()) {
		return false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return strings.HasPrefix(t.PkgPath(), module) && !strings.Contains(t.PkgPath(), "/internal/") &&
		!strings.Contains(t.PkgPath(), "/verify/") && t.Name() != ""
}

// typeName returns the name of t with that of its package, without type
// arguments and without a star.
func typeName(t reflect.Type) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(t.String(), "*"), "[")
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Func || name == "" {
		return t.String()
	}
	return name
}
