package web

import (
	"testing"

	"example.com/thread/internal/leak/threads"
	"example.com/thread/internal/testutil"
)

func TestMain(m *testing.M) { threads.Main(m) }

var await = testutil.Await
