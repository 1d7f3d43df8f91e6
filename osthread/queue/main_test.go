package queue

import (
	"testing"

	"example.com/thread/internal/leak/threads"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

func TestMain(m *testing.M) { threads.Main(m) }

func callers(t *testing.T, f func(t *testing.T, g *testutil.Group)) {
	testutil.Callers(t, func(body func() error) (testutil.Thread, error) { return osthread.Go(body) }, f)
}
