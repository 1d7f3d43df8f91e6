// Package fault makes errors that are others' to errors.Is and have a text of
// their own: what "lock is not held by the calling thread" is to a lock is
// "caller is not on the first thread" to package mainthread.
package fault

type fault struct {
	text string
	kind error
}

// New returns an error with that text that is kind.
func New(text string, kind error) error { return &fault{text, kind} }

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.kind }
