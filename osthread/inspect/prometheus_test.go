package inspect_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"example.com/thread/osthread/inspect"
)

// writePrometheus writes the metrics in the text format of Prometheus.
func writePrometheus(w io.Writer) error {
	samples := map[string][]inspect.Sample{}
	for _, s := range inspect.Metrics() {
		samples[s.Metric] = append(samples[s.Metric], s)
	}
	out := bufio.NewWriter(w)
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	for _, m := range inspect.AllMetrics() {
		name := "osthread" + strings.NewReplacer("/", "_", ":", "_").Replace(m.Name)
		if m.Kind == inspect.Counter {
			name += "_total"
		}
		fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, m.Description, name, m.Kind)
		for _, s := range samples[m.Name] {
			label := ""
			if m.Label != "" {
				label = fmt.Sprintf(`{%s="%s"}`, m.Label, escape.Replace(s.Label))
			}
			fmt.Fprintf(out, "%s%s %g\n", name, label, s.Value)
		}
	}
	return out.Flush()
}

func ExampleMetrics() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = writePrometheus(w) // the client is gone if this fails
	})

	reply := httptest.NewRecorder()
	mux.ServeHTTP(reply, httptest.NewRequest("GET", "/metrics", http.NoBody))
	for line := range strings.Lines(reply.Body.String()) {
		if strings.Contains(line, "osthread_deadlocks_present") {
			fmt.Print(line)
		}
	}
	// Output:
	// # HELP osthread_deadlocks_present_deadlocks Deadlocks.
	// # TYPE osthread_deadlocks_present_deadlocks gauge
	// osthread_deadlocks_present_deadlocks 0
}
