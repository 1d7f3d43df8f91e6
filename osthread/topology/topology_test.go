package topology

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSetText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "\n": "", "0": "0", "0-3,8": "0-3,8", "8,3,2,1,0": "0-3,8", " 1-1 ": "1", "63-64": "63-64",
		"0-31:2/8": "0-1,8-9,16-17,24-25", "0-6:1/2": "0,2,4,6", "65535": "65535",
	} {
		s, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, s.String(), text)
	}
	for _, text := range []string{
		"-1", "1-", "3-1", "a", "0,,1",
		"65536", "0:1/2", "0-3:0/2", "0-3:3/2", "0-3:1", "0 1", "0x1", ",",
	} {
		s, err := Parse(text)
		assert.Error(t, err, text)
		assert.True(t, s.IsEmpty(), text)
	}
	var in struct{ CPUs Set }
	require.NoError(t, json.Unmarshal([]byte(`{"CPUs":"1,2"}`), &in))
	out, err := json.Marshal(in)
	require.NoError(t, err)
	assert.Equal(t, `{"CPUs":"1-2"}`, string(out))
	assert.Error(t, in.CPUs.UnmarshalText([]byte("x")))
	assert.Equal(t, "1-2", in.CPUs.String())
}

func TestSetRefusesWhatNoSystemHas(t *testing.T) {
	assert.Panics(t, func() { Of(-1) })
	assert.Panics(t, func() { Of(MaxCPU + 1) })
	assert.False(t, Of(1).Has(-1))
	assert.False(t, Of(1).Has(1<<20))
}

// Sets against maps.
func TestSetOperations(t *testing.T) {
	numbers := func() (ns []int) {
		for range rand.IntN(40) {
			ns = append(ns, rand.IntN(1+rand.IntN(201)))
		}
		return ns
	}
	for range 500 {
		a, b := numbers(), numbers()
		inA, inB := map[int]bool{}, map[int]bool{}
		for _, n := range a {
			inA[n] = true
		}
		for _, n := range b {
			inB[n] = true
		}
		s, u := Of(a...), Of(b...)
		check := func(got Set, in func(n int) bool) {
			var want []int
			for n := range 201 {
				if in(n) {
					want = append(want, n)
				}
				if got.Has(n) != in(n) {
					t.Fatalf("%v: %d", got, n)
				}
			}
			again, err := Parse(got.String())
			if fmt.Sprint(got.List()) != fmt.Sprint(want) || got.Len() != len(want) ||
				got.IsEmpty() != (len(want) == 0) || err != nil || !again.Equal(got) {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
		check(s, func(n int) bool { return inA[n] })
		check(s.Union(u), func(n int) bool { return inA[n] || inB[n] })
		check(s.Intersect(u), func(n int) bool { return inA[n] && inB[n] })
		check(s.Minus(u), func(n int) bool { return inA[n] && !inB[n] })
	}
}

// machine has nodes of packages of cores of threads, numbered as Linux on x86
// does: the second threads of all cores come last.
func machine(nodes, packages, cores, threads int) *Machine {
	m := new(Machine)
	all := nodes * packages * cores
	for id := range all * threads {
		c := id % all
		m.CPUs = append(m.CPUs, CPU{ID: id, Core: c % cores, Package: c / cores, Node: c / cores / packages})
		m.Online = m.Online.With(id)
	}
	m.Allowed = m.Online
	return m
}

func text(sets []Set) string {
	var words []string
	for _, s := range sets {
		words = append(words, s.String())
	}
	return strings.Join(words, " ")
}

func TestPlacement(t *testing.T) {
	two := machine(2, 1, 2, 2) // node 0: cores 0,4 and 1,5; node 1: 2,6 and 3,7
	assert.Equal(t, "0,4 1,5 2,6 3,7", text(two.Cores()))
	assert.Equal(t, "0 4 1 5 2 6 3 7 0", text(two.Pack(9)))
	assert.Equal(t, "0 2 1 3 4 6 5 7 0", text(two.Spread(9)))
	assert.Equal(t, "0,4 2,6 1,5 3,7 0,4", text(two.OnePerCore(5)))
	assert.Equal(t, "2,6", two.Siblings(6).String())
	assert.Equal(t, "0-1,4-5", two.PackageOf(5).String())
	assert.Equal(t, "2-3,6-7", two.NodeOf(2).String())
	assert.True(t, two.Siblings(8).IsEmpty())

	two.Allowed, two.Isolated = Of(0, 1, 2, 5), Of(1)
	assert.Equal(t, "0 5 2", text(two.Pack(3)))
	assert.Equal(t, "0 2 5", text(two.Spread(3)))
	assert.Equal(t, "0 2 5", text(two.OnePerCore(3)))
	two.Allowed = Of(1)
	assert.Equal(t, "1 1", text(two.Pack(2)), "only isolated ones")
	two.Allowed = Set{}
	assert.Empty(t, two.Spread(2))
	assert.Empty(t, two.OnePerCore(2))
	assert.Empty(t, machine(1, 1, 1, 1).Pack(0))

	four := machine(2, 2, 1, 1)
	assert.Equal(t, "0 2 1 3", text(four.Spread(4)))
}

// Each placement uses every processor before any twice.
func TestPlacementIsEven(t *testing.T) {
	for range 100 {
		m := machine(1+rand.IntN(3), 1+rand.IntN(2), 1+rand.IntN(4), 1+rand.IntN(2))
		n := m.Online.Len()
		for _, sets := range [][]Set{m.Pack(n), m.Spread(n)} {
			var all Set
			for _, s := range sets {
				all = all.Union(s)
			}
			assert.True(t, all.Equal(m.Online))
		}
		var all Set
		for _, s := range m.OnePerCore(len(m.Cores())) {
			all = all.Union(s)
		}
		assert.True(t, all.Equal(m.Online))
	}
}

func TestReadIsUnsupportedElsewhere(t *testing.T) {
	m, err := Read()
	if errors.Is(err, errors.ErrUnsupported) {
		assert.Nil(t, m)
		_, err := Allowed()
		assert.ErrorIs(t, err, errors.ErrUnsupported)
		return
	}
	require.NoError(t, err)
	assert.Len(t, m.CPUs, m.Online.Len())
	assert.False(t, m.Allowed.IsEmpty())
	assert.True(t, m.Allowed.Minus(m.Online).IsEmpty())
}
