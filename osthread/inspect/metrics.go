package inspect

import (
	"cmp"
	"slices"
	"strings"
)

// A MetricKind is how the values of a Metric change.
type MetricKind string

const (
	Counter MetricKind = "counter" // since the start of the process; it never falls
	Gauge   MetricKind = "gauge"   // at the time of the snapshot
)

// A Metric describes samples, as a metrics.Description of runtime/metrics does.
type Metric struct {
	Name        string     `json:"name"` // "/path:unit"
	Unit        string     `json:"unit"`
	Kind        MetricKind `json:"kind"`
	Description string     `json:"description"`
	// Label is "" if there is one sample, and otherwise what there is one for
	// each of: "pool", "queue".
	Label string `json:"label,omitempty"`
}

// A Sample is a value of a Metric.
type Sample struct {
	Metric string  `json:"metric"`          // its Name
	Label  string  `json:"label,omitempty"` // which pool or queue
	Value  float64 `json:"value"`
}

// A measure is a Metric and how it is read from a snapshot. Its result has one
// value for each label; one under "" if it has no label.
type measure struct {
	Metric
	read func(s *Snapshot) map[string]float64
}

// AllMetrics returns the descriptions of all metrics, sorted by name.
func AllMetrics() []Metric {
	all := make([]Metric, len(measures))
	for i, m := range measures {
		all[i] = m.Metric
	}
	return all
}

// Metrics returns the samples of a new snapshot, sorted by name and label. Each
// metric of AllMetrics without a label has one, and those with a label have one
// for each pool or queue in the snapshot. Pools of one name are added up, and
// so are queues; those without a name are under the label "".
func Metrics() []Sample { return Take().Metrics() }

// Metrics returns the samples of s.
func (s *Snapshot) Metrics() []Sample {
	var samples []Sample
	for _, m := range measures {
		values := m.read(s)
		first := len(samples)
		for label, value := range values {
			samples = append(samples, Sample{m.Name, label, value})
		}
		slices.SortFunc(samples[first:], func(a, b Sample) int { return cmp.Compare(a.Label, b.Label) })
	}
	return samples
}

// measures are sorted by name.
var measures = slices.SortedFunc(slices.Values(slices.Concat(
	threadMeasures(), waitMeasures(), poolMeasures(), queueMeasures(),
)), func(a, b measure) int { return cmp.Compare(a.Name, b.Name) })

func newMeasure(
	name string, k MetricKind, description, label string, read func(s *Snapshot) map[string]float64,
) measure {
	_, unit, _ := strings.Cut(name, ":")
	return measure{Metric{name, unit, k, description, label}, read}
}

func newGauge(name, description string, read func(s *Snapshot) int) measure {
	return newMeasure(name, Gauge, description, "", func(s *Snapshot) map[string]float64 {
		return map[string]float64{"": float64(read(s))}
	})
}

func newCounter(name, description string, read func(s *Snapshot) float64) measure {
	return newMeasure(name, Counter, description, "", func(s *Snapshot) map[string]float64 {
		return map[string]float64{"": read(s)}
	})
}

// number returns how many parties are so.
func (s *Snapshot) number(is func(p *Party) bool) (n int) {
	for i := range s.Parties {
		if is(&s.Parties[i]) {
			n++
		}
	}
	return n
}

func isThread(p *Party) bool { return p.Kind == KindThread && !p.Ended }

func threadMeasures() []measure {
	all := []measure{
		newGauge("/threads/live/total:threads", "Threads that are known.", func(s *Snapshot) int {
			return s.number(isThread)
		}),
		newGauge("/threads/daemon:threads", "Threads that the end of the process does not wait for.",
			func(s *Snapshot) int {
				return s.number(func(p *Party) bool { return isThread(p) && p.Daemon })
			}),
		newGauge("/threads/waiting:threads", "Threads that wait for an object of this module.", func(s *Snapshot) int {
			return s.number(func(p *Party) bool { return isThread(p) && p.Wait != nil })
		}),
		newGauge("/goroutines/waiting:goroutines", "Goroutines that wait for an object of this module, in watch mode.",
			func(s *Snapshot) int {
				return s.number(func(p *Party) bool { return p.Kind == KindGoroutine && p.Wait != nil })
			}),
		newGauge("/deadlocks/present:deadlocks", "Deadlocks.", func(s *Snapshot) int { return len(s.Deadlocks) }),
		newGauge("/deadlocks/stuck:parties", "Threads and goroutines that cannot go on because of a deadlock.",
			stuckParties),
		newCounter("/threads/started/total:threads", "Threads that were started or attached.",
			func(s *Snapshot) (n float64) {
				for _, started := range s.Started {
					n += float64(started)
				}
				return n
			}),
	}
	for origin, what := range map[string]string{
		OriginNative: "made by Start as threads of C", OriginPinned: "made by Start for pinned goroutines",
		OriginAttached: "attached by goroutines", OriginAlien: "made by C code",
		OriginGo: "made by Go, without a record",
	} {
		all = append(all, newGauge("/threads/live/"+origin+":threads", "Threads "+what+".", func(s *Snapshot) int {
			return s.number(func(p *Party) bool { return isThread(p) && p.Origin == origin })
		}))
		if origin == OriginGo {
			continue // nothing notices when those begin
		}
		all = append(all, newCounter("/threads/started/"+origin+":threads",
			"Threads "+what+", since the start of the process.",
			func(s *Snapshot) float64 { return float64(s.Started[origin]) }))
	}
	return all
}

func stuckParties(s *Snapshot) (n int) {
	for _, d := range s.Deadlocks {
		n += len(d.Cycle) + len(d.Behind)
	}
	return n
}

// A waitClass is a kind of objects in names of metrics.
type waitClass string

const (
	locks      waitClass = "locks"
	conditions waitClass = "conditions"
	semaphores waitClass = "semaphores"
	events     waitClass = "events"
	barriers   waitClass = "barriers"
	joins      waitClass = "joins"
	queues     waitClass = "queues"
	calls      waitClass = "calls" // of workers and of the main thread
	tasks      waitClass = "tasks" // futures
	others     waitClass = "others"
	idle       waitClass = "idle" // threads of pools and workers without work
)

// classes are the kinds of objects by their types, or by what their names begin
// with if they have type arguments.
var classes = []struct {
	class waitClass
	types []string
}{
	{locks, []string{
		"osthread.Lock", "osthread.RLock", "osthread.RWLock", "osthread.rlocker", "thread.Lock",
		"shared.Mutex", "shared.RWMutex",
	}},
	{conditions, []string{"osthread.Condition", "shared.Cond"}},
	{semaphores, []string{"osthread.Semaphore", "shared.Semaphore"}},
	{events, []string{"osthread.Event", "shared.Event"}},
	{barriers, []string{"osthread.Barrier", "shared.Barrier"}},
	{joins, []string{"osthread.Thread", "thread.Thread"}},
	{queues, []string{"queue.Queue["}},
	{calls, []string{"executor.Worker", "main thread"}},
	{tasks, []string{"executor.Future[", "[]*executor.Future["}},
	{idle, []string{"task", "call"}},
}

func classOf(typ string) waitClass {
	for _, c := range classes {
		if slices.ContainsFunc(c.types, func(t string) bool {
			return typ == t || strings.HasSuffix(t, "[") && strings.HasPrefix(typ, t)
		}) {
			return c.class
		}
	}
	return others
}

// ended returns the waits of those classes that have ended.
func (s *Snapshot) ended(of func(c waitClass) bool) (sum Waits) {
	for typ, w := range s.Ended {
		if of(classOf(typ)) {
			sum.Count += w.Count
			sum.Time += w.Time
		}
	}
	return sum
}

const asleep = ", asleep, of threads, and in watch mode of goroutines, that have ended."

func waitMeasures() []measure {
	all := waitMeasure("/waits/total", "Waits for any object", func(c waitClass) bool { return c != idle })
	for _, c := range []struct {
		class      waitClass
		path, what string
	}{
		{locks, "/locks/contended", "Waits for locks"},
		{conditions, "/waits/conditions", "Waits for conditions"},
		{semaphores, "/waits/semaphores", "Waits for semaphores"},
		{events, "/waits/events", "Waits for events"},
		{barriers, "/waits/barriers", "Waits at barriers"},
		{joins, "/waits/joins", "Waits for the ends of threads"},
		{queues, "/waits/queues", "Waits for values of queues, or room in them"},
		{calls, "/waits/calls", "Waits for calls of workers and of the main thread"},
		{tasks, "/waits/tasks", "Waits for futures"},
		{others, "/waits/others", "Waits for other objects"},
		{idle, "/waits/idle", "Waits of threads of pools and workers for work"},
	} {
		all = append(all, waitMeasure(c.path, c.what, func(of waitClass) bool { return of == c.class })...)
	}
	return append(all, newGauge("/locks/wanted:locks", "Locks that are waited for.", func(s *Snapshot) (n int) {
		for _, o := range s.Objects {
			if classOf(o.Type) == locks && len(o.Waiters) > 0 {
				n++
			}
		}
		return n
	}))
}

func waitMeasure(path, what string, of func(c waitClass) bool) []measure {
	return []measure{
		newCounter(path+":waits", what+asleep, func(s *Snapshot) float64 { return float64(s.ended(of).Count) }),
		newCounter(path+":seconds", "Time of w"+what[1:]+asleep, func(s *Snapshot) float64 {
			return s.ended(of).Time.Seconds()
		}),
	}
}

func poolMeasures() (all []measure) {
	for _, p := range []struct {
		name, description string
		read              func(p Pool) int
	}{
		{"/pools/threads:threads", "Threads of the pool or worker.", func(p Pool) int { return p.Threads }},
		{"/pools/idle:threads", "Of those, the idle ones.", func(p Pool) int { return p.Idle }},
		{"/pools/backlog:tasks", "Tasks that wait to begin.", func(p Pool) int { return p.Backlog }},
		{
			"/pools/blocked:submitters", "Submitters that wait for room in the backlog.",
			func(p Pool) int { return p.Blocked },
		},
	} {
		all = append(all, newMeasure(p.name, Gauge, p.description, "pool", func(s *Snapshot) map[string]float64 {
			values := map[string]float64{}
			for _, pool := range s.Pools {
				values[pool.Name] += float64(p.read(pool))
			}
			return values
		}))
	}
	return all
}

func queueMeasures() (all []measure) {
	for _, q := range []struct {
		name, description string
		read              func(q Queue) int
	}{
		{"/queues/length:values", "Values in the queue.", func(q Queue) int { return q.Len }},
		{"/queues/getters:waiters", "Callers that wait for a value.", func(q Queue) int { return q.Getters }},
		{"/queues/putters:waiters", "Callers that wait for room.", func(q Queue) int { return q.Putters }},
	} {
		all = append(all, newMeasure(q.name, Gauge, q.description, "queue", func(s *Snapshot) map[string]float64 {
			values := map[string]float64{}
			for _, queue := range s.Queues {
				values[queue.Name] += float64(q.read(queue))
			}
			return values
		}))
	}
	return all
}
