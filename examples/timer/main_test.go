package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTimerFiresOrIsCancelled(t *testing.T) {
	var w bytes.Buffer
	require.NoError(t, run(&w))
	assert.Equal(t, `In 300ms there will be a greeting:
  hello, world
  no earlier than that: true
  Cancel came in time: false
In 1h0m0s there would be an alarm:
  Cancel came in time: true
  it ran: false, the timer is finished: true
Before it has started:
  Cancel came in time: true
  started all the same it ran: false
What a function returns is what Join returns:
  nobody home
`, w.String())
}
