//go:build !plan9

package shared

import (
	"testing"

	"example.com/thread/internal/leak/threads"
)

func TestMain(m *testing.M) { threads.Main(m) }
