package inspect

import (
	"encoding/json"
	"fmt"
)

// A variable is the metrics as an expvar.Var. Package expvar registers a
// handler when it is imported, so this package does not import it.
type variable struct{}

// Var returns the metrics in the form of package expvar, of which the program
// publishes it:
//
//	expvar.Publish("osthread", inspect.Var())
//
// Its String is a JSON object of the values of Metrics by their names; the
// value of a metric with a label is an object of values by labels.
func Var() fmt.Stringer { return variable{} }

// String returns the metrics of a new snapshot as JSON.
func (variable) String() string {
	values := map[string]any{}
	for _, m := range measures {
		if m.Label != "" {
			values[m.Name] = map[string]float64{}
		}
	}
	for _, s := range Metrics() {
		if labels, ok := values[s.Metric].(map[string]float64); ok {
			labels[s.Label] = s.Value
		} else {
			values[s.Metric] = s.Value
		}
	}
	text, err := json.Marshal(values)
	if err != nil { // no value is infinite
		return "null"
	}
	return string(text)
}
