package thread

// A StackUse is how much of a thread's stack for C frames has been used. Go's
// frames are elsewhere.
type StackUse struct {
	// Size is that of the stack, in bytes, without its guard. On the process's
	// first thread, whose stack grows, it is the limit (RLIMIT_STACK).
	Size int
	// Used is the bytes from the stack's beginning to the end of the last page
	// that has ever been touched, the high-water mark. At the beginning is what
	// the C library keeps there: some KB, and with glibc the thread-local
	// variables. What C code has reserved and not touched does not count.
	Used int
}

// StackUse returns how much of t's stack for C code has been used so far. If
// [Attr.MeasureStack] was set it returns that at t's end afterwards.
//
// It asks the system which of the stack's pages are in memory or in swap space:
// 10 us for a stack of 1 MiB, 150 for one of 64. Nothing is prepared for it
// when a thread starts. Where the system does not say what is in swap space
// (/proc/self/pagemap), only what is in memory counts. Before Linux 6.7 a stack
// can have huge pages, if all memory has, and then 2 MiB count that were not
// touched.
//
// It returns ErrEnded, or the system's error; errors.ErrUnsupported on systems
// other than Linux with cgo, and for an attached thread that is not the caller:
// it could end in between.
func (t *Thread) StackUse() (use StackUse, err error) {
	if !osMeasuresStacks {
		return StackUse{}, unsupported("stack use of a thread")
	}
	err = t.whileAlive(func() error {
		if !t.fromStart() && t != Current() {
			return unsupported("stack use of an attached thread from another one")
		}
		use, err = osStackUse(t)
		return err
	})
	if err == ErrEnded && t.stackUse.Load() != nil {
		return *t.stackUse.Load(), nil
	}
	return use, err
}

// measureStack stores how much of its stack the calling thread, t, has used.
func (t *Thread) measureStack() {
	if use, err := osStackUse(t); err == nil { // else StackUse returns ErrEnded
		t.stackUse.Store(&use)
	}
}
