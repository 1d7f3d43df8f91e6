package inspect

import (
	"os"
	"os/signal"
	"sync"
)

// OnSignal makes the process write a dump to stderr whenever it gets sig, until
// stop is called, which may be called again. Go's own handling of sig is off
// meanwhile; SIGQUIT without OnSignal still prints Go's stacks and ends the
// process. On systems without sig nothing happens.
//
//	defer inspect.OnSignal(syscall.SIGUSR1)()
func OnSignal(sig os.Signal) (stop func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, sig)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-signals:
				_ = Dump(os.Stderr) // there is nobody else to report its error to
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		signal.Stop(signals)
		close(done)
		<-ended
	})
}
