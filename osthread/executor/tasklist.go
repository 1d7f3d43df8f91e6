package executor

// A taskList holds tasks in the order in which they came, linked through
// themselves, so that one that is cancelled leaves from the middle. A task is
// in one list at most, and says in which. The pool's guard is over all of it.
type taskList struct {
	head, tail *task
	n          int
}

func (l *taskList) push(t *task) {
	t.list, t.prev, t.next = l, l.tail, nil
	if l.tail == nil {
		l.head = t
	} else {
		l.tail.next = t
	}
	l.tail = t
	l.n++
}

func (l *taskList) remove(t *task) {
	if t.prev == nil {
		l.head = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.tail = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.list, t.prev, t.next = nil, nil, nil
	l.n--
}

func (l *taskList) pop() *task {
	t := l.head
	if t != nil {
		l.remove(t)
	}
	return t
}

// takeAll empties l and returns what was the first; next leads to the others.
func (l *taskList) takeAll() (first *task) {
	first = l.head
	for t := first; t != nil; t = t.next {
		t.list = nil
	}
	*l = taskList{}
	return first
}
