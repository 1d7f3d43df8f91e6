package thread

import (
	"errors"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ctest"
)

// Windows calls back at the end of the process, too, when all other threads are gone with what they had.
func TestOsExitOnAWatchedThread(t *testing.T) {
	exit := map[string]func(){
		"native": func() {
			_, err := Start(func() { os.Exit(3) }, nil)
			must(err)
			select {}
		},
		"alien": func() {
			must(ctest.Aliens(1, func(int) {
				if Current() != nil {
					os.Exit(3)
				}
			}))
		},
	}
	for name, end := range exit {
		t.Run(name, func(t *testing.T) {
			_, err := child(t, func() {
				var quit atomic.Bool
				for range 8 { // they hold the Ps
					go func() {
						for !quit.Load() {
						}
					}()
				}
				end()
			})
			var ended *exec.ExitError
			require.True(t, errors.As(err, &ended), "%v", err)
			assert.Equal(t, 3, ended.ExitCode())
		})
	}
}
