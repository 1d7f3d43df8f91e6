package web

import (
	"bytes"
	"net/http"
	"time"
)

// stream sends the view of the query in each frame as a server-sent event,
// until the client is gone or does not read, or the stream's lifetime is over:
// then a browser opens another.
func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	q, err := parse(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	if !s.sampler.join() {
		refuse(w)
		return
	}
	defer s.sampler.leave()
	rc := http.NewResponseController(w)
	if !s.push(rc, w, []byte("retry: 1000\n\n")) {
		return
	}
	end := time.NewTimer(s.lifetime)
	defer end.Stop()
	var sent *frame
	for {
		f, changed := s.sampler.current()
		if f != nil && f != sent {
			sent = f
			if !s.sendView(rc, w, f, q) {
				return
			}
		}
		select {
		case <-changed:
		case <-end.C:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *server) sendView(rc *http.ResponseController, w http.ResponseWriter, f *frame, q query) bool {
	view, err := f.render(q)
	if err != nil {
		return false
	}
	return s.push(rc, w, bytes.Join([][]byte{[]byte("data: "), view, []byte("\n\n")}, nil))
}
