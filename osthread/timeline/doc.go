// Package timeline records what threads do, when, and writes it as a picture:
// in the Trace Event Format, which Perfetto (ui.perfetto.dev), chrome://tracing
// and speedscope open.
//
//	err := timeline.WriteFile("timeline.json", run) // runs it, and records it
//
// The picture has a row for each thread, with its name and the system's id:
//
//   - a slice from the start to the end of the thread's function;
//   - in it a slice for each wait, with the object, the thread that held it,
//     and the thread that ended the wait;
//   - a slice for each operation that woke others, an Unlock, a Set or a Put;
//   - an arrow from each wakeup to the end of the wait that it ended, as long as
//     the wakeup took;
//   - a mark where the thread's function panicked.
//
// Curves beside the rows show the lengths of queues and the backlogs of
// executors, at each wait for one of theirs and each wakeup of a waiter, and
// what [Options.Counters] names, at regular times.
//
// # Two ways to record
//
// [Start] streams all events to an io.Writer until [Recorder.Stop]. [New]
// returns a Recorder that keeps the last events in memory, until
// [Recorder.WriteTo] writes them, which may be at any time and more than once:
// a flight recorder. It records all threads after [Recorder.Start], or those
// whose hook it is:
//
//	r := timeline.New(timeline.Options{})
//	osthread.SetTraceAll(r.Event) // or thread.SetTrace(r.Event)
//
// A thread that ends a wait of one of those, and lives, has a row for its
// arrow, without its own events.
//
// Start leaves the functions of SetTrace and SetProfile alone, and these may be
// set while it records.
//
// # What is recorded
//
// The events of osthread.SetTrace: those of threads that package osthread
// knows, by their start or by osthread.Current. Goroutines without a thread of
// their own have no row: neither their waits nor their wakeups are recorded,
// and a wait that one of them ended says so. So it is with goroutines in a
// bubble of testing/synctest, whose clock is another. A wait in an object of
// package shared, and in a thread.Lock, has no events.
//
// Holders are known of RLocks, and in watch mode (osthread.Watch) of all locks.
// In that mode objects have the names of osthread.Named, too. Other objects are
// called by their type and address, which is the beginning of their String. An
// object that is made where one was before, of the same type, has its name.
//
// Times are of the monotonic clock, from the start of the recording, in
// microseconds with three decimals. Each row's slices are properly nested. The
// file of WriteTo is sorted by the events' begin; in a stream a slice is
// written when it ends, and an arrow's start just before its end.
//
// # Cost and bounds
//
// An event costs its thread a few hundred nanoseconds, beside the wait or the
// wakeup itself, which takes microseconds. Nothing is formatted then, except
// the name of an object at its first wait. Threads share no lock of the
// recorder but for one event in 64 and, of several threads at once, by chance.
//
// A Recorder has at most Options.Events records, and 1,024 more, each of 64
// bytes; 4.1 MiB by default. In addition it keeps
//
//   - some 300 bytes for each thread that lives or has a record, and of the
//     1,024 threads that have ended last, and their osthread.Threads;
//   - some 300 bytes for each object that a record names, and 512 bytes for each
//     of at most 65,536 objects, after which it forgets their names and makes
//     them again. It does not keep the objects;
//   - in WriteTo a second copy of the records, while that runs.
//
// A stream that is written slower than events come loses those that come while
// all records wait to be written: neither threads nor Stop wait for room, but
// Stop waits for a Write that has begun. A Recorder in memory replaces the
// oldest events. Either number is [Recorder.Dropped], and is in the file.
//
// # Errors
//
// The first error of the io.Writer ends the recording, and Stop returns it.
// What was written by then is complete but for the end of the list, without
// which most readers open a file, too.
//
// The package is portable. Where there are no native threads the rows are those
// of the threads that stand for them.
package timeline
