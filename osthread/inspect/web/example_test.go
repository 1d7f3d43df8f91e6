package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"example.com/thread/osthread/inspect/web"
)

// A program with a ServeMux of its own puts the page below any path of it,
// which only its operators should reach.
func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("/internal/threads/", web.Handler())

	reply := httptest.NewRecorder()
	mux.ServeHTTP(reply, httptest.NewRequest("GET", "/internal/threads/", http.NoBody))
	fmt.Println(reply.Code, reply.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
