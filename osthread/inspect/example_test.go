package inspect_test

import (
	"fmt"
	"runtime"
	"strings"

	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
)

func ExampleTake() {
	var done osthread.Event
	server, err := osthread.Start(func() error { done.Wait(); return nil }, &osthread.Attr{Name: "server"})
	if err != nil {
		fmt.Println(err)
		return
	}
	waitOf := func() string {
		s := inspect.Take()
		for _, p := range s.Parties {
			if p.Name == "server" && p.Wait != nil {
				return s.Objects[p.Wait.Object].Text
			}
		}
		return ""
	}
	for waitOf() == "" {
		runtime.Gosched() // until it has come to its wait
	}
	object, _, _ := strings.Cut(waitOf(), "(")
	fmt.Println("server waits for an", object)
	done.Set()
	fmt.Println(server.Join())
	// Output:
	// server waits for an Event
	// <nil>
}
