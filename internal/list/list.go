// Package list is an intrusive doubly linked list.
package list

import "unsafe"

// Links make a struct T an element of a [List]. They must be T's first field:
// the list converts a *T to a *Links[T]. A method of T that returned them would
// be called through a dictionary, which the compiler does not inline.
//
// The links of an element that is in no list are nil, and its user's: a chain
// of elements that have been taken out can be linked by NextLink.
type Links[T any] struct{ next, prev *T }

// Next returns the element behind, nil for the last one.
func (l *Links[T]) Next() *T { return l.next }

// Prev returns the element in front, nil for the first one.
func (l *Links[T]) Prev() *T { return l.prev }

// NextLink returns where Next reads from.
func (l *Links[T]) NextLink() **T { return &l.next }

func links[T any](e *T) *Links[T] { return (*Links[T])(unsafe.Pointer(e)) }

// A List is a list of elements, each of which is in one list at most. The zero
// value is empty. Its user has a guard over it.
type List[T any] struct {
	head, tail *T
	n          int
}

// Head returns the first element, nil if l is empty. Next leads to the others.
func (l *List[T]) Head() *T { return l.head }

// Tail returns the last element, nil if l is empty.
func (l *List[T]) Tail() *T { return l.tail }

// Len returns the number of elements.
func (l *List[T]) Len() int { return l.n }

// PushBack adds e at the end.
func (l *List[T]) PushBack(e *T) {
	l.n++
	links(e).next, links(e).prev = nil, l.tail
	if l.tail == nil {
		l.head = e
	} else {
		links(l.tail).next = e
	}
	l.tail = e
}

// PushFront adds e at the front.
func (l *List[T]) PushFront(e *T) { l.InsertBefore(e, l.head) }

// InsertBefore adds e before mark, which is in l; at the end if mark is nil.
func (l *List[T]) InsertBefore(e, mark *T) {
	if mark == nil {
		l.PushBack(e)
		return
	}
	l.n++
	prev := links(mark).prev
	links(e).next, links(e).prev = mark, prev
	links(mark).prev = e
	if prev == nil {
		l.head = e
	} else {
		links(prev).next = e
	}
}

// Remove takes e out, which must be in l.
func (l *List[T]) Remove(e *T) {
	l.n--
	next, prev := links(e).next, links(e).prev
	if prev == nil {
		l.head = next
	} else {
		links(prev).next = next
	}
	if next == nil {
		l.tail = prev
	} else {
		links(next).prev = prev
	}
	links(e).next, links(e).prev = nil, nil
}

// Pop takes the first element out, nil if l is empty.
func (l *List[T]) Pop() *T {
	e := l.head
	if e != nil {
		l.Remove(e)
	}
	return e
}
