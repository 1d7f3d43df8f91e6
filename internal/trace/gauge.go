package trace

// A gauge returns, for an object of its kinds, the queue or pool of that object
// and how many values or tasks wait in it, and false for others.
type gauge = func(obj any) (of any, n int, ok bool)

var gauges []gauge

// RegisterGauge adds a gauge. It is called by package initialization.
func RegisterGauge(g gauge) { gauges = append(gauges, g) }

// Length returns the queue or pool that obj, an object of trace events, is or
// belongs to, and how many values or tasks wait in it. It returns false for
// other objects. The caller holds no guard.
func Length(obj any) (of any, n int, ok bool) {
	for _, g := range gauges {
		if of, n, ok = g(obj); ok {
			return of, n, true
		}
	}
	return nil, 0, false
}
