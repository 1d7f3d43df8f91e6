package thread

// This file has no code. It is the contract of the operating-system files.
//
// A platform consists of one column of this table; the first line of each file
// names the system calls that it uses.
//
//	                    linux, cgo         linux            darwin, cgo        windows             any other
//	making threads      pthread_cgo.go     pthread_none.go  pthread_cgo.go     win_windows.go      pthread_none.go
//	                    pthread_linux.go                    pthread_darwin.go
//	asking the kernel   sched_linux.go     sched_linux.go   pthread_darwin.go  win_windows.go      sched_none.go
//	signals             signal_linux.go    signal_linux.go  signal_none.go     signal_none.go      signal_none.go
//	COM, handles        win_none.go        win_none.go      win_none.go        win_windows.go      win_none.go
//
// "linux, cgo" excludes Android, which belongs to "linux". On Windows cgo makes
// no difference.
//
// # Constants and variables
//
//	osNative       C can make threads that call Go; otherwise all are pinned
//	osAliens       threads of C can call Go
//	osExitUnseen   C code can end a native thread without a call of ended, and
//	               osIsGone notices
//	osGuard        GuardSize is supported
//	osMeasuresStacks StackUse is supported
//	osLocksMemory  LockMemory is supported
//	osAffinity     Affinity is supported
//	osNice         Nice is supported
//	osMemoryPolicy Memory is supported
//	osBandwidth    Bandwidth and ResetOnFork are supported
//	osSlack        TimerSlack is supported
//	osQoS          QoS is supported
//	osSignalMask   SignalMask is supported
//	osApartment    Apartment is supported
//	osMaxCPUs      the number of processors that an affinity can name
//	osNeverBlocked the signals that a mask must not block: bit n-1 for signal n
//	osSignals      signals of threads are supported, beyond SignalMask
//	osReservedSignals the signals that a program may not send
//	osFaults       the signals that the processor causes
//	osInterrupts   a thread can be brought out of a call
//	osUnblockable  the signals that the kernel does not block
//	pageSize       in bytes
//	minStack       the least stack size in bytes
//	staticTLS      bytes to be added to each stack for thread-local variables
//
// # Making threads
//
//	osCreate(t, a)       make a thread that runs nativeMain(t.slot), with the
//	                     stack, guard and signal mask of a
//	osMakePreemptible(t) make sure that the runtime can preempt the calling
//	                     thread of C, t, in a loop without calls
//	osLeave(back, how)   end the calling thread of C from within Go, as a return
//	                     of how to C would; back is the argument of nativeMain or
//	                     ended, 0 on a thread that called Go in another way
//	osTryJoin(t)         join the ended thread t if pthread made it; false if it
//	                     is still on its stack
//	osDetach(t)          detach the ended thread t if pthread made it
//
// # Watching threads
//
//	osWatch(t)           have the end of the calling, attached thread reported: on
//	                     a thread of C by a call of ended, on one of Go's by
//	                     osExited
//	osUnwatch()          undo osWatch on the calling thread
//	osExited()           the slot of a thread of Go's that ended, or unknown; each
//	                     is returned once
//	osMadeByC()          whether C made the calling thread, and whether that is
//	                     known
//	osProbe()            make a thread of C that calls probed and ends
//	osSelf()             pthread_self, on Windows the thread id
//
// # Asking the kernel
//
// These serve every kind of thread.
//
//	osStackBounds()      the least and the most bytes that a stack may have
//	osNativeID()         the calling thread's id as the system's tools show it
//	osOnFirstThread()    whether the caller is on the thread that Go began on
//	osClock()            the time at which the system dates threads; 0: it does not
//	osIsGone(t)          whether no thread has t's id, or only a thread younger
//	                     than t.since; t must have begun
//	osExists(id)         whether the process has a thread with that id
//	osYield()            sched_yield, after runtime.Gosched: a loop around the
//	                     system call alone would never give up its P
//	osSetName(t, name)   name t, truncated to what the system takes
//	osGetName(t)         t's name in the system; "" if it is not known
//	osSetAffinity(t, c)  bind t to the processors c
//	osGetAffinity(t)     the processors that t is bound to
//	osPriorityBounds(p)  the least and the most priority of the policy p
//	osSetPriority(t, p, n) set policy and priority
//	osPriority(t)        policy and priority
//	osSetBandwidth(t, b) set the deadline policy
//	osBandwidthOf(t)     its bandwidth, zero if it has another policy
//	osSetResetOnFork(t, on) set the flag
//	osResetOnFork(t)     the flag
//	osSetQoS(q)          set the calling thread's class
//	osGetQoS(t)          t's class
//	osSetMemoryPolicy(p) set the calling thread's memory policy
//	osMemoryPolicyOf()   that policy
//	osSetNice(t, n)      set the niceness
//	osSetTimerSlack(t, d) set the timer slack, 0: to what t began with
//	osTimerSlack(t)      t's timer slack
//	osSetSignalMask(m)   set the calling thread's mask: bit n-1 blocks signal n
//	osLockMemory()       lock all memory, present and future
//	osUnlockMemory()     undo it
//	osStackUse(t)        how much of its stack t, which lives, has used
//	osCPUTime(id)        processor time, 0 for the calling thread
//	osEnterApartment(t, a) enter the apartment a on the calling thread, t
//	osLeaveApartment()   leave it
//
// # Signals
//
//	osSignalName(n)      the name of signal n, "" if it has none
//	osChangeMask(c, s)   change the calling thread's mask; the mask before
//	osPending()          what is pending on the calling thread and the process
//	osSend(t, n)         send t the signal n
//	osQueue(t, n, v)     send t the signal n with the value v
//	osSigwait(t, s, l)   take one of s, which the calling thread, t, blocks
//	osInterruptible()    make ready for osInterrupt
//	osInterrupt(t)       send t the signal that ends a call with EINTR
//	osDrain()            take those signals that are pending on the calling thread
//
// # Handles
//
//	handle.lingers(t)    whether the ended thread t still exists
//	handle.close()       release what lingers needs, if it needs anything
