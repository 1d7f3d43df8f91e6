package inspect_test

import (
	"encoding/json"
	"expvar"
	"fmt"

	"example.com/thread/osthread/inspect"
)

func ExampleVar() {
	expvar.Publish("osthread", inspect.Var()) // at /debug/vars

	var values map[string]any
	if err := json.Unmarshal([]byte(expvar.Get("osthread").String()), &values); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("deadlocks:", values["/deadlocks/present:deadlocks"])
	// Output: deadlocks: 0
}
