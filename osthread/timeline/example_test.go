package timeline_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
	"example.com/thread/osthread/timeline"
)

func ExampleWriteFile() {
	dir, err := os.MkdirTemp("", "timeline")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "timeline.json")
	err = timeline.WriteFile(name, func() error {
		worker, err := osthread.Start(func() error { return nil }, &osthread.Attr{Name: "worker"})
		if err != nil {
			return err
		}
		return worker.Join()
	})
	text, _ := os.ReadFile(name)
	fmt.Println(err, json.Valid(text), strings.Contains(string(text), `"name":"worker"`))
	// Output: <nil> true true
}

// A flight recorder: the last events are in memory, and are written when
// something goes wrong.
func ExampleNew() {
	jobs := queue.New[int](0)
	r := timeline.New(timeline.Options{
		Events:   10_000,
		Counters: map[string]func() int{"jobs": jobs.Len},
	})
	if err := r.Start(); err != nil {
		fmt.Println(err)
		return
	}
	worker, err := osthread.Start(func() error {
		for job := range jobs.All() {
			if job < 0 {
				return fmt.Errorf("job %d", job)
			}
		}
		return nil
	}, &osthread.Attr{Name: "worker"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = jobs.Put(-1) // it is not shut down
	if err := worker.Join(); err != nil {
		var text strings.Builder // a file
		_, werr := r.WriteTo(&text)
		fmt.Println(err, werr, strings.Contains(text.String(), `"name":"worker"`))
	}
	fmt.Println(r.Stop())
	// Output:
	// job -1 <nil> true
	// <nil>
}
