package watch

import (
	"reflect"
	"runtime"
	"sync"
	"unsafe"

	"example.com/thread/internal/waits"
)

// What is known of objects beside their holders: names, places of first use,
// whether they were handed off, and how long callers have waited for them. The
// table is by address and does not keep an object alive; an entry goes when its
// object is collected. Its address may be another object's by then, for which
// the place of first use begins anew.

type info struct {
	name      string
	first     []uintptr // the stack of the first acquisition; nil: none yet
	handedOff bool
	objects   int         // whose cleanups are to come
	refer     func() any  // nil, or returns the object; see Refer
	total     waits.Total // of the waits for it that have ended
}

type shard struct {
	mu sync.RWMutex
	m  map[uintptr]*info
}

const shardBits = 6

var shards [1 << shardBits]shard

func shardOf(object unsafe.Pointer) (*shard, uintptr) { return shardAt(uintptr(object)) }

func shardAt(key uintptr) (*shard, uintptr) {
	return &shards[uint64(key)*golden>>(64-shardBits)], key
}

// get returns what f reads of the object's entry, of an empty one if there is
// none.
func get[T any](object unsafe.Pointer, f func(i *info) T) T {
	s, key := shardOf(object)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i := s.m[key]; i != nil {
		return f(i)
	}
	return f(&info{})
}

// set calls f with the object's entry, which it makes if there is none.
func set(object unsafe.Pointer, f func(i *info)) {
	s, key := shardOf(object)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.m[key]
	if i == nil {
		i = s.add(object, key)
	}
	f(i)
}

// add makes the object's entry, in place of one of an object that has been
// collected. The caller holds mu.
func (s *shard) add(object unsafe.Pointer, key uintptr) *info {
	if s.m == nil {
		s.m = map[uintptr]*info{}
	}
	i := &info{objects: 1}
	s.m[key] = i
	onCollect(object, gone{s, key, i})
	return i
}

// A gone is an entry whose object has been collected.
type gone struct {
	s   *shard
	key uintptr
	i   *info
}

// onCollect has the entry removed when the object is collected. Objects outside
// of Go's heap stay: package variables, and memory of C, for which AddCleanup
// panics.
func onCollect(object unsafe.Pointer, g gone) {
	defer func() { _ = recover() }()
	runtime.AddCleanup((*byte)(object), forget, g)
}

// forget removes the entry, and the node, in one step for others: a new object
// at that address finds both or none.
func forget(g gone) {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	if g.i.objects--; g.i.objects == 0 && g.s.m[g.key] == g.i {
		delete(g.s.m, g.key)
		leaveOrder(g.key)
	}
}

// Name gives object, a pointer, a name, in place of the one it has. It does
// nothing unless watch mode is on.
func Name(object any, name string) {
	if !On {
		return
	}
	data := wordsOf(object).data
	s, key := shardOf(data)
	set(data, func(i *info) {
		i.name = name
		i.objects++ // the entry may be of one that was collected, whose cleanup is to come
		onCollect(data, gone{s, key, i})
	})
}

// NameOf returns the name that Name has given to object, or "".
func NameOf(object any) string {
	return get(wordsOf(object).data, func(i *info) string { return i.name })
}

// Refer makes the object, which has a name, one of Referred until it is
// collected. get returns it, nil once it is collected, and must not keep it
// alive.
func Refer(object any, get func() any) {
	set(wordsOf(object).data, func(i *info) { i.refer = get })
}

// Referred returns the objects of Refer.
func Referred() (objects []any) {
	for i := range shards {
		s := &shards[i]
		s.mu.RLock()
		for _, known := range s.m {
			if known.refer == nil {
				continue
			}
			if object := known.refer(); object != nil {
				objects = append(objects, object)
			}
		}
		s.mu.RUnlock()
	}
	return objects
}

func init() { waits.Ended = waited }

// waited adds a wait for object to its total, if it has an entry.
func waited(object any, nanos int64) {
	if !On || reflect.TypeOf(object).Kind() != reflect.Pointer {
		return
	}
	s, key := shardOf(wordsOf(object).data)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.m[key]; i != nil {
		i.total.Waits++
		i.total.Nanos += nanos
	}
}

// TotalOf returns the total of the waits for object that have ended, of a lock
// or another object that has a name.
func TotalOf(object any) waits.Total {
	return get(wordsOf(object).data, func(i *info) waits.Total { return i.total })
}

// First notes that the caller is about to acquire object for the first time, or
// just has.
func First(object any) {
	var pcs [depth]uintptr
	walk(&pcs)
	data := wordsOf(object).data
	s, key := shardOf(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.m[key]
	// An entry that has a first acquisition, and a node without an entry, are
	// of an object that was collected, whose cleanup is to end them, or of this
	// one before it was set to the zero value.
	if i == nil || i.first != nil {
		leaveOrder(key)
	}
	if i == nil {
		i = s.add(data, key)
	}
	i.first, i.handedOff, i.total = trim(pcs[:]), false, waits.Total{}
}

// FirstUse returns the stack of the first acquisition of object, as Hold.PCs.
// It is nil for an object that is neither a Lock, an RLock nor an RWLock.
func FirstUse(object any) []uintptr {
	return get(wordsOf(object).data, func(i *info) []uintptr { return i.first })
}

func markHandedOff(e eface) {
	if !handedOff(e.data) {
		set(e.data, func(i *info) { i.handedOff = true })
		leaveOrder(uintptr(e.data))
	}
}

func handedOff(object unsafe.Pointer) bool {
	return get(object, func(i *info) bool { return i.handedOff })
}

// HandedOff reports whether object has been released by another goroutine than
// had acquired it.
func HandedOff(object any) bool { return handedOff(wordsOf(object).data) }
