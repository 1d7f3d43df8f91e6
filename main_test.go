package thread

import (
	"fmt"
	"testing"

	"example.com/thread/internal/leak"
)

func TestMain(m *testing.M) {
	leak.Main(m, func() (left string) {
		collectExited()
		if n := NumThread(); n != 0 {
			left += fmt.Sprintf(" %d threads", n)
		}
		if n := records.count(); n != 0 {
			left += fmt.Sprintf(" %d records", n)
		}
		return left
	})
}
