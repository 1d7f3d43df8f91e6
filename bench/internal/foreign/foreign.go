// Package foreign runs contenders that are programs in other languages: C with
// the system's pthreads, Rust, Java, and CPython. Their sources are in the
// folders below and embedded in this program; those that need a compiler are
// compiled into a temporary folder.
//
// A program lives through the whole run and does one round for each line of its
// input:
//
//	run kind=lock threads=4 work=50 batch=98 warm_ns=5000000 time_ns=50000000 timed=0
//
// The keys are those of scenario.Spec.Name, with kind, batch (Spec.Batch) and
// the fields of sample.Round. The program creates the threads, lets them run,
// takes the first snapshot after warm_ns and the second time_ns later, ends the
// threads, and answers with one line:
//
//	ok ops=812345 ns=50012345 cpu_ns=99012345 switches=120 least=200000 most=205000 hist=37:12,38:400 max_ns=7200 bytes=0
//	absent WHY        it has nothing that does this work
//	error WHAT        and the run ends
//
// with the fields of sample.Sample. cpu_ns and switches are -1 if unknown; hist
// and max_ns are only set in a timed round. If no operation completed between
// the snapshots, the second is taken another time_ns later, and so on. Before
// the first input line the program writes "ready VERSION". It ends at the end
// of its input and after an error.
//
// In a lateness row, hist is always set and ops counts waits. In a many row,
// the program starts the threads, reports in ns the time until the last one
// runs, in ops their number, and in bytes the growth of the resident memory
// (/proc/self/smaps_rollup) divided by ops, and then ends them all.
//
// The line "bucket NS" is answered by "ok INDEX", the bucket of sample.Hist for
// a wait of NS; a test checks that all programs have the same buckets.
package foreign
