//go:build linux

package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		main()
		return
	}
	m.Run()
}

func TestLedgerIsRepaired(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, parent(&out))
	assert.Equal(t, "worker has ended\nvictim signal: killed\nworker has ended\n"+
		"the balances add up to 0; repairs: 1\n", out.String())
}

// A process that ends in the middle of a repair leaves it to the next one.
func TestLedgerIsRepairedTwice(t *testing.T) {
	s, l, err := create()
	require.NoError(t, err)
	done := make(chan struct{})
	for range 2 {
		go func() {
			defer close(done)
			assert.NoError(t, l.transfer(7, func() {}))
			assert.NoError(t, l.lock())
			l.undo.balances = l.balances
			l.undo.valid.Store(true)
			l.balances[0] = 1000
		}() // ends with the mutex
		<-done
		done = make(chan struct{})
	}
	require.NoError(t, l.lock())
	assert.Equal(t, [2]int64{-14, 14}, l.balances)
	assert.EqualValues(t, 2, l.repairs)
	assert.NoError(t, l.mutex.Unlock())
	assert.NoError(t, s.Detach())
}
