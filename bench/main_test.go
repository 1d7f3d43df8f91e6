package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"

	"example.com/thread/bench/internal/contender"
	"example.com/thread/bench/internal/scenario"
)

func TestBadFlagsEndBeforeAnythingIsMeasured(t *testing.T) {
	for _, args := range [][]string{{"-count", "0"}, {"-count", "x"}, {"-time", "0s"}, {"-run", "("}, {"-run", "nothing is called so"}, {"-bad"}, {"extra"}} {
		var out bytes.Buffer
		if err := bench(args, &out, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
		if out.Len() > 0 {
			t.Errorf("%q: wrote %q", args, &out)
		}
	}
	if err := bench([]string{"-h"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: got %v", err)
	}
}

func TestListNamesEveryScenario(t *testing.T) {
	var out bytes.Buffer
	if err := bench([]string{"-list"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(out.String(), "\n"), len(scenario.All()); got != want {
		t.Errorf("got %d lines, want %d", got, want)
	}
}

func TestTableHasARowAScenarioAndAColumnAContender(t *testing.T) {
	var out bytes.Buffer
	if err := bench([]string{"-run", "^lock/threads=(1|2)/work=0|startjoin|recursive", "-count", "2", "-time", "1ms"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"lock/threads=1/work=0", "lock/threads=2/work=0", "startjoin/stack=64KiB", "startjoin/stack=default", "recursive/caller=pinned"} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("row %s is not there once:\n%s", want, &out)
		}
	}
	for _, c := range contender.All(scenario.Thread) {
		if !strings.Contains(out.String(), c.Name) {
			t.Errorf("column %s is missing:\n%s", c.Name, &out)
		}
	}
}
