package waits

import (
	"testing"

	"example.com/thread/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m, func() string { return "" }) }
