package web

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listen serves s until the test ends.
func listen(t *testing.T, s *server) *httptest.Server {
	t.Helper()
	h := httptest.NewUnstartedServer(s)
	serve(t, h)
	return h
}

func serve(t *testing.T, h *httptest.Server) {
	t.Helper()
	h.Start()
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Client().CloseIdleConnections()
		h.Close()
	})
}

func (s *server) open() int {
	s.sampler.mu.Lock()
	defer s.sampler.mu.Unlock()
	return s.sampler.streams
}

// A reader reads the events of a stream.
type reader struct {
	*bufio.Scanner
	close func()
}

func openStream(t *testing.T, h *httptest.Server, query string) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", h.URL+root+"stream"+query, http.NoBody)
	require.NoError(t, err)
	response, err := h.Client().Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 4<<20)
	return &reader{lines, func() { cancel(); response.Body.Close() }}
}

// next returns the next view, or false at the end of the stream.
func (r *reader) next(t *testing.T) (v view, ok bool) {
	t.Helper()
	for r.Scan() {
		if data, found := strings.CutPrefix(r.Text(), "data: "); found {
			require.NoError(t, json.Unmarshal([]byte(data), &v))
			return v, true
		}
	}
	return v, false
}

func TestStreamSendsViews(t *testing.T) {
	start(t, "streamed")
	s := newServer(quick)
	h := listen(t, s)
	r := openStream(t, h, "?q=streamed")
	var last time.Time
	for range 3 {
		v, ok := r.next(t)
		require.True(t, ok)
		require.Len(t, v.Rows, 1)
		assert.Equal(t, "streamed", v.Rows[0].Name)
		assert.True(t, v.Taken.After(last))
		last = v.Taken
	}
	r.close()
	await(func() bool { return s.open() == 0 })
}

// All streams share the snapshots of one goroutine, which ends with the last.
func TestStreamsShareASamplerThatEndsWithTheLast(t *testing.T) {
	s := newServer(quick)
	h := listen(t, s)
	a, b := openStream(t, h, ""), openStream(t, h, "?size=1")
	_, ok := a.next(t)
	require.True(t, ok)
	_, ok = b.next(t)
	require.True(t, ok)
	stop := s.sampler.stop
	a.close()
	await(func() bool { return s.open() == 1 })
	_, ok = b.next(t)
	require.True(t, ok)
	b.close()
	await(func() bool { return s.open() == 0 })
	<-stop
	f, _ := s.sampler.current()
	assert.Nil(t, f, "a closed page keeps nothing")
	again := openStream(t, h, "")
	_, ok = again.next(t)
	assert.True(t, ok)
	again.close()
	await(func() bool { return s.open() == 0 })
}

// A goroutine that was stopped in a snapshot does not publish it to the streams
// of the next one.
func TestStoppedSamplerPublishesNothing(t *testing.T) {
	s := &newServer(quick).sampler
	stopped := make(chan struct{})
	require.True(t, s.join())
	await(func() bool { f, _ := s.current(); return f != nil })
	f, _ := s.current()
	s.publish(stopped, &frame{})
	now, _ := s.current()
	assert.NotEqual(t, &frame{}, now)
	assert.NotNil(t, f)
	s.leave()
}

// Of 1,000 connections as many have streams as there may be, the others are
// refused, and when all are closed no goroutine is left.
func TestThousandConnectionsLeaveNoGoroutine(t *testing.T) {
	connections := 1000
	if testing.Short() {
		connections = 100
	}
	o := quick
	o.interval, o.streams = 10*time.Millisecond, 64
	s := newServer(o)
	h := listen(t, s)
	h.Client().Transport.(*http.Transport).DisableKeepAlives = true
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	codes := make(chan int, connections)
	for range connections {
		all.Go(func() {
			r, err := http.NewRequestWithContext(ctx, "GET", h.URL+root+"stream?size=1", http.NoBody)
			if err != nil {
				codes <- -1
				return
			}
			response, err := h.Client().Do(r)
			if err != nil {
				codes <- -1
				return
			}
			codes <- response.StatusCode
			_, _ = io.Copy(io.Discard, response.Body) // until ctx ends it
			response.Body.Close()
		})
	}
	count := map[int]int{}
	for range connections {
		count[<-codes]++
	}
	assert.Equal(t, map[int]int{
		http.StatusOK: o.streams, http.StatusServiceUnavailable: connections - o.streams,
	}, count)
	assert.Equal(t, o.streams, s.open())
	cancel()
	all.Wait()
	await(func() bool { return s.open() == 0 })
	await(func() bool { return runtime.NumGoroutine() <= before })
}

// connect sends a request and returns the connection, of which nothing is read.
func connect(t *testing.T, h *httptest.Server, name string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", h.Listener.Addr().String())
	require.NoError(t, err)
	_ = c.(*net.TCPConn).SetReadBuffer(4 << 10) // a wish
	_, err = io.WriteString(c, "GET "+root+name+" HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	return c
}

func TestReaderThatDoesNotReadIsDisconnected(t *testing.T) {
	o := quick
	o.stall = 20 * time.Millisecond
	s := newServer(o)
	s.assets["large.js"] = asset{"text/javascript", `"x"`, make([]byte, 32<<20)}
	h := httptest.NewUnstartedServer(s)
	h.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(4 << 10) // a wish: so that little is on its way
		return ctx
	}
	closed := make(chan bool, 1)
	h.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- true
		}
	}
	serve(t, h)
	for _, name := range []string{"stream?size=200", "large.js"} {
		c := connect(t, h, name)
		<-closed
		assert.Zero(t, s.open())
		c.Close()
	}
}

func TestStreamEndsAfterItsLifetime(t *testing.T) {
	o := quick
	o.lifetime = 20 * time.Millisecond
	h := listen(t, newServer(o))
	r := openStream(t, h, "")
	for ok := true; ok; {
		_, ok = r.next(t)
	}
	assert.NoError(t, r.Err(), "the stream ends, it does not break")
	r.close()
}

// A ResponseWriter without deadlines and flushes works, and the stream ends
// with the request's context.
func TestStreamEndsWithTheContext(t *testing.T) {
	s := newServer(quick)
	ctx, cancel := context.WithCancel(t.Context())
	w := &plain{header: http.Header{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ServeHTTP(w, httptest.NewRequest("GET", root+"stream", http.NoBody).WithContext(ctx))
	}()
	await(func() bool { return w.events() >= 3 })
	cancel()
	<-done
	assert.Zero(t, s.open())
}

// A plain ResponseWriter has nothing that is optional.
type plain struct {
	header http.Header
	mu     sync.Mutex
	n      int
}

func (p *plain) Header() http.Header { return p.header }
func (p *plain) WriteHeader(int)     {}
func (p *plain) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n += strings.Count(string(b), "\n\n")
	return len(b), nil
}

func (p *plain) events() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}

func TestThousandUpdatesLeakNothing(t *testing.T) {
	for range 3 {
		start(t, "leaky")
	}
	s := newServer(quick)
	h := listen(t, s)
	r := openStream(t, h, "")
	defer r.close()
	heap := func(updates int) int64 {
		for range updates {
			_, ok := r.next(t)
			require.True(t, ok)
		}
		runtime.GC()
		runtime.GC() // pools need two
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap(100)
	goroutines := runtime.NumGoroutine()
	updates := 1000
	if testing.Short() {
		updates = 100
	}
	after := heap(updates)
	assert.Less(t, after-before, int64(1<<20))
	assert.LessOrEqual(t, runtime.NumGoroutine(), goroutines+1) // a connection's may be on its way
}
