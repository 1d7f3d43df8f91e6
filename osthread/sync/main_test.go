package sync_test

import (
	"testing"

	"example.com/thread/internal/leak/threads"
)

func TestMain(m *testing.M) { threads.Main(m) }
