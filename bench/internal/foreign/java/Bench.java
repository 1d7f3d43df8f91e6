import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The contender in Java: java.util.concurrent. foreign.go documents the protocol.
 * Order of this file: durations, a round and its threads, one method per kind of
 * work, the protocol.
 */
public final class Bench {
    /** The buckets of sample.Hist. */
    static final class Hist {
        static final int SUB_BITS = 4;
        static final int SUB = 1 << SUB_BITS;

        final long[] counts = new long[(64 - SUB_BITS) * SUB];
        long max;

        static int bucket(long ns) {
            if (ns < SUB) {
                return (int) Math.max(ns, 0);
            }
            int e = 63 - Long.numberOfLeadingZeros(ns);
            return (e - SUB_BITS + 1) * SUB + (int) (ns >> (e - SUB_BITS) & (SUB - 1));
        }

        void add(long ns) {
            counts[bucket(ns)]++;
            max = Math.max(max, ns);
        }

        void merge(Hist o) {
            Arrays.setAll(counts, i -> counts[i] + o.counts[i]);
            max = Math.max(max, o.max);
        }

        @Override
        public String toString() {
            StringBuilder b = new StringBuilder();
            for (int i = 0; i < counts.length; i++) {
                if (counts[i] > 0) {
                    b.append(b.length() > 0 ? "," : "").append(i).append(':').append(counts[i]);
                }
            }
            return b.toString();
        }
    }

    /** Java has nothing that does the work of a row. */
    static final class Absent extends Exception {
        private static final long serialVersionUID = 1L;

        Absent(String why) {
            super(why);
        }
    }

    /** The round that a line asks for. */
    static final class Spec {
        final Map<String, String> text = new HashMap<>();
        final int batch;
        final int work;
        final int think;
        final int reads;
        final long warm;
        final long time;
        final boolean timed;

        Spec(String line) {
            for (String pair : line.trim().split(" +")) {
                int i = pair.indexOf('=');
                if (i < 0) {
                    throw new IllegalArgumentException(pair + ": not key=value");
                }
                text.put(pair.substring(0, i), pair.substring(i + 1));
            }
            batch = count("batch");
            work = number("work");
            think = number("think");
            reads = number("reads");
            warm = Long.parseLong(get("warm_ns"));
            time = Long.parseLong(get("time_ns"));
            timed = number("timed") != 0;
        }

        String get(String key) {
            return text.getOrDefault(key, "");
        }

        /** 0 if the line does not have the key. */
        int number(String key) {
            return Integer.parseInt(text.getOrDefault(key, "0"));
        }

        int count(String key) {
            int n = number(key);
            if (n < 1) {
                throw new IllegalArgumentException(key + " is missing");
            }
            return n;
        }
    }

    /** The steps of scenario.Work. */
    static long work(long x, int n) {
        for (int i = 0; i < n; i++) {
            x = x * 6364136223846793005L + 1442695040888963407L;
        }
        return x;
    }

    /** Results of work, so that it is not optimized away. */
    static volatile Object sink;

    interface Body {
        void run(Worker w) throws Exception;
    }

    /** One thread of a round. */
    static final class Worker {
        final Round round;
        final Spec spec;
        final int index;
        final boolean timed;
        final Hist waits = new Hist();
        private long ops;
        Object answer;
        long number;

        Worker(Round round, int index) {
            this.round = round;
            this.spec = round.spec;
            this.index = index;
            this.timed = spec.timed;
        }

        boolean going() {
            return !round.stop;
        }

        void done(int n) {
            ops += n;
            round.ops.setOpaque(index * Round.STRIDE, ops);
        }

        long waitBegins() {
            return timed ? System.nanoTime() : 0;
        }

        long waitEnds(long began) {
            return timed ? System.nanoTime() - began : 0;
        }

        /** Not in waitEnds, so that it runs without the lock. */
        void record(long wait) {
            if (timed && round.counting) {
                waits.add(wait);
            }
        }
    }

    /** A round: its threads, and the results of the snapshots. */
    static final class Round {
        static final int STRIDE = 16; // two lines: the adjacent one is prefetched

        final Spec spec;
        final Thread[] threads;
        final Worker[] workers;
        final AtomicLongArray ops; // published after each batch
        final CountDownLatch ready;
        final CountDownLatch gate = new CountDownLatch(1); // start barrier
        volatile boolean stop;
        volatile boolean counting; // between the snapshots

        long done;
        long ns;
        long cpu;
        long least;
        long most;
        double bytes;

        Round(Spec spec, int n) {
            this.spec = spec;
            threads = new Thread[n];
            workers = new Worker[n];
            ops = new AtomicLongArray((n + 1) * STRIDE);
            ready = new CountDownLatch(n);
        }

        void start(int i, Body body) {
            Worker w = workers[i] = new Worker(this, i);
            threads[i] = new Thread(() -> {
                ready.countDown();
                try {
                    gate.await();
                    body.run(w);
                } catch (Throwable e) {
                    // Not rethrown: a thread that waits for this one would hang.
                    say("error " + e);
                    Runtime.getRuntime().halt(1);
                }
            });
            threads[i].start();
        }

        private long[] snapshot(int n) {
            long[] now = new long[n];
            Arrays.setAll(now, i -> ops.getOpaque(i * STRIDE));
            return now;
        }

        /**
         * Starts the round and takes two snapshots of the first n threads. If no
         * operation completed between them, takes the second another time_ns later.
         */
        void measure(int n) throws InterruptedException {
            ready.await();
            gate.countDown();
            sleep(spec.warm);
            counting = true;
            long cpuThen = cpuTime();
            long began = System.nanoTime();
            long[] then = snapshot(n);
            do {
                sleep(spec.time);
                ns = System.nanoTime() - began;
                long[] now = snapshot(n);
                Arrays.setAll(now, i -> now[i] - then[i]);
                done = Arrays.stream(now).sum();
                least = n == 1 ? 0 : Arrays.stream(now).min().getAsLong();
                most = n == 1 ? 0 : Arrays.stream(now).max().getAsLong();
            } while (done == 0);
            cpu = known(cpuTime() - cpuThen);
            counting = false;
            stop = true;
        }

        void join(int from, int to) throws InterruptedException {
            for (int i = from; i < to; i++) {
                threads[i].join();
            }
        }

        String answer() {
            Hist all = new Hist();
            for (Worker w : workers) {
                all.merge(w.waits);
            }
            // Java does not count context switches.
            return "ok ops=" + done + " ns=" + ns + " cpu_ns=" + cpu + " switches=-1 least=" + least + " most=" + most
                    + " hist=" + all + " max_ns=" + all.max + " bytes=" + bytes;
        }
    }

    /** Thread.sleep has nanosecond resolution only since Java 19. */
    static void sleep(long ns) {
        long end = System.nanoTime() + ns;
        for (long left = ns; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    static final OperatingSystemMXBean SYSTEM = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /** In ns; the resolution may be 10 ms. */
    static long cpuTime() {
        return SYSTEM.getProcessCpuTime();
    }

    /** -1 below 20 units of that resolution, with an error of over a tenth. */
    static long known(long cpu) {
        return cpu < 200_000_000 ? -1 : cpu;
    }

    /** A round of n threads that run the same body and poll going. */
    static String together(Spec spec, int n, Body body) throws InterruptedException {
        Round r = new Round(spec, n);
        for (int i = 0; i < n; i++) {
            r.start(i, body);
        }
        r.measure(n);
        r.join(0, n);
        return r.answer();
    }

    static String lock(Spec spec) throws InterruptedException {
        ReentrantLock lock = new ReentrantLock();
        return together(spec, spec.count("threads"), w -> lockSections(w, lock));
    }

    static void lockSections(Worker w, ReentrantLock lock) {
        int batch = w.spec.batch;
        int steps = w.spec.work;
        int think = w.spec.think;
        long x = w.index;
        while (w.going()) {
            for (int i = 0; i < batch; i++) {
                x = work(x, think);
                long t = w.waitBegins();
                lock.lock();
                try {
                    t = w.waitEnds(t);
                    x = work(x, steps);
                } finally {
                    lock.unlock();
                }
                w.record(t);
            }
            w.done(batch);
        }
        sink = x;
    }

    static String recursive(Spec spec) throws InterruptedException {
        ReentrantLock lock = new ReentrantLock();
        return together(spec, 1, w -> {
            int batch = w.spec.batch;
            while (w.going()) {
                for (int i = 0; i < batch; i++) {
                    lock.lock();
                    lock.unlock();
                }
                w.done(batch);
            }
        });
    }

    static String rwlock(Spec spec) throws InterruptedException {
        ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
        Lock shared = lock.readLock();
        Lock exclusive = lock.writeLock();
        return together(spec, spec.count("threads"), w -> {
            int batch = w.spec.batch;
            int steps = w.spec.work;
            int writes = 100 - w.spec.reads;
            long x = w.index;
            long n = x; // staggers the exclusive sections
            while (w.going()) {
                for (int i = 0; i < batch; i++) {
                    // Spreads the exclusive sections evenly: of 90 percent every
                    // tenth is exclusive, of 99 every hundredth.
                    boolean read = n++ * writes % 100 >= writes;
                    long t = w.waitBegins();
                    if (read) {
                        shared.lock();
                        t = w.waitEnds(t);
                        x = work(x, steps);
                        shared.unlock();
                    } else {
                        exclusive.lock();
                        t = w.waitEnds(t);
                        x = work(x, steps);
                        exclusive.unlock();
                    }
                    w.record(t);
                }
                w.done(batch);
            }
            sink = x;
        });
    }

    /** Two threads that pass a token back and forth; thread 0 has it first. */
    interface PingPong {
        /** Waits for the token. */
        void first(int me) throws InterruptedException;

        /** Passes the token and returns when it is back, false if the other thread ended the round. */
        boolean pass(int me) throws InterruptedException;

        /** Passes the token for the last time. */
        void end(int me) throws InterruptedException;
    }

    static void pingPong(Worker w, PingPong pair) throws InterruptedException {
        int me = w.index % 2;
        int batch = w.spec.batch;
        if (me == 1) {
            pair.first(me);
        }
        while (w.going()) {
            for (int i = 0; i < batch; i++) {
                long t = w.waitBegins();
                if (!pair.pass(me)) {
                    return;
                }
                w.record(w.waitEnds(t));
            }
            w.done(batch);
        }
        pair.end(me);
    }

    static final class ConditionPair implements PingPong {
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition changed = lock.newCondition();
        private int token;
        private boolean over;

        @Override
        public void first(int me) throws InterruptedException {
            lock.lock();
            try {
                while (token != me) {
                    changed.await();
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public boolean pass(int me) throws InterruptedException {
            lock.lock();
            try {
                token = 1 - me;
                changed.signal();
                while (token != me && !over) {
                    changed.await();
                }
                return !over;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void end(int me) {
            lock.lock();
            try {
                token = 1 - me;
                over = true;
                changed.signal();
            } finally {
                lock.unlock();
            }
        }
    }

    static String condition(Spec spec) throws InterruptedException {
        ConditionPair[] pairs = new ConditionPair[spec.count("pairs")];
        Arrays.setAll(pairs, i -> new ConditionPair());
        return together(spec, 2 * pairs.length, w -> pingPong(w, pairs[w.index / 2]));
    }

    /** Java has no resettable event; a semaphore without permits stands in for it. */
    static final class EventPair implements PingPong {
        private final Semaphore[] token = {new Semaphore(0), new Semaphore(0)};
        private boolean over; // passed with the token

        @Override
        public void first(int me) throws InterruptedException {
            token[me].acquire();
        }

        @Override
        public boolean pass(int me) throws InterruptedException {
            if (over) {
                return false;
            }
            token[1 - me].release();
            token[me].acquire();
            return !over;
        }

        @Override
        public void end(int me) {
            over = true;
            token[1 - me].release();
        }
    }

    static String event(Spec spec) throws InterruptedException {
        EventPair[] pairs = new EventPair[spec.count("pairs")];
        Arrays.setAll(pairs, i -> new EventPair());
        return together(spec, 2 * pairs.length, w -> pingPong(w, pairs[w.index / 2]));
    }

    /** park and unpark, with a word for the holder of the token, since park may return spuriously. */
    static final class ParkPair implements PingPong {
        private static final int OVER = 2;

        private final Thread[] threads;
        private volatile int token;

        ParkPair(Thread[] threads) {
            this.threads = threads;
        }

        private boolean await(int me) {
            for (;;) {
                int now = token;
                if (now == me || now == OVER) {
                    return now == me;
                }
                LockSupport.park(this);
            }
        }

        private void hand(int next, int to) {
            token = next;
            LockSupport.unpark(threads[to]);
        }

        @Override
        public void first(int me) {
            await(me);
        }

        @Override
        public boolean pass(int me) {
            if (token == OVER) {
                return false;
            }
            hand(1 - me, 1 - me);
            return await(me);
        }

        @Override
        public void end(int me) {
            hand(OVER, 1 - me);
        }
    }

    static String park(Spec spec) throws InterruptedException {
        Round r = new Round(spec, 2);
        ParkPair pair = new ParkPair(r.threads);
        r.start(0, w -> pingPong(w, pair));
        r.start(1, w -> pingPong(w, pair));
        r.measure(2);
        r.join(0, 2);
        return r.answer();
    }

    static String semaphore(Spec spec) throws InterruptedException {
        Semaphore semaphore = new Semaphore(spec.count("permits"));
        return together(spec, spec.count("threads"), w -> {
            int batch = w.spec.batch;
            int steps = w.spec.work;
            long x = w.index;
            while (w.going()) {
                for (int i = 0; i < batch; i++) {
                    long t = w.waitBegins();
                    semaphore.acquire();
                    t = w.waitEnds(t);
                    x = work(x, steps);
                    semaphore.release();
                    w.record(t);
                }
                w.done(batch);
            }
            sink = x;
        });
    }

    static String barrier(Spec spec) throws InterruptedException {
        int parties = spec.count("parties");
        CyclicBarrier barrier = new CyclicBarrier(parties);
        AtomicLongArray last = new AtomicLongArray(1); // last generation, set by party 0 before it waits
        return together(spec, parties, w -> {
            int batch = w.spec.batch;
            for (long generation = 1;; generation++) {
                if (w.index == 0 && !w.going()) {
                    last.set(0, generation);
                }
                long t = w.waitBegins();
                barrier.await();
                w.record(w.waitEnds(t));
                if (last.get(0) == generation) {
                    return;
                }
                if (generation % batch == 0) {
                    w.done(batch);
                }
            }
        });
    }

    static final Object ITEM = new Object();
    static final Object END = new Object();

    static String queue(Spec spec) throws InterruptedException {
        int consumers = spec.count("consumers");
        int all = consumers + spec.count("producers");
        BlockingQueue<Object> queue = new ArrayBlockingQueue<>(spec.count("capacity"));
        Round r = new Round(spec, all);
        for (int i = 0; i < all; i++) {
            r.start(i, i < consumers ? w -> consume(w, queue) : w -> produce(w, queue));
        }
        r.measure(consumers);
        r.join(consumers, all);
        for (int i = 0; i < consumers; i++) {
            queue.put(END);
        }
        r.join(0, consumers);
        return r.answer();
    }

    static void consume(Worker w, BlockingQueue<Object> queue) throws InterruptedException {
        int batch = w.spec.batch;
        for (;;) {
            for (int i = 0; i < batch; i++) {
                long t = w.waitBegins();
                if (queue.take() == END) {
                    return;
                }
                w.record(w.waitEnds(t));
            }
            w.done(batch);
        }
    }

    static void produce(Worker w, BlockingQueue<Object> queue) throws InterruptedException {
        while (w.going()) {
            queue.put(ITEM);
        }
    }

    static String startJoin(Spec spec) throws InterruptedException {
        int stack = spec.number("stack"); // 0 is Java's default, too
        return together(spec, 1, w -> {
            while (w.going()) {
                long t = w.waitBegins();
                Thread thread = new Thread(null, () -> {}, "empty", stack);
                thread.start();
                thread.join();
                w.record(w.waitEnds(t));
                w.done(1);
            }
        });
    }

    static String submit(Spec spec, ExecutorService pool) throws InterruptedException {
        try {
            return together(spec, 1, w -> {
                while (w.going()) {
                    long t = w.waitBegins();
                    pool.submit(() -> {}).get();
                    w.record(w.waitEnds(t));
                    w.done(1);
                }
            });
        } finally {
            pool.shutdown();
        }
    }

    /** Sinks for the answers: opaque writes cannot be removed, and have no fence as volatile ones do. */
    static final VarHandle ANSWER;

    static final VarHandle NUMBER;

    static {
        try {
            ANSWER = MethodHandles.lookup().findVarHandle(Worker.class, "answer", Object.class);
            NUMBER = MethodHandles.lookup().findVarHandle(Worker.class, "number", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static final ThreadLocal<Object> LOCAL = ThreadLocal.withInitial(Object::new);

    static String identity(Spec spec) throws InterruptedException, Absent {
        switch (spec.get("op")) {
            case "current":
                return together(spec, 1, w -> {
                    while (w.going()) {
                        for (int i = 0; i < w.spec.batch; i++) {
                            ANSWER.setOpaque(w, Thread.currentThread());
                        }
                        w.done(w.spec.batch);
                    }
                });
            case "ident":
                return together(spec, 1, w -> {
                    while (w.going()) {
                        for (int i = 0; i < w.spec.batch; i++) {
                            NUMBER.setOpaque(w, Thread.currentThread().getId());
                        }
                        w.done(w.spec.batch);
                    }
                });
            case "local":
                return together(spec, 1, w -> {
                    while (w.going()) {
                        for (int i = 0; i < w.spec.batch; i++) {
                            ANSWER.setOpaque(w, LOCAL.get());
                        }
                        w.done(w.spec.batch);
                    }
                });
            case "nativeid":
                throw new Absent("Java has no system thread id");
            default:
                throw new IllegalArgumentException("op " + spec.get("op") + ": unknown");
        }
    }

    static String lateness(Spec spec) throws InterruptedException, Absent {
        if (!spec.get("policy").equals("other") || spec.get("bound").equals("true")) {
            throw new Absent("Java sets neither policy nor affinity of a thread");
        }
        long sleep = spec.count("sleep");
        return together(spec, 1, w -> {
            ReentrantLock lock = new ReentrantLock();
            Condition nobody = lock.newCondition();
            lock.lock();
            while (w.going()) {
                long due = System.nanoTime() + sleep;
                for (long left = sleep; left > 0; left = due - System.nanoTime()) {
                    nobody.awaitNanos(left);
                }
                if (w.round.counting) {
                    w.waits.add(System.nanoTime() - due);
                }
                w.done(1);
            }
            lock.unlock();
        });
    }

    /** In bytes; 0 without /proc. */
    static double resident() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/smaps_rollup"))) {
                if (line.startsWith("Rss:")) {
                    return 1024.0 * Long.parseLong(line.replaceAll("[^0-9]", ""));
                }
            }
            return 0;
        } catch (IOException e) {
            return 0;
        }
    }

    static String many(Spec spec) throws InterruptedException, Absent {
        int n = spec.count("threads");
        Round r = new Round(spec, 0);
        Thread[] threads = new Thread[n];
        CountDownLatch running = new CountDownLatch(n);
        CountDownLatch end = new CountDownLatch(1);
        Runnable blocked = () -> {
            running.countDown();
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e); // never interrupted
            }
        };
        resident(); // the first call loads classes
        double before = resident();
        long cpuThen = cpuTime();
        long began = System.nanoTime();
        int made = 0;
        try {
            for (; made < n; made++) {
                threads[made] = new Thread(blocked);
                threads[made].start();
            }
            running.await();
            r.ns = System.nanoTime() - began;
            r.cpu = known(cpuTime() - cpuThen);
            r.done = n;
            r.bytes = (resident() - before) / n;
        } catch (OutOfMemoryError e) {
            throw new Absent("thread " + (made + 1) + " of " + n + ": " + e.getMessage());
        } finally {
            end.countDown();
            for (int i = 0; i < made; i++) {
                threads[i].join();
            }
        }
        return r.answer();
    }

    static String run(Spec spec) throws InterruptedException, Absent {
        switch (spec.get("kind")) {
            case "lock":
                return lock(spec);
            case "recursive":
                return recursive(spec);
            case "rwlock":
                return rwlock(spec);
            case "condition":
                return condition(spec);
            case "event":
                return event(spec);
            case "park":
                return park(spec);
            case "semaphore":
                return semaphore(spec);
            case "barrier":
                return barrier(spec);
            case "queue":
                return queue(spec);
            case "startjoin":
                return startJoin(spec);
            case "submit":
                return submit(spec, Executors.newFixedThreadPool(1));
            case "call":
                return submit(spec, Executors.newSingleThreadExecutor());
            case "callback":
                throw new Absent("calls from C into Go apply only to Go");
            case "waiters":
                throw new Absent("measured in Go and C");
            case "identity":
                return identity(spec);
            case "lateness":
                return lateness(spec);
            case "many":
                return many(spec);
            default:
                throw new IllegalArgumentException("kind " + spec.get("kind") + ": unknown");
        }
    }

    static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    static String answer(String line) throws InterruptedException {
        if (line.startsWith("bucket ")) {
            return "ok " + Hist.bucket(Long.parseLong(line.substring("bucket ".length())));
        }
        if (!line.startsWith("run ")) {
            throw new IllegalArgumentException("want run or bucket");
        }
        try {
            return run(new Spec(line.substring("run ".length())));
        } catch (Absent e) {
            return "absent " + e.getMessage();
        }
    }

    public static void main(String[] args) throws IOException {
        say("ready Java " + Runtime.version() + ", " + System.getProperty("java.vm.name"));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                say(answer(line));
            } catch (Exception e) {
                say("error " + e);
                System.exit(1);
            }
        }
        System.exit(0); // even if threads are left
    }
}
