package timeline

import "errors"

// Errors of correct programs.
var (
	// ErrRunning is returned by Start while a Recorder records.
	ErrRunning = errors.New("timeline: already recording")
	// ErrStream is returned by WriteTo of a Recorder that streams.
	ErrStream = errors.New("timeline: recorder streams")
	// ErrStopped is returned by Recorder.Start after Stop.
	ErrStopped = errors.New("timeline: recorder has stopped")
	// ErrBubble is returned by Start in a bubble of testing/synctest.
	ErrBubble = errors.New("timeline: start in a bubble of testing/synctest")
)
