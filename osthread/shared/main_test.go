//go:build !plan9

package shared

import (
	"testing"

	"example.com/thread/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m, func() string { return "" }) }
