//go:build cgo && linux && !android

// Package statictls gives the test of its name a program with much
// thread-local memory of C, which glibc takes from each thread's stack.
package statictls

// #include <unistd.h>
//
// static __thread char memory[200 << 10];
//
// static void touch(void)
// {
//	for (unsigned long i = 0; i < sizeof(memory); i += 4096)
//		((volatile char *)memory)[i] = 1;
// }
import "C"

// Touch writes to the calling thread's memory.
func Touch() { C.touch() }

// LeastStack returns the platform's least stack size in bytes.
func LeastStack() int { return int(C.sysconf(C._SC_THREAD_STACK_MIN)) }
