//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/thread"
)

// prefix begins the names of what children make, so that it can be removed.
const prefix = "apifuzz"

// signals do not end a process that is notified of them. The others do so by
// their meaning, as those of faults.
var signals = []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGURG, syscall.SIGWINCH, syscall.SIGCONT}

// values makes arguments of one call.
type values struct {
	c     *child
	rng   *rand.Rand
	depth int // of calls in callbacks
}

func oneOf[T any](v *values, all ...T) T { return all[v.rng.IntN(len(all))] }

func (v *values) args(f reflect.Type) []reflect.Value {
	args := make([]reflect.Value, f.NumIn())
	for i := range args {
		args[i] = v.of(f.In(i))
	}
	return args
}

// of returns a value of type t: hostile, or one of the pool.
func (v *values) of(t reflect.Type) reflect.Value {
	if make, special := specials[t]; special {
		if made := make(v); made != nil {
			return reflect.ValueOf(made).Convert(t)
		}
		return reflect.Zero(t)
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Chan:
		return v.shared(t)
	case reflect.Func:
		return v.function(t)
	case reflect.Slice:
		return v.slice(t)
	case reflect.Struct, reflect.Array:
		made := reflect.New(t).Elem()
		v.setFields(made)
		return made
	case reflect.String:
		return reflect.ValueOf(v.text()).Convert(t)
	case reflect.Bool:
		return reflect.ValueOf(v.rng.IntN(2) == 0).Convert(t)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return reflect.ValueOf(v.number()).Convert(t)
	}
	return reflect.Zero(t)
}

// number returns a number, most often one at a border.
func (v *values) number() int64 {
	if v.rng.IntN(3) == 0 {
		return int64(v.rng.IntN(10))
	}
	n := oneOf[int64](v, 0, 1, 2, 3, 8, 64, 1<<10, 1<<16, 1<<20, math.MaxInt32, 1<<32, 1<<40, 1<<62, math.MaxInt64)
	return oneOf(v, n, n, -n, n-1, n+1)
}

func (v *values) text() string {
	return oneOf(v, "", prefix, prefix+"-2", "é"+prefix, prefix+"\x00x", prefix+"\xff\xfe", prefix+"%s%n%d",
		strings.Repeat(prefix, 1000), prefix+"\n<b>&\"'", prefix+"/x",
		"../"+prefix+"/../x\x00", "0-3,5", "4294967295", "0-18446744073709551615")
}

// shared returns nil, or one of the pool that is a t, or makes one.
func (v *values) shared(t reflect.Type) reflect.Value {
	if v.rng.IntN(10) == 0 {
		return reflect.Zero(t)
	}
	if r := v.c.pool.that(v.rng, t); r.IsValid() && v.rng.IntN(8) != 0 {
		return r
	}
	if t.Kind() == reflect.Pointer {
		made := reflect.New(t.Elem())
		if isOurs(t.Elem()) || v.rng.IntN(2) == 0 {
			v.setFields(made.Elem())
		}
		return made
	}
	return reflect.Zero(t)
}

// setFields sets some exported fields of a struct.
func (v *values) setFields(s reflect.Value) {
	if s.Kind() != reflect.Struct {
		return
	}
	for i := range s.NumField() {
		if s.Type().Field(i).IsExported() && v.rng.IntN(3) == 0 {
			s.Field(i).Set(v.of(s.Type().Field(i).Type))
		}
	}
}

func (v *values) slice(t reflect.Type) reflect.Value {
	n := oneOf(v, 0, 1, 1, 2, 3, 100, 4096)
	if t.Elem().Kind() != reflect.Uint8 {
		n = oneOf(v, 0, 1, 1, 2, 3, 20)
	}
	if v.rng.IntN(10) == 0 {
		return reflect.Zero(t)
	}
	s := reflect.MakeSlice(t, n, n)
	if t.Elem().Kind() != reflect.Uint8 || v.rng.IntN(2) == 0 {
		for i := range n {
			s.Index(i).Set(v.of(t.Elem()))
		}
	}
	return s
}

// function returns nil, or a function that returns, panics, ends its goroutine
// or thread, or makes a call itself.
func (v *values) function(t reflect.Type) reflect.Value {
	if v.rng.IntN(8) == 0 {
		return reflect.Zero(t)
	}
	return reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
		n := v.c.begun.Add(1)
		in := &values{c: v.c, rng: rand.New(rand.NewPCG(v.c.seed, n)), depth: v.depth + 1}
		in.act(n)
		for _, a := range args {
			if a.Kind() == reflect.Func && !a.IsNil() && in.depth < 4 { // yield
				a.Call(in.args(a.Type()))
			} else {
				v.c.pool.add(in.rng, a)
			}
		}
		results := make([]reflect.Value, t.NumOut())
		for i := range results {
			results[i] = in.of(t.Out(i))
		}
		return results
	})
}

func (v *values) act(n uint64) {
	switch v.rng.IntN(16) {
	case 0:
		panic(oneOf[any](v, "text", errors.New("error"), 7, struct{}{}, &runtime.PanicNilError{}))
	case 1:
		runtime.Goexit()
	case 2:
		thread.Exit()
	case 3:
		runtime.GC()
	case 4, 5, 6:
		if v.depth < 3 {
			v.c.call(n, v.depth)
		}
	case 7:
		runtime.Gosched()
	}
}

// specials make arguments of types whose values mean something.
var specials = map[reflect.Type]func(v *values) any{
	reflect.TypeFor[context.Context](): func(v *values) any { return v.context() },
	reflect.TypeFor[time.Duration](): func(v *values) any {
		return oneOf(v, time.Duration(0), 1, -1, time.Microsecond, time.Millisecond, 5*time.Millisecond,
			time.Hour, math.MaxInt64, math.MinInt64, math.MaxInt64-1)
	},
	reflect.TypeFor[time.Time](): func(v *values) any {
		return oneOf(v, time.Time{}, time.Now(), time.Now().Add(time.Millisecond), time.Unix(1<<62, 0),
			time.Unix(-1<<62, 0))
	},
	reflect.TypeFor[error](): func(v *values) any {
		return oneOf[any](v, nil, errors.New(prefix), context.Canceled, thread.ErrTimeout, badError{})
	},
	reflect.TypeFor[any](): func(v *values) any { return oneOf[any](v, nil, 1, prefix, new(thread.Lock)) },
	reflect.TypeFor[os.Signal](): func(v *values) any {
		if v.rng.IntN(2) == 0 {
			return oneOf[any](v, nil, noSignal{}, syscall.Signal(-1), syscall.Signal(0), syscall.Signal(65),
				syscall.Signal(1<<30), syscall.Signal(33))
		}
		return oneOf(v, signals...)
	},
	// No real-time one: the machine is others', too.
	reflect.TypeFor[thread.Policy](): func(v *values) any {
		return oneOf(v, thread.PolicyInherit, thread.PolicyOther, thread.PolicyBatch, thread.PolicyIdle, -1, 1<<30)
	},
	reflect.TypeFor[os.FileMode](): func(v *values) any {
		return oneOf(v, os.FileMode(0), 0o600, 0o7777,
			math.MaxUint32)
	},
	reflect.TypeFor[*os.File](): func(v *values) any { return v.file() },
	reflect.TypeFor[io.Writer](): func(v *values) any {
		return oneOf[any](v, nil, io.Discard, badWriter{}, httptest.NewRecorder())
	},
	reflect.TypeFor[http.ResponseWriter](): func(v *values) any { return oneOf[any](v, nil, httptest.NewRecorder()) },
	reflect.TypeFor[*http.Request](): func(v *values) any {
		r := httptest.NewRequest(oneOf(v, "GET", "POST", "HEAD"), "/"+oneOf(v, "", "json", "stream",
			"?seconds=0", "?seconds=-1", "?debug=9"), nil)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		time.AfterFunc(time.Second, cancel)
		return r.WithContext(ctx)
	},
	reflect.TypeFor[sync.Locker](): func(v *values) any {
		if r := v.c.pool.that(v.rng, reflect.TypeFor[sync.Locker]()); r.IsValid() {
			return r.Interface()
		}
		return oneOf[any](v, nil, new(sync.Mutex), badLocker{})
	},
}

func (v *values) context() any {
	ctx, cancel := context.WithTimeout(context.Background(), oneOf(v, 0, time.Microsecond, time.Millisecond,
		5*time.Millisecond))
	time.AfterFunc(time.Second, cancel)
	gone, stop := context.WithCancelCause(ctx)
	stop(oneOf[error](v, nil, errors.New(prefix), badError{}))
	return oneOf[any](v, nil, ctx, ctx, ctx, gone, context.Background(), badContext{ctx}, nilContext{ctx},
		context.WithValue(ctx, badError{}, 1))
}

func (v *values) file() any {
	if v.rng.IntN(4) == 0 {
		return (*os.File)(nil)
	}
	f, err := os.CreateTemp(".", prefix)
	if err != nil {
		return (*os.File)(nil)
	}
	switch v.rng.IntN(3) {
	case 0:
		_ = f.Close() // the point of it
	case 1:
		_ = f.Truncate(int64(v.rng.IntN(1 << 16))) // may fail
	}
	return f
}

// What a caller may pass that does not do what its interface says.
type (
	badError   struct{}
	badWriter  struct{}
	badLocker  struct{}
	noSignal   struct{}
	badContext struct{ context.Context }
	nilContext struct{ context.Context }
)

func (badError) Error() string                { panic("Error") }
func (badWriter) Write(p []byte) (int, error) { return len(p) + 1, nil }
func (badLocker) Lock()                       {}
func (badLocker) Unlock()                     { panic("Unlock") }
func (noSignal) String() string               { return "no signal" }
func (noSignal) Signal()                      {}
func (badContext) Err() error                 { panic("Err") }
func (nilContext) Done() <-chan struct{}      { return nil }
func (nilContext) Err() error                 { return nil }

// describe returns arguments as the log shows them: not by their String.
func describe(args []reflect.Value) string {
	var texts []string
	for _, a := range args {
		switch a.Kind() {
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			texts = append(texts, fmt.Sprint(a.Int()))
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
			texts = append(texts, fmt.Sprint(a.Uint()))
		case reflect.String:
			texts = append(texts, fmt.Sprintf("%.20q", a.String()))
		case reflect.Bool:
			texts = append(texts, fmt.Sprint(a.Bool()))
		case reflect.Pointer, reflect.Func, reflect.Chan, reflect.Slice, reflect.Interface:
			text := typeName(a.Type())
			if a.Kind() == reflect.Interface && !a.IsNil() {
				text = typeName(a.Elem().Type())
			}
			if a.IsNil() {
				text += "(nil)"
			}
			texts = append(texts, text)
		default:
			texts = append(texts, typeName(a.Type()))
		}
	}
	return "(" + strings.Join(texts, ", ") + ")"
}
