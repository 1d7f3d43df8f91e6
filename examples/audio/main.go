//go:build cgo && linux

// Audio has a C thread that must never wait, as the callback of an audio
// interface must not: at a real-time priority, if the system allows it, it
// makes a block of samples 750 times a second and puts it into a ring, which Go
// empties. The C thread calls nothing of Go, takes no lock, and, beside its
// timer, makes a system call only to wake Go; Go collects garbage meanwhile.
// Note:
//
//   - A collection stops Go's threads, and not that of C: what the C thread
//     notices of it is contention for processors and caches.
//   - A ring that is full means that Go was late for all of its 1.2 s: the block
//     is dropped and counted, and the thread goes on.
//   - Real-time priority needs CAP_SYS_NICE, or a limit RLIMIT_RTPRIO. Without
//     it the thread shares the processors with all others, and its longest stall
//     is what the scheduler makes of that.
//
// It prints the longest time that the C thread has spent on one block in the
// ring, and how late its latest block was, which is the kernel's doing.
//
//	go run ./examples/audio [-t 10s]
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../csrc -D_GNU_SOURCE
#include "ost_ring.h"
#include "audio.h"
*/
import "C"

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	_ "example.com/thread/csrc" // is rebuilt if a header changes
	"example.com/thread/osthread/shared"
)

func main() {
	t := flag.Duration("t", 10*time.Second, "how long the C thread runs")
	flag.Parse()
	if err := run(os.Stdout, *t); err != nil {
		fmt.Fprintln(os.Stderr, "audio:", err)
		os.Exit(1)
	}
}

// capacity is that of the ring, in bytes: some 960 blocks.
const capacity = 1 << 18

// run has the C thread run for d, and prints what came of it.
func run(out io.Writer, d time.Duration) error {
	size := shared.RingSize(capacity)
	p := C.calloc(1, C.size_t(size)) // C keeps it, so it is not Go's
	defer C.free(p)
	mem := unsafe.Slice((*byte)(p), size)
	ring, err := shared.NewRing(mem, capacity, shared.RingAttr{Records: true})
	if err != nil {
		return err
	}
	reader, err := ring.Reader()
	if err != nil {
		return err
	}
	source := (*C.struct_source)(C.calloc(1, C.sizeof_struct_source))
	defer C.free(unsafe.Pointer(source))
	source.ring, source.size = (*C.ost_ring_t)(p), C.size_t(size)
	source.blocks = C.uint64_t(d / C.PERIOD_NS)
	if n := C.source_start(source); n != 0 {
		return fmt.Errorf("pthread_create: %w", syscall.Errno(n))
	}
	stop := collectGarbage()
	got, err := listen(reader)
	collections := stop()
	_ = reader.Close() // after an error: the C thread notices
	C.source_join(source)
	if err != nil {
		return err
	}
	if source.err != 0 {
		return fmt.Errorf("the C thread: %w", syscall.Errno(source.err))
	}
	if source.not_fifo != 0 {
		fmt.Fprintln(out, "no SCHED_FIFO:", syscall.Errno(source.not_fifo))
	}
	fmt.Fprintf(out, "%d blocks of %d samples, %d dropped, %d collections\n",
		got, C.SAMPLES, uint64(source.dropped), collections)
	fmt.Fprintf(out, "the C thread's longest stall in the ring: %v; its latest block: %v late\n",
		time.Duration(source.longest), time.Duration(source.latest))
	if got+uint64(source.dropped) != uint64(source.blocks) {
		return fmt.Errorf("%d blocks were made", uint64(source.blocks))
	}
	return nil
}

// listen reads blocks until C closes the ring, and returns how many.
func listen(reader *shared.RingReader) (got uint64, err error) {
	last, loudest := uint64(0), C.float(0)
	for {
		record, err := reader.Next()
		switch {
		case errors.Is(err, shared.ErrBusy):
			reader.Release()
			err = reader.WaitTimeout(10 * time.Second)
			if err == nil {
				continue
			}
		case err == nil:
			b := (*C.struct_block)(unsafe.Pointer(unsafe.SliceData(record)))
			if len(record) != C.sizeof_struct_block || uint64(b.number) <= last {
				return got, fmt.Errorf("block %d after %d", b.number, last)
			}
			last = uint64(b.number)
			for _, s := range b.sample {
				loudest = max(loudest, s)
			}
			got++
			continue
		}
		if err != io.EOF {
			return got, err
		}
		reader.Release()
		if loudest > 1 {
			return got, fmt.Errorf("a sample of %v", loudest)
		}
		return got, nil
	}
}

// collectGarbage makes garbage and has it collected, again and again, until
// stop, which returns how often that was.
func collectGarbage() (stop func() int) {
	var stopped atomic.Bool
	done := make(chan int)
	go func() {
		n := 0
		for ; !stopped.Load(); n++ {
			list := make([][]byte, 0, 1<<12)
			for range cap(list) {
				list = append(list, make([]byte, 1<<10))
			}
			runtime.GC()
			runtime.KeepAlive(list)
		}
		done <- n
	}()
	return func() int {
		stopped.Store(true)
		return <-done
	}
}
