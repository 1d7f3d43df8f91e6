package web

import (
	"testing"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

func TestMain(m *testing.M) { leak.Main(m, func() string { return "" }) }

var await = testutil.Await
