package inspect_test

import (
	"sync"
	"testing"

	"example.com/thread/internal/leak/threads"
	"example.com/thread/internal/testutil"
)

func TestMain(m *testing.M) { threads.Main(m) }

var await = testutil.Await

// pass locks l and unlocks it.
func pass(l sync.Locker) {
	l.Lock()
	defer l.Unlock()
}
