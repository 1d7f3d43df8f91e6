package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The build under test has an overlay (go help build): copies of the module's
// files in which a few imports lead to the packages of shim, and a few places,
// the seams (testdata/seams.patch), to the scheduler. So the module's own files
// have no hook, and what is shipped has none.

// imports are the packages that have a twin in shim, and its name.
var imports = map[string]string{
	"sync/atomic":  "atomic",
	"sync":         "sync",
	"time":         "time",
	"context":      "context",
	"runtime":      "runtime",
	"math/rand/v2": "rand",
}

const shim = "example.com/thread/verify/explore/shim/"

// rewritten are the files whose imports are replaced, and which. All others
// are built as they are: those of spinning's statistics, for one, which only
// cost steps.
var rewritten = map[string]string{
	"internal/park/park.go":            "sync/atomic time",
	"internal/park/broadcast.go":       "sync/atomic",
	"internal/park/limit.go":           "context time",
	"internal/wait/guard.go":           "runtime sync/atomic time",
	"internal/wait/node.go":            "sync sync/atomic",
	"internal/wait/set.go":             "sync/atomic",
	"internal/waits/waits.go":          "sync sync/atomic",
	"internal/waits/cancel.go":         "sync/atomic time",
	"osthread/barrier.go":              "sync/atomic",
	"osthread/condition.go":            "sync/atomic",
	"osthread/event.go":                "sync/atomic",
	"osthread/lock.go":                 "sync/atomic",
	"osthread/lockqueue.go":            "sync/atomic",
	"osthread/mutex.go":                "math/rand/v2 runtime sync/atomic",
	"osthread/retries.go":              "runtime sync/atomic",
	"osthread/rlock.go":                "runtime",
	"osthread/rwlock.go":               "runtime sync/atomic",
	"osthread/semaphore.go":            "math/rand/v2 sync/atomic",
	"osthread/internal/inbox/inbox.go": "sync sync/atomic",
	"osthread/executor/callback.go":    "sync/atomic",
	"osthread/executor/executor.go":    "sync/atomic",
	"osthread/executor/isolated.go":    "sync/atomic",
	"osthread/executor/keyed.go":       "sync/atomic",
	"osthread/executor/pool.go":        "sync/atomic",
	"osthread/executor/promise.go":     "sync/atomic",
	"osthread/executor/task.go":        "sync/atomic",
	"osthread/executor/worker.go":      "sync/atomic",
	"osthread/queue/ends.go":           "sync/atomic",
	"osthread/queue/getop.go":          "sync",
	"osthread/queue/queue.go":          "sync sync/atomic",
}

// added are the files of testdata that are in the build under test.
var added = map[string]string{
	"sched_runtime.go.txt": "internal/park/sched_runtime.go",
	"yield_linux.go.txt":   "internal/park/yield_linux.go",
	"executor.go.txt":      "osthread/executor/explore_inbox.go",
	"reset.go.txt":         "osthread/explore_reset.go",
}

// An overlay is the files of the build under test.
type overlay struct {
	root  string
	texts map[string]string // by name, from root
}

// newOverlay makes an overlay of the module at root in folder, with edits
// beside the seams, and returns the file to pass to go build.
func newOverlay(root, folder string, edits []edit) (list string, err error) {
	o := overlay{root, map[string]string{}}
	for name, to := range added {
		b, err := os.ReadFile(filepath.Join(root, "verify/explore/testdata", name))
		if err != nil {
			return "", err
		}
		o.texts[to] = strings.Replace(string(b), `"sync/atomic"`, `"`+shim+`atomic"`, 1)
	}
	seams, err := readPatches(root, "seams.patch")
	if err != nil {
		return "", err
	}
	if err := o.apply(append(slices.Clone(edits), seams[0].edits...)); err != nil {
		return "", err
	}
	for file, names := range rewritten {
		for name := range strings.FieldsSeq(names) {
			e := edit{file, "\t\"" + name + "\"\n", "\t\"" + shim + imports[name] + "\"\n"}
			if err := o.apply([]edit{e}); err != nil {
				return "", err
			}
		}
	}
	return o.write(folder)
}

// apply makes edits. Each must fit exactly once.
func (o *overlay) apply(edits []edit) error {
	for _, e := range edits {
		text, ok := o.texts[e.file]
		if !ok {
			b, err := os.ReadFile(filepath.Join(o.root, e.file))
			if err != nil {
				return err
			}
			text = string(b)
		}
		if n := strings.Count("\n"+text, "\n"+e.old); n != 1 {
			return fmt.Errorf("%s has %d times, not once:\n%s", e.file, n, e.old)
		}
		o.texts[e.file] = strings.Replace("\n"+text, "\n"+e.old, "\n"+e.new, 1)[1:]
	}
	return nil
}

// write writes the files to folder, and the list of them.
func (o *overlay) write(folder string) (list string, err error) {
	replace := map[string]string{}
	for file, text := range o.texts {
		to := filepath.Join(folder, strings.ReplaceAll(file, "/", "+"))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(o.root, file)] = to
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list = filepath.Join(folder, "overlay.json")
	return list, os.WriteFile(list, b, 0o600)
}
