// Package foreign runs contenders that are programs in other languages: C with
// the system's pthreads, Rust, Java, and CPython. Their sources are in the
// folders below and part of this program; what needs a compiler is compiled
// into a temporary folder.
//
// A program stays alive through the run and does one round for each line that
// it reads:
//
//	run kind=lock threads=4 work=50 batch=98 warm_ns=5000000 time_ns=50000000 timed=0
//
// The keys are those of scenario.Spec.Name, with kind, batch (Spec.Batch) and
// the fields of sample.Round. It makes the threads, lets them run, takes the
// first look after warm_ns and the second after time_ns more, ends them all,
// and answers with one line:
//
//	ok ops=812345 ns=50012345 cpu_ns=99012345 switches=120 least=200000 most=205000 hist=37:12,38:400 max_ns=7200 bytes=0
//	absent WHY        it has nothing that does this work
//	error WHAT        and the run ends
//
// with the fields of sample.Sample; cpu_ns and switches are -1 where it cannot
// know; hist and max_ns only in a timed round. Where nothing was done between
// the looks, the second is another time_ns later, and so on. Before the first
// line it writes "ready VERSION". It ends when its input does, and after an
// error.
//
// A lateness row answers with hist always, and with ops waits. A many row
// starts the threads, so that ns is until the last of them has been started and
// runs, ops their number, bytes by how much the resident memory
// (/proc/self/smaps_rollup) grew divided by ops, and then ends them all.
//
// The line "bucket NS" is answered by "ok INDEX", the bucket of sample.Hist
// that a wait of NS is counted in: a test asks whether all have the same.
package foreign
