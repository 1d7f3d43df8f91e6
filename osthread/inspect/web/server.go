package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"example.com/thread/osthread/inspect"
)

// What the handler answers at once. Requests at any rate make only a few
// snapshots a second: their data is kept for a moment (recent.go).

// options are bounds of a server.
type options struct {
	interval time.Duration // between two snapshots while streams are open
	pause    time.Duration // between them at least, for each nanosecond that one takes
	streams  int           // at once
	replies  int           // other responses with data at once, each of which keeps it in memory
	lifetime time.Duration // of a stream, which http.Server.Shutdown waits for
	stall    time.Duration // after which a reader that does not read is disconnected
}

type server struct {
	options
	sampler sampler
	assets  map[string]asset
	data    map[string]producer
	busy    chan struct{} // a value for each reply that is made or written

	frames    recent[frame] // for requests while no stream is open
	dumps     recent[[]byte]
	deadlocks recent[[]byte]
}

// A producer makes the body of a reply.
type producer struct {
	kind string
	make func(q query) ([]byte, error)
}

const (
	jsonKind = "application/json"
	textKind = "text/plain; charset=utf-8"
)

// Stacks are more work than a snapshot, and a person asks for them.
const stacksAge = time.Second

func newServer(o options) *server {
	s := &server{options: o, assets: readAssets(), busy: make(chan struct{}, o.replies)}
	s.sampler = sampler{interval: o.interval, pause: o.pause, most: o.streams, changed: make(chan struct{})}
	s.frames.age, s.dumps.age, s.deadlocks.age = o.interval/4, stacksAge, stacksAge
	s.data = map[string]producer{
		"view.json":      {jsonKind, func(q query) ([]byte, error) { return s.frame().render(q) }},
		"snapshot.json":  {jsonKind, func(query) ([]byte, error) { return s.frame().whole() }},
		"metrics.json":   {jsonKind, func(query) ([]byte, error) { return json.Marshal(metricsOf(s.frame().snapshot)) }},
		"deadlocks.json": {jsonKind, func(query) ([]byte, error) { return *s.deadlocks.get(encodeDeadlocks), nil }},
		"dump.txt":       {textKind, func(query) ([]byte, error) { return *s.dumps.get(dump), nil }},
	}
	return s
}

// frame returns the streams' present frame, or else one that is as new.
func (s *server) frame() *frame {
	if f, _ := s.sampler.current(); f != nil {
		return f
	}
	return s.frames.get(func() *frame { return newFrame(inspect.Take(), nil) })
}

func dump() *[]byte {
	var b bytes.Buffer
	_ = inspect.Dump(&b) // a Buffer has no errors
	text := b.Bytes()
	return &text
}

func encodeDeadlocks() *[]byte {
	text, err := json.Marshal(inspect.Deadlocks())
	if err != nil { // it is plain data
		text = []byte("null")
	}
	return &text
}

// metricsOf returns the metrics of s with their descriptions.
func metricsOf(s *inspect.Snapshot) any {
	type described struct {
		inspect.Metric
		Samples []inspect.Sample `json:"samples"`
	}
	samples := map[string][]inspect.Sample{}
	for _, v := range s.Metrics() {
		samples[v.Metric] = append(samples[v.Metric], v)
	}
	var all []described
	for _, m := range inspect.AllMetrics() {
		all = append(all, described{m, samples[m.Name]})
	}
	return all
}

// reply answers a request for data.
func (s *server) reply(w http.ResponseWriter, r *http.Request, p producer) {
	q, err := parse(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", p.kind)
	if r.Method == http.MethodHead {
		return
	}
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	default:
		refuse(w)
		return
	}
	body, err := p.make(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.write(w, r, body)
}

// refuse answers a request beyond a limit.
func refuse(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	http.Error(w, "too many requests are open", http.StatusServiceUnavailable)
}

// write writes a whole body, in the time of a stall for each piece: a slow
// reader is served, one that does not read is not.
func (s *server) write(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	const piece = 64 << 10
	rc := http.NewResponseController(w)
	for len(body) > 0 && r.Context().Err() == nil {
		if !s.push(rc, w, body[:min(len(body), piece)]) {
			return
		}
		body = body[min(len(body), piece):]
	}
}

// push sends data, and reports whether the client has taken it, or the system
// has room for it. A ResponseWriter without deadlines, such as one that a
// middleware wraps without an Unwrap method, is written to all the same.
func (s *server) push(rc *http.ResponseController, w http.ResponseWriter, data []byte) bool {
	_ = rc.SetWriteDeadline(time.Now().Add(s.stall))
	if _, err := w.Write(data); err != nil {
		return false
	}
	_ = rc.Flush() // the next write has the error
	return true
}
