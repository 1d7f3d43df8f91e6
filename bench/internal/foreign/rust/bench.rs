//! The contender in Rust: the standard library. foreign.go documents the
//! protocol. Order of this file: durations, a round and its threads, one function
//! per kind of work, the protocol.

use std::cell::Cell;
use std::collections::HashMap;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Barrier, Condvar, Mutex, OnceLock, RwLock};
use std::thread;
use std::time::{Duration, Instant};

// The buckets of sample.Hist.

const SUB_BITS: u32 = 4;
const SUB: u64 = 1 << SUB_BITS;
const BUCKETS: usize = ((64 - SUB_BITS as u64) * SUB) as usize;

fn bucket(ns: u64) -> usize {
    if ns < SUB {
        return ns as usize;
    }
    let e = 63 - ns.leading_zeros();
    (e - SUB_BITS + 1) as usize * SUB as usize + ((ns >> (e - SUB_BITS)) & (SUB - 1)) as usize
}

struct Hist {
    counts: Vec<u64>,
    max: u64,
}

impl Hist {
    fn new() -> Hist {
        Hist { counts: vec![0; BUCKETS], max: 0 }
    }

    fn add(&mut self, wait: Duration) {
        let ns = wait.as_nanos() as u64;
        self.counts[bucket(ns)] += 1;
        self.max = self.max.max(ns);
    }

    fn merge(&mut self, o: &Hist) {
        for (sum, n) in self.counts.iter_mut().zip(&o.counts) {
            *sum += n;
        }
        self.max = self.max.max(o.max);
    }
}

/// The steps of scenario.Work. With a constant factor LLVM would merge eight
/// steps into one.
#[inline]
fn work(mut x: u64, n: u64) -> u64 {
    if n == 0 {
        return x;
    }
    let factor = black_box(6364136223846793005);
    for _ in 0..n {
        x = x.wrapping_mul(factor).wrapping_add(1442695040888963407);
    }
    x
}

/// The process's resource usage by getrusage. The standard library does not offer
/// it, but links libc on every Unix.
#[cfg(target_os = "linux")]
mod usage {
    #[repr(C)]
    #[derive(Default)]
    struct Timespec {
        sec: std::ffi::c_long,
        nsec: std::ffi::c_long,
    }

    #[repr(C)]
    #[derive(Default)]
    struct Rusage {
        times: [std::ffi::c_long; 4],
        counts: [std::ffi::c_long; 14],
        reserved: [std::ffi::c_long; 16], // present in musl
    }

    extern "C" {
        fn clock_gettime(clock: i32, t: *mut Timespec) -> i32;
        fn getrusage(who: i32, u: *mut Rusage) -> i32;
    }

    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    const RUSAGE_SELF: i32 = 0;

    /// CPU time in ns.
    pub fn cpu() -> i64 {
        let mut t = Timespec::default();
        unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut t) };
        t.sec as i64 * 1_000_000_000 + t.nsec as i64
    }

    /// Voluntary and involuntary context switches: the last two fields.
    pub fn switches() -> i64 {
        let mut u = Rusage::default();
        unsafe { getrusage(RUSAGE_SELF, &mut u) };
        (u.counts[12] + u.counts[13]) as i64
    }

    /// Resident memory in bytes.
    pub fn resident() -> f64 {
        let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").expect("/proc/self/smaps_rollup");
        let rss = rollup.lines().find(|l| l.starts_with("Rss:")).expect("Rss");
        let kib: f64 = rss.split_whitespace().nth(1).expect("Rss").parse().expect("Rss");
        kib * 1024.0
    }
}

#[cfg(not(target_os = "linux"))]
mod usage {
    pub fn cpu() -> i64 {
        0
    }

    pub fn switches() -> i64 {
        0
    }

    pub fn resident() -> f64 {
        0.0
    }
}

/// -1 if usage is unknown.
fn known(n: i64) -> i64 {
    if cfg!(target_os = "linux") {
        n
    } else {
        -1
    }
}

#[derive(Default)]
struct Spec {
    text: HashMap<String, String>,
    batch: u64,
    work: u64,
    think: u64,
    reads: u64,
    warm: Duration,
    time: Duration,
    timed: bool,
}

impl Spec {
    fn parse(line: &str) -> Result<Spec, String> {
        let mut s = Spec::default();
        for pair in line.split_whitespace() {
            let (key, value) = pair.split_once('=').ok_or("not key=value")?;
            s.text.insert(key.to_string(), value.to_string());
        }
        s.batch = s.number("batch")?;
        s.work = s.number("work").unwrap_or(0);
        s.think = s.number("think").unwrap_or(0);
        s.reads = s.number("reads").unwrap_or(0);
        s.warm = Duration::from_nanos(s.number("warm_ns")?);
        s.time = Duration::from_nanos(s.number("time_ns")?);
        s.timed = s.number("timed")? != 0;
        Ok(s)
    }

    fn get(&self, key: &str) -> &str {
        self.text.get(key).map_or("", |v| v)
    }

    fn number(&self, key: &str) -> Result<u64, String> {
        self.get(key).parse().map_err(|_| format!("{key}: not a number"))
    }

    fn count(&self, key: &str) -> Result<usize, String> {
        match self.number(key)? {
            0 => Err(format!("{key}: 0")),
            n => Ok(n as usize),
        }
    }
}

/// What one thread publishes after each batch. Aligned to two cache lines, since
/// processors prefetch the adjacent line too.
#[derive(Default)]
#[repr(align(128))]
struct Ops(AtomicU64);

/// What all threads of a round share.
#[derive(Default)]
#[repr(align(128))]
struct Flags {
    stop: AtomicBool,
    counting: AtomicBool, // between the snapshots
}

struct Round<'a> {
    spec: &'a Spec,
    ops: Vec<Ops>,
    flags: Flags,
    gate: Barrier, // start barrier
    waits: Mutex<Hist>,
}

/// One thread of a round. It adds its waits to the round when it is dropped.
struct Worker<'a> {
    round: &'a Round<'a>,
    spec: &'a Spec,
    index: usize,
    timed: bool,
    waits: Hist,
}

impl Worker<'_> {
    fn going(&self) -> bool {
        !self.round.flags.stop.load(Relaxed)
    }

    fn done(&self, n: u64) {
        let ops = &self.round.ops[self.index].0;
        ops.store(ops.load(Relaxed) + n, Relaxed);
    }

    #[inline]
    fn wait_begins(&self) -> Option<Instant> {
        self.timed.then(Instant::now)
    }

    #[inline]
    fn wait_ends(&self, began: Option<Instant>) -> Option<Duration> {
        began.map(|t| t.elapsed())
    }

    /// Not in wait_ends, so that it runs without the lock.
    #[inline]
    fn record(&mut self, wait: Option<Duration>) {
        if let Some(wait) = wait {
            if self.round.flags.counting.load(Relaxed) {
                self.waits.add(wait);
            }
        }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.round.waits.lock().unwrap().merge(&self.waits);
    }
}

struct Answer {
    ops: u64,
    ns: u128,
    cpu: i64,
    switches: i64,
    least: u64,
    most: u64,
    waits: Hist,
    bytes: f64,
}

enum Failure {
    Absent(String),
    Error(String),
}

impl From<String> for Failure {
    fn from(what: String) -> Failure {
        Failure::Error(what)
    }
}

type Outcome = Result<Answer, Failure>;

impl<'a> Round<'a> {
    /// A round of that many threads, each of which must be spawned with enter.
    fn new(spec: &'a Spec, threads: usize) -> Round<'a> {
        let ops = (0..threads).map(|_| Ops::default()).collect();
        Round { spec, ops, flags: Flags::default(), gate: Barrier::new(threads + 1), waits: Mutex::new(Hist::new()) }
    }

    /// Adds the calling thread to the round, and waits for the start.
    fn enter(&self, index: usize) -> Worker<'_> {
        self.gate.wait();
        Worker { round: self, spec: self.spec, index, timed: self.spec.timed, waits: Hist::new() }
    }

    fn snapshot(&self, threads: usize) -> Vec<u64> {
        self.ops[..threads].iter().map(|n| n.0.load(Relaxed)).collect()
    }

    /// Starts the round and takes two snapshots of the first threads. If no
    /// operation completed between them, takes the second another time_ns later.
    fn measure(&self, threads: usize) -> Answer {
        self.gate.wait();
        thread::sleep(self.spec.warm);
        self.flags.counting.store(true, Relaxed);
        let (cpu, switches, began) = (usage::cpu(), usage::switches(), Instant::now());
        let first = self.snapshot(threads);
        loop {
            thread::sleep(self.spec.time);
            let ns = began.elapsed().as_nanos();
            let ops: Vec<u64> = self.snapshot(threads).iter().zip(&first).map(|(now, then)| now - then).collect();
            if ops.iter().sum::<u64>() == 0 {
                continue;
            }
            let (cpu, switches) = (known(usage::cpu() - cpu), known(usage::switches() - switches));
            self.flags.counting.store(false, Relaxed);
            self.flags.stop.store(true, Relaxed);
            let (least, most) = match threads {
                1 => (0, 0),
                _ => (*ops.iter().min().unwrap(), *ops.iter().max().unwrap()),
            };
            return Answer { ops: ops.iter().sum(), ns, cpu, switches, least, most, waits: Hist::new(), bytes: 0.0 };
        }
    }

    fn finish(self, mut answer: Answer) -> Outcome {
        answer.waits = self.waits.into_inner().unwrap();
        Ok(answer)
    }
}

/// A round of threads that run the same body and poll going.
fn together(spec: &Spec, threads: usize, body: impl Fn(&mut Worker) + Sync) -> Outcome {
    let round = Round::new(spec, threads);
    let answer = thread::scope(|scope| {
        for i in 0..threads {
            let (round, body) = (&round, &body);
            scope.spawn(move || body(&mut round.enter(i)));
        }
        round.measure(threads)
    });
    round.finish(answer)
}

/// A value on its own cache lines.
#[repr(align(128))]
struct Alone<T>(T);

fn lock(spec: &Spec) -> Outcome {
    let mutex = Alone(Mutex::new(()));
    together(spec, spec.count("threads")?, |w| {
        let (batch, steps, think) = (w.spec.batch, w.spec.work, w.spec.think);
        let mut x = w.index as u64;
        while w.going() {
            for _ in 0..batch {
                x = work(x, think);
                let t = w.wait_begins();
                let guard = mutex.0.lock().unwrap();
                let wait = w.wait_ends(t);
                x = work(x, steps);
                drop(guard);
                w.record(wait);
            }
            w.done(batch);
        }
        black_box(x);
    })
}

fn rwlock(spec: &Spec) -> Outcome {
    let lock = Alone(RwLock::new(()));
    together(spec, spec.count("threads")?, |w| {
        let (batch, steps, writes) = (w.spec.batch, w.spec.work, 100 - w.spec.reads.min(100));
        let mut x = w.index as u64;
        let mut n = x; // staggers the exclusive sections
        while w.going() {
            for _ in 0..batch {
                let t = w.wait_begins();
                let wait;
                // Spreads the exclusive sections evenly: of 90 percent every
                // tenth is exclusive, of 99 every hundredth.
                if n * writes % 100 >= writes {
                    let guard = lock.0.read().unwrap();
                    wait = w.wait_ends(t);
                    x = work(x, steps);
                    drop(guard);
                } else {
                    let guard = lock.0.write().unwrap();
                    wait = w.wait_ends(t);
                    x = work(x, steps);
                    drop(guard);
                }
                n += 1;
                w.record(wait);
            }
            w.done(batch);
        }
        black_box(x);
    })
}

/// Two threads that pass a token back and forth; thread 0 has it first.
trait PingPong: Sync {
    /// Waits for the token.
    fn first(&self, me: usize);
    /// Passes the token and returns when it is back, false if the other thread
    /// ended the round.
    fn pass(&self, me: usize) -> bool;
    /// Passes the token for the last time.
    fn end(&self, me: usize);
}

fn ping_pong(w: &mut Worker, pair: &impl PingPong) {
    let me = w.index % 2;
    let batch = w.spec.batch;
    if me == 1 {
        pair.first(me);
    }
    while w.going() {
        for _ in 0..batch {
            let t = w.wait_begins();
            if !pair.pass(me) {
                return;
            }
            w.record(w.wait_ends(t));
        }
        w.done(batch);
    }
    pair.end(me);
}

/// A lock and a condition.
#[derive(Default)]
#[repr(align(128))]
struct ConditionPair {
    token: Mutex<(usize, bool)>, // the holder, and whether it is the last one
    changed: Condvar,
}

impl PingPong for ConditionPair {
    fn first(&self, me: usize) {
        drop(self.changed.wait_while(self.token.lock().unwrap(), |t| t.0 != me).unwrap());
    }

    fn pass(&self, me: usize) -> bool {
        let mut token = self.token.lock().unwrap();
        token.0 = 1 - me;
        self.changed.notify_one();
        token = self.changed.wait_while(token, |t| t.0 != me && !t.1).unwrap();
        !token.1
    }

    fn end(&self, me: usize) {
        *self.token.lock().unwrap() = (1 - me, true);
        self.changed.notify_one();
    }
}

fn condition(spec: &Spec) -> Outcome {
    let n = spec.count("pairs")?;
    let pairs: Vec<ConditionPair> = (0..n).map(|_| ConditionPair::default()).collect();
    together(spec, 2 * n, |w| ping_pong(w, &pairs[w.index / 2]))
}

/// The standard library has no event; programs build it from a flag, a lock and a
/// condition, as in the documentation of Condvar.
#[derive(Default)]
#[repr(align(128))]
struct Event {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Event {
    fn set(&self) {
        *self.set.lock().unwrap() = true;
        self.changed.notify_one();
    }

    /// Waits until the event is set, and clears it.
    fn take(&self) {
        *self.changed.wait_while(self.set.lock().unwrap(), |set| !*set).unwrap() = false;
    }
}

#[derive(Default)]
struct EventPair {
    token: [Event; 2],
    over: AtomicBool, // passed with the token
}

impl PingPong for EventPair {
    fn first(&self, me: usize) {
        self.token[me].take();
    }

    fn pass(&self, me: usize) -> bool {
        if self.over.load(Relaxed) {
            return false;
        }
        self.token[1 - me].set();
        self.token[me].take();
        !self.over.load(Relaxed)
    }

    fn end(&self, me: usize) {
        self.over.store(true, Relaxed);
        self.token[1 - me].set();
    }
}

fn event(spec: &Spec) -> Outcome {
    let n = spec.count("pairs")?;
    let pairs: Vec<EventPair> = (0..n).map(|_| EventPair::default()).collect();
    together(spec, 2 * n, |w| ping_pong(w, &pairs[w.index / 2]))
}

/// park and unpark, with a word for the holder of the token, since park may return
/// spuriously.
struct ParkPair {
    threads: [OnceLock<thread::Thread>; 2],
    token: AtomicI64, // the holder; OVER: both end
}

const OVER: i64 = 2;

impl ParkPair {
    fn give(&self, token: i64, to: usize) {
        self.token.store(token, std::sync::atomic::Ordering::Release);
        self.threads[to].get().unwrap().unpark();
    }

    fn wait(&self, me: usize) -> bool {
        loop {
            match self.token.load(std::sync::atomic::Ordering::Acquire) {
                OVER => return false,
                token if token == me as i64 => return true,
                _ => thread::park(),
            }
        }
    }
}

impl PingPong for ParkPair {
    fn first(&self, me: usize) {
        self.wait(me);
    }

    fn pass(&self, me: usize) -> bool {
        if self.token.load(Relaxed) == OVER {
            return false;
        }
        self.give(1 - me as i64, 1 - me);
        self.wait(me)
    }

    fn end(&self, me: usize) {
        self.give(OVER, 1 - me);
    }
}

fn park(spec: &Spec) -> Outcome {
    let pair = ParkPair { threads: Default::default(), token: AtomicI64::new(0) };
    let both = Barrier::new(2);
    together(spec, 2, |w| {
        pair.threads[w.index].set(thread::current()).unwrap();
        both.wait();
        ping_pong(w, &pair);
    })
}

fn barrier(spec: &Spec) -> Outcome {
    let n = spec.count("parties")?;
    let barrier = Alone(Barrier::new(n));
    let last = Alone(AtomicU64::new(0)); // last generation, set by party 0 before it waits
    together(spec, n, |w| {
        let batch = w.spec.batch;
        for generation in 1.. {
            if w.index == 0 && !w.going() {
                last.0.store(generation, Relaxed);
            }
            let t = w.wait_begins();
            barrier.0.wait();
            w.record(w.wait_ends(t));
            if last.0.load(Relaxed) == generation {
                return;
            }
            if generation % batch == 0 {
                w.done(batch);
            }
        }
    })
}

/// Consumers share the one Receiver under a Mutex, which they hold while they wait.
/// They end when the last producer has dropped its sender.
fn queue(spec: &Spec) -> Outcome {
    let (producers, consumers) = (spec.count("producers")?, spec.count("consumers")?);
    let (sender, receiver) = sync_channel::<u64>(spec.count("capacity")?);
    let round = Round::new(spec, producers + consumers);
    let shared = Mutex::new(receiver);
    let answer = thread::scope(|scope| {
        let (round, shared) = (&round, &shared);
        for i in 0..consumers {
            scope.spawn(move || {
                let mut w = round.enter(i);
                if consumers == 1 {
                    // A single consumer owns the Receiver: it locks once.
                    let receiver = shared.lock().unwrap();
                    consume(&mut w, || receiver.recv().is_ok());
                } else {
                    consume(&mut w, || shared.lock().unwrap().recv().is_ok());
                }
            });
        }
        for i in 0..producers {
            let sender = sender.clone();
            scope.spawn(move || {
                let w = round.enter(consumers + i);
                while w.going() {
                    sender.send(i as u64).unwrap();
                }
            });
        }
        drop(sender);
        round.measure(consumers)
    });
    round.finish(answer)
}

fn consume(w: &mut Worker, get: impl Fn() -> bool) {
    let batch = w.spec.batch;
    loop {
        for _ in 0..batch {
            let t = w.wait_begins();
            if !get() {
                return;
            }
            w.record(w.wait_ends(t));
        }
        w.done(batch);
    }
}

fn start_join(spec: &Spec) -> Outcome {
    let stack = spec.number("stack").unwrap_or(0) as usize;
    together(spec, 1, |w| {
        while w.going() {
            let t = w.wait_begins();
            let builder = if stack == 0 { thread::Builder::new() } else { thread::Builder::new().stack_size(stack) };
            builder.spawn(|| ()).expect("spawn").join().unwrap();
            w.record(w.wait_ends(t));
            w.done(1);
        }
    })
}

/// Calls on a given thread are sent through a channel; that thread runs them and
/// answers on another channel.
fn call(spec: &Spec) -> Outcome {
    let (jobs, inbox) = channel::<Box<dyn FnOnce() + Send>>();
    let server = thread::spawn(move || inbox.into_iter().for_each(|job| job()));
    let jobs = Mutex::new(Some(jobs));
    let answer = together(spec, 1, |w| {
        let jobs = jobs.lock().unwrap().take().unwrap();
        let (done, results) = sync_channel(1);
        while w.going() {
            let t = w.wait_begins();
            let done = done.clone();
            jobs.send(Box::new(move || done.send(()).unwrap())).unwrap();
            results.recv().unwrap();
            w.record(w.wait_ends(t));
            w.done(1);
        }
    });
    server.join().unwrap();
    answer
}

thread_local! {
    static LOCAL: Cell<u64> = const { Cell::new(1) };
}

fn identity(spec: &Spec) -> Outcome {
    match spec.get("op") {
        "current" => ask(spec, thread::current),
        "ident" => ask(spec, || thread::current().id()),
        "local" => ask(spec, || LOCAL.get()),
        "nativeid" => Err(Failure::Absent("std has no system thread id".into())),
        op => Err(Failure::Error(format!("op {op}: unknown"))),
    }
}

fn ask<T>(spec: &Spec, question: impl Fn() -> T + Sync) -> Outcome {
    together(spec, 1, |w| {
        let batch = w.spec.batch;
        while w.going() {
            for _ in 0..batch {
                black_box(question());
            }
            w.done(batch);
        }
    })
}

fn lateness(spec: &Spec) -> Outcome {
    if spec.get("policy") != "other" || spec.get("bound") == "true" {
        return Err(Failure::Absent("std sets neither policy nor affinity of a thread".into()));
    }
    let sleep = Duration::from_nanos(spec.number("sleep")?);
    together(spec, 1, |w| {
        let (mutex, nobody) = (Mutex::new(()), Condvar::new());
        let mut guard = mutex.lock().unwrap();
        while w.going() {
            let due = Instant::now() + sleep;
            loop {
                let left = due.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                guard = nobody.wait_timeout(guard, left).unwrap().0;
            }
            w.record(Some(due.elapsed()));
            w.done(1);
        }
    })
}

/// Threads that are alive and blocked.
#[derive(Default)]
struct Crowd {
    state: Mutex<(usize, bool)>, // how many run, and whether they must end
    all_run: Condvar,
    go: Condvar,
}

fn many(spec: &Spec) -> Outcome {
    let n = spec.count("threads")?;
    let crowd = Crowd::default();
    let mut refused = None;
    let answer = thread::scope(|scope| {
        let (before, cpu, switches, began) = (usage::resident(), usage::cpu(), usage::switches(), Instant::now());
        for _ in 0..n {
            let made = thread::Builder::new().spawn_scoped(scope, || {
                let mut state = crowd.state.lock().unwrap();
                state.0 += 1;
                if state.0 == n {
                    crowd.all_run.notify_one();
                }
                drop(crowd.go.wait_while(state, |s| !s.1).unwrap());
            });
            if made.is_err() {
                refused = made.err();
                break;
            }
        }
        let mut state = crowd.state.lock().unwrap();
        if refused.is_none() {
            state = crowd.all_run.wait_while(state, |s| s.0 < n).unwrap();
        }
        let ns = began.elapsed().as_nanos();
        let (cpu, switches) = (known(usage::cpu() - cpu), known(usage::switches() - switches));
        let bytes = (usage::resident() - before) / n as f64;
        state.1 = true;
        crowd.go.notify_all();
        Answer { ops: n as u64, ns, cpu, switches, least: 0, most: 0, waits: Hist::new(), bytes }
    });
    match refused {
        None => Ok(answer),
        Some(why) => Err(Failure::Absent(format!("{n} threads: {why}"))),
    }
}

fn run(line: &str) -> Outcome {
    let spec = Spec::parse(line)?;
    match spec.get("kind") {
        "lock" => lock(&spec),
        "rwlock" => rwlock(&spec),
        "condition" => condition(&spec),
        "event" => event(&spec),
        "park" => park(&spec),
        "barrier" => barrier(&spec),
        "queue" => queue(&spec),
        "startjoin" => start_join(&spec),
        "call" => call(&spec),
        "identity" => identity(&spec),
        "lateness" => lateness(&spec),
        "many" => many(&spec),
        "recursive" => Err(Failure::Absent("std has no stable recursive lock".into())),
        "semaphore" => Err(Failure::Absent("std has no semaphore".into())),
        "submit" => Err(Failure::Absent("std has no pool of threads".into())),
        "waiters" => Err(Failure::Absent("measured in Go and C".into())),
        "callback" => Err(Failure::Absent("calls from C into Go apply only to Go".into())),
        kind => Err(Failure::Error(format!("kind {kind:?}: unknown"))),
    }
}

fn text(a: &Answer) -> String {
    let hist: Vec<String> = a.waits.counts.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, n)| format!("{i}:{n}")).collect();
    format!(
        "ok ops={} ns={} cpu_ns={} switches={} least={} most={} hist={} max_ns={} bytes={:.1}",
        a.ops,
        a.ns,
        a.cpu,
        a.switches,
        a.least,
        a.most,
        hist.join(","),
        a.waits.max,
        a.bytes
    )
}

fn answer(line: &str) -> Result<String, String> {
    if let Some(ns) = line.strip_prefix("bucket ") {
        return Ok(format!("ok {}", bucket(ns.parse::<i64>().map_err(|e| e.to_string())?.max(0) as u64)));
    }
    match run(line.strip_prefix("run ").ok_or("want run or bucket")?) {
        Ok(a) => Ok(text(&a)),
        Err(Failure::Absent(why)) => Ok(format!("absent {why}")),
        Err(Failure::Error(what)) => Err(what),
    }
}

fn main() {
    let mut out = std::io::stdout();
    let mut say = |line: String| writeln!(out, "{line}").and_then(|()| out.flush()).expect("standard output");
    say(format!("ready {}", option_env!("BENCH_RUSTC").unwrap_or("rustc")));
    for line in std::io::stdin().lock().lines() {
        match answer(&line.expect("standard input")) {
            Ok(text) => say(text),
            Err(what) => {
                say(format!("error {what}"));
                std::process::exit(1);
            }
        }
    }
}
