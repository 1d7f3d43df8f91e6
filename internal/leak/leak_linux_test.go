package leak

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestAwaitReportsADescriptorThatIsLeft(t *testing.T) {
	none := func() string { return "" }
	before, open := goroutines(), descriptors()
	if left := await(time.Now(), before, open, none); left != "" {
		t.Error(left)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if left := await(time.Now(), before, open, none); !strings.Contains(left, "descriptors") {
		t.Errorf("left: %q", left)
	}
}
