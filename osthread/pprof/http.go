package pprof

import (
	"errors"
	"fmt"
	"net/http"
	_ "net/http/pprof" // what a user looks for beside it
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/thread/internal/waitprof"
)

const path = "/debug/pprof/osthread.wait"

func init() { http.HandleFunc(pattern(os.Getenv("GODEBUG")), WaitProfile) }

// pattern returns the pattern of the handler: with the method, as in
// net/http/pprof, unless http.ServeMux does as Go 1.21's did.
func pattern(godebug string) string {
	if strings.Contains(godebug, "httpmuxgo121=1") {
		return path
	}
	return "GET " + path
}

// WaitProfile is the handler of the profile, for programs with a ServeMux of
// their own. It is registered at /debug/pprof/osthread.wait of the default one.
// The parameter seconds limits the profile to the waits that end within the
// next seconds; a value that is no positive number is a bad request.
func WaitProfile(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	d, err := duration(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	began := time.Now()
	var before map[waitprof.Key]waitprof.Record
	if d > 0 {
		before = waitprof.Records()
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="osthread.wait"`)
	// The client is gone if this fails.
	_ = write(w, since(before, waitprof.Records()), began, d)
}

var errSeconds = errors.New(`invalid value for "seconds"`)

// duration returns the value of r's parameter seconds, 0 if it has none.
func duration(r *http.Request) (time.Duration, error) {
	text := r.FormValue("seconds")
	if text == "" {
		return 0, nil
	}
	s, err := strconv.ParseInt(text, 10, 32)
	if err != nil || s <= 0 {
		return 0, fmt.Errorf("%w: %q", errSeconds, text)
	}
	return time.Duration(s) * time.Second, nil
}
