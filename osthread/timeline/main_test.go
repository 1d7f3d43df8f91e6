package timeline_test

import (
	"testing"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/trace"
)

func TestMain(m *testing.M) {
	leak.Main(m, func() string {
		if trace.Hooked() {
			return " hooks"
		}
		return ""
	})
}
