// Package web serves a live page of what the threads of a process are doing, in
// the manner of net/http/pprof: the table of threads, what each waits for and
// which thread holds it, the graph of these waits, deadlocks, contention, pools
// and queues. It is imported for its side effect, which registers its handler
// on http.DefaultServeMux:
//
//	import _ "example.com/thread/osthread/inspect/web"
//
// If the program does not serve HTTP yet it starts that itself, on an address
// that only its operators can reach:
//
//	go func() { log.Println(http.ListenAndServe("localhost:6060", nil)) }()
//
// The page is then at http://localhost:6060/debug/osthread/. For a ServeMux of
// one's own there is [Handler].
//
// # Not for strangers
//
// As with net/http/pprof, a reader of the page learns the names of threads and
// locks, files, functions, and what the program is busy with. Do not serve it
// to the public: the package checks no passwords and binds to no address. What
// a visitor can do is bounded, not prevented. The page only reads: no request
// changes what a thread does. Names are shown as text, whatever they contain,
// and the page's Content-Security-Policy permits no script but its own and no
// request to any other host. Streams and other responses have a limit on their
// number, above which a request gets status 503, and a reader that does not
// read is disconnected.
//
// # Cost
//
// While a page is open the process takes a snapshot without stacks once a
// second, one for all pages, and sends each the part that it shows. If that
// takes longer than a fiftieth of a second, snapshots are as much rarer. With
// 1,000 threads it takes less than a hundredth of a processor. While no page is
// open, or its tab is hidden, nothing runs. dump.txt and deadlocks.json have
// stacks, for which goroutines are stopped: see inspect.Options.
//
// Holders of locks other than RLocks, and goroutines, are known in watch mode
// alone; see package inspect.
//
// # Beside the page
//
//	view.json       what the page shows at once: the query's threads, and the rest
//	snapshot.json   the whole inspect.Snapshot, without stacks
//	deadlocks.json  the result of inspect.Deadlocks, null without a deadlock
//	metrics.json    the metrics of inspect.Metrics, with their descriptions
//	dump.txt        what inspect.Dump writes, with stacks
//	stream          view.json as server-sent events, for a minute
//
// view.json and stream have a query:
//
//	q      part of a name, an id, or an object that is waited for or held
//	state  deadlocked, stuck, waiting, running or ended: those threads alone
//	sort   state (the default), start, name, kind, cpu, since or object
//	desc   1: in the reverse order
//	page   from 1 on
//	size   threads on a page, up to 200; 50 by default
//
// A thread is stuck if it waits, perhaps by way of others, for a deadlocked
// one, and is running if it waits for no object of this module: it may wait for
// something else.
package web
