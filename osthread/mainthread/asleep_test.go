package mainthread

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

func TestThreadWaitingNamesTheMainThread(t *testing.T) {
	release := occupy()
	defer release()
	after := make(chan struct{})
	th, err := osthread.Go(func() error {
		err := Do(func() error { return nil })
		<-after
		return err
	})
	require.NoError(t, err)
	var w osthread.Wait
	testutil.Await(func() (ok bool) { w, ok = th.Waiting(); return ok })
	assert.Equal(t, "main thread", w.Object)
	assert.False(t, w.Ends)
	release()
	testutil.Await(func() bool { _, asleep := th.Waiting(); return !asleep })
	close(after)
	assert.NoError(t, th.Join())
}
