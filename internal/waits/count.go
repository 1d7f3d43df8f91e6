package waits

import (
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"example.com/thread/internal/ident"
)

// How often and for how long callers have slept, by the type of what they
// waited for, or by its name if that is a string. [Record.End] counts a wait,
// so it has ended, and what is counted is what is recorded: the sleeps of
// threads with a record, and in watch mode those of goroutines, too. A wait
// that C code ends with its thread is not counted.
//
// A count is in shards, of which a thread uses one, so that threads that sleep
// and wake at a high rate do not share a cache line for it. Beside a sleep,
// which takes microseconds, it costs two additions and a read of the clock.

// A Total is how many waits have ended, and how many nanoseconds they took.
type Total struct{ Waits, Nanos int64 }

const (
	countShards = 8
	cacheLine   = 64
)

// A count has the totals of one type.
type count [countShards]struct {
	waits, nanos atomic.Int64
	_            [cacheLine - 16]byte
}

var counts sync.Map // of *count, by reflect.Type or string

// Ended is called after each wait that is counted. It must not sleep. Package
// watch sets it.
var Ended = func(object any, nanos int64) {}

// add counts a wait of the caller with that slot.
func add(slot uintptr, object any, nanos int64) {
	if object == nil {
		return // what it waited for is not known
	}
	key := object
	if _, named := object.(string); !named {
		key = reflect.TypeOf(object)
	}
	c, ok := counts.Load(key)
	if !ok {
		c, _ = counts.LoadOrStore(key, new(count))
	}
	shard := &c.(*count)[ident.Row(slot)%countShards]
	shard.waits.Add(1)
	shard.nanos.Add(nanos)
	Ended(object, nanos)
}

// TextOf returns the String of an object that is waited for. A pointer without
// one is printed as such: what it points to is in use.
func TextOf(object any) string {
	if _, ok := object.(fmt.Stringer); !ok && reflect.ValueOf(object).Kind() == reflect.Pointer {
		return fmt.Sprintf("%s(%p)", TypeOf(object), object)
	}
	return fmt.Sprint(object)
}

// TypeOf returns what a wait for object is counted by: its type, as fmt prints
// it, without *, or itself if it is a string.
func TypeOf(object any) string {
	switch o := object.(type) {
	case nil:
		return ""
	case string:
		return o
	default:
		return nameOf(reflect.TypeOf(o))
	}
}

func nameOf(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.String()
}

// Totals returns what was counted since the start of the process, by TypeOf.
func Totals() map[string]Total {
	totals := map[string]Total{}
	counts.Range(func(key, c any) bool {
		name, named := key.(string)
		if !named {
			name = nameOf(key.(reflect.Type))
		}
		sum := totals[name]
		for i := range c.(*count) {
			shard := &c.(*count)[i]
			sum.Waits += shard.waits.Load()
			sum.Nanos += shard.nanos.Load()
		}
		totals[name] = sum
		return true
	})
	return totals
}
