"""The contender in Python: threading, queue and concurrent.futures.

foreign.go documents the protocol. Order of this file: durations, a round and its
threads, one function per kind of work, the protocol. Timed and untimed rounds
have separate loops where an if would be a large part of what is measured.
"""

import os
import platform
import queue
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

try:
    import resource
except ImportError:  # Windows
    resource = None

# The buckets of sample.Hist.
SUB_BITS = 4
SUB = 1 << SUB_BITS
BUCKETS = (64 - SUB_BITS) * SUB

now = time.perf_counter_ns


def bucket(ns):
    if ns < SUB:
        return max(ns, 0)
    e = ns.bit_length() - 1
    return (e - SUB_BITS + 1) * SUB + (ns >> (e - SUB_BITS) & (SUB - 1))


def work(x, n):
    """The steps of scenario.Work."""
    for _ in range(n):
        x = (x * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
    return x


class Absent(Exception):
    """Python has nothing that does the work of a row."""


class Spec:
    """The round that a line asks for; its keys are attributes."""

    threads = pairs = parties = permits = capacity = producers = consumers = 1
    reads = work = think = stack = sleep = 0
    op = policy = caller = ""
    bound = "false"

    def __init__(self, line):
        for pair in line.split():
            key, value = pair.split("=")
            text = key in ("kind", "caller", "op", "object", "policy", "bound")
            setattr(self, key, value if text else int(value))
        if min(self.batch, self.time_ns) < 1:
            raise ValueError("batch and time_ns are missing")


class Worker:
    """One thread of a round."""

    def __init__(self, round_, index):
        self.round = round_
        self.spec = round_.spec
        self.index = index
        self.ops = 0  # published after each batch
        self.waits = []  # sorted into buckets at the end: append is cheapest

    def going(self):
        return not self.round.stop

    def record(self, began):
        """Counts a wait that has just ended, in a timed round."""
        wait = now() - began
        if self.round.counting:
            self.waits.append(wait)


def switches():
    if resource is None:
        return -1
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw


def known(before, after):
    return -1 if after < 0 else after - before


class Round:
    """A round: its threads, and the results of the snapshots."""

    def __init__(self, spec, n):
        self.spec = spec
        self.workers = [Worker(self, i) for i in range(n)]
        self.threads = []
        self.gate = threading.Barrier(n + 1)  # start barrier
        self.stop = False
        self.counting = False  # between the snapshots
        self.ops = self.ns = self.cpu = self.switches = self.least = self.most = self.bytes = 0

    def start(self, body, *args):
        worker = self.workers[len(self.threads)]

        def enter():
            try:
                self.gate.wait()
                body(worker, *args)
            except BaseException:  # a thread that waits for this one would hang
                traceback.print_exc()
                say("error " + traceback.format_exc().splitlines()[-1])
                os._exit(1)

        thread = threading.Thread(target=enter)
        self.threads.append(thread)
        thread.start()

    def measure(self, n):
        """Starts the round and takes two snapshots of the first n threads.

        If no operation completed between them, takes the second another time_ns
        later.
        """
        workers = self.workers[:n]
        self.gate.wait()
        time.sleep(self.spec.warm_ns / 1e9)
        self.counting = True
        cpu, context, began = time.process_time_ns(), switches(), now()
        first = [w.ops for w in workers]
        while self.ops == 0:
            time.sleep(self.spec.time_ns / 1e9)
            self.ns = now() - began
            ops = [w.ops - then for w, then in zip(workers, first)]
            self.ops = sum(ops)
        self.cpu = time.process_time_ns() - cpu
        self.switches = known(context, switches())
        self.counting = False
        self.stop = True
        if n > 1:
            self.least, self.most = min(ops), max(ops)

    def join(self, begin, end):
        for thread in self.threads[begin:end]:
            thread.join()

    def answer(self):
        counts = [0] * BUCKETS
        longest = 0
        for worker in self.workers:
            for wait in worker.waits:
                counts[bucket(wait)] += 1
                longest = max(longest, wait)
        hist = ",".join(f"{i}:{n}" for i, n in enumerate(counts) if n)
        return (
            f"ok ops={self.ops} ns={self.ns} cpu_ns={self.cpu} switches={self.switches} least={self.least} most={self.most}"
            f" hist={hist} max_ns={longest} bytes={self.bytes}"
        )


def together(spec, n, body, *args):
    """A round of n threads that run the same body and poll going."""
    r = Round(spec, n)
    for _ in range(n):
        r.start(body, *args)
    r.measure(n)
    r.join(0, n)
    return r.answer()


def lock(spec):
    body = timed_sections if spec.timed else sections if spec.work or spec.think else empty_sections
    return together(spec, spec.threads, body, threading.Lock())


def empty_sections(w, mutex):
    batch = w.spec.batch
    while w.going():
        for _ in range(batch):
            with mutex:
                pass
        w.ops += batch


def sections(w, mutex):
    batch, steps, think = w.spec.batch, w.spec.work, w.spec.think
    x = w.index
    while w.going():
        for _ in range(batch):
            if think:
                x = work(x, think)
            with mutex:
                if steps:
                    x = work(x, steps)
        w.ops += batch


def timed_sections(w, mutex):
    batch, steps, think = w.spec.batch, w.spec.work, w.spec.think
    x = w.index
    while w.going():
        for _ in range(batch):
            if think:
                x = work(x, think)
            began = now()
            with mutex:
                wait = now() - began
                if steps:
                    x = work(x, steps)
            if w.round.counting:
                w.waits.append(wait)
        w.ops += batch


def recursive(spec):
    return together(spec, 1, empty_sections, threading.RLock())


class ConditionPair:
    def __init__(self):
        self.changed = threading.Condition(threading.Lock())
        self.token = 0
        self.over = False  # passed with the token


def condition_ping_pong(w, pairs):
    """Two threads that pass a token back and forth; thread 0 has it first."""
    pair = pairs[w.index // 2]
    me, other = w.index % 2, 1 - w.index % 2
    batch, timed, changed = w.spec.batch, w.spec.timed, pair.changed
    with changed:
        while pair.token != me:
            changed.wait()
    while w.going():
        for _ in range(batch):
            if timed:
                began = now()
            with changed:
                pair.token = other
                changed.notify()
                while pair.token != me and not pair.over:
                    changed.wait()
            if pair.over:
                return
            if timed:
                w.record(began)
        w.ops += batch
    with changed:
        pair.token = other
        pair.over = True
        changed.notify()


def condition(spec):
    return together(spec, 2 * spec.pairs, condition_ping_pong, [ConditionPair() for _ in range(spec.pairs)])


class EventPair:
    def __init__(self):
        self.token = threading.Event(), threading.Event()
        self.over = False  # passed with the token


def event_ping_pong(w, pairs):
    pair = pairs[w.index // 2]
    mine, yours = pair.token[w.index % 2], pair.token[1 - w.index % 2]
    batch, timed = w.spec.batch, w.spec.timed
    if w.index % 2:
        mine.wait()
        mine.clear()
    while w.going() and not pair.over:
        for _ in range(batch):
            if timed:
                began = now()
            yours.set()
            mine.wait()
            mine.clear()
            if pair.over:
                return
            if timed:
                w.record(began)
        w.ops += batch
    pair.over = True
    yours.set()


def event(spec):
    return together(spec, 2 * spec.pairs, event_ping_pong, [EventPair() for _ in range(spec.pairs)])


def semaphore(spec):
    body = timed_sections if spec.timed else sections if spec.work else empty_sections
    return together(spec, spec.threads, body, threading.Semaphore(spec.permits))


def barrier(spec):
    meeting = threading.Barrier(spec.parties)
    meeting.last = 0  # last generation, set by party 0 before it waits
    return together(spec, spec.parties, barrier_passes, meeting)


def barrier_passes(w, meeting):
    batch, timed = w.spec.batch, w.spec.timed
    generation = 0
    while True:
        generation += 1
        if w.index == 0 and not w.going():
            meeting.last = generation
        if timed:
            began = now()
        meeting.wait()
        if timed:
            w.record(began)
        if meeting.last == generation:
            return
        if generation % batch == 0:
            w.ops += batch


def queue_(spec):
    items = queue.Queue(spec.capacity)
    r = Round(spec, spec.consumers + spec.producers)
    for _ in range(spec.consumers):
        r.start(consume, items)
    for _ in range(spec.producers):
        r.start(produce, items)
    r.measure(spec.consumers)
    r.join(spec.consumers, None)
    for _ in range(spec.consumers):
        items.put(None)
    r.join(0, spec.consumers)
    return r.answer()


def consume(w, items):
    batch, timed = w.spec.batch, w.spec.timed
    while True:
        for _ in range(batch):
            if timed:
                began = now()
            if items.get() is None:
                return
            if timed:
                w.record(began)
        w.ops += batch


def produce(w, items):
    while w.going():
        items.put(1)


def nothing():
    pass


def repeat(spec, operation):
    """A round of one thread that repeats one operation."""

    def body(w):
        timed = spec.timed
        while w.going():
            if timed:
                began = now()
            operation()
            if timed:
                w.record(began)
            w.ops += 1

    return together(spec, 1, body)


def start_join(spec):
    def operation():
        thread = threading.Thread(target=nothing)
        thread.start()
        thread.join()

    threading.stack_size(spec.stack)  # of all threads started from here on; 0: the default
    try:
        return repeat(spec, operation)
    finally:
        threading.stack_size(0)


def submit(spec):
    with ThreadPoolExecutor(1) as pool:
        return repeat(spec, lambda: pool.submit(nothing).result())


local = threading.local()


def ask_local(w):
    batch = w.spec.batch
    local.value = 1
    while w.going():
        for _ in range(batch):
            local.value
        w.ops += batch


def ask(w, question):
    batch = w.spec.batch
    while w.going():
        for _ in range(batch):
            question()
        w.ops += batch


def identity(spec):
    if spec.op == "local":
        return together(spec, 1, ask_local)
    questions = {"current": threading.current_thread, "ident": threading.get_ident, "nativeid": threading.get_native_id}
    return together(spec, 1, ask, questions[spec.op])


def schedule(spec):
    """Sets the policy and the affinity of a lateness row on the calling thread."""
    if spec.policy == "fifo":
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(os.sched_get_priority_min(os.SCHED_FIFO)))
    if spec.bound == "true":
        os.sched_setaffinity(0, {0})


def try_schedule(spec):
    """Tries the settings on a separate thread first: the machine may refuse them."""
    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(schedule, spec).result()
        except (OSError, AttributeError) as e:
            raise Absent(e) from None


def late_waits(w):
    schedule(w.spec)
    nobody = threading.Event()
    sleep = w.spec.sleep
    while w.going():
        due = now() + sleep
        nobody.wait(sleep / 1e9)
        w.record(due)
        w.ops += 1


def lateness(spec):
    try_schedule(spec)
    return together(spec, 1, late_waits)


def resident():
    """In bytes; 0 without /proc."""
    try:
        with open("/proc/self/smaps_rollup") as f:
            return next(int(line.split()[1]) << 10 for line in f if line.startswith("Rss:"))
    except OSError:
        return 0


def many(spec):
    n = spec.threads
    r = Round(spec, 0)
    # One lock per thread: if one event woke ten thousand threads at once, they
    # would contend for the interpreter for a minute.
    ends = [threading.Lock() for _ in range(n)]
    for end in ends:
        end.acquire()
    threads = []
    before, cpu, context, began = resident(), time.process_time_ns(), switches(), now()
    try:
        for end in ends:
            thread = threading.Thread(target=end.acquire)
            thread.start()  # returns when the thread runs
            threads.append(thread)
        r.ops, r.ns = n, now() - began
        r.cpu, r.switches = time.process_time_ns() - cpu, known(context, switches())
        r.bytes = (resident() - before) / n
    except RuntimeError as e:
        raise Absent(f"thread {len(threads) + 1} of {n}: {e}") from None
    finally:
        for end, thread in zip(ends, threads):
            end.release()
            thread.join()
    return r.answer()


def absent(why):
    def kind(_):
        raise Absent(why)

    return kind


KINDS = {
    "lock": lock,
    "recursive": recursive,
    "rwlock": absent("threading has no reader-writer lock"),
    "condition": condition,
    "event": event,
    "park": absent("threading does not wake a given thread"),
    "semaphore": semaphore,
    "barrier": barrier,
    "queue": queue_,
    "startjoin": start_join,
    "submit": submit,
    "call": submit,  # a given thread is called as a pool of one thread
    "callback": absent("calls from C into Go apply only to Go"),
    "waiters": absent("measured in Go and C"),
    "identity": identity,
    "lateness": lateness,
    "many": many,
}


def say(line):
    print(line, flush=True)


def answer(line):
    verb, _, rest = line.partition(" ")
    if verb == "bucket":
        return f"ok {bucket(int(rest))}"
    if verb != "run":
        raise ValueError("want run or bucket")
    spec = Spec(rest)
    try:
        return KINDS[spec.kind](spec)
    except Absent as e:
        return f"absent {e}"


def main():
    say(f"ready {platform.python_implementation()} {platform.python_version()}")
    for line in sys.stdin:
        try:
            text = answer(line)
        except Exception as e:
            say(f"error {type(e).__name__}: {e}")
            raise
        say(text)


main()
