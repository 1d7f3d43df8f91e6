import ctypes, sys, threading, time

lib = ctypes.CDLL(sys.argv[1])  # calls let other Python threads run meanwhile
for f in (lib.put, lib.left, lib.value):
    f.restype = ctypes.c_long
THREADS, EACH = 8, 2000
assert lib.begin() == 0
bad = []

def load(k):
    for i in range(EACH):
        if lib.put(ctypes.c_long(k * EACH + i)) != i + 1:
            bad.append((k, i))

threads = [threading.Thread(target=load, args=(k,)) for k in range(THREADS)]
for t in threads:
    t.start()
for t in threads:
    t.join()
lib.end()
n = THREADS * EACH
assert not bad, bad[:10]
assert [lib.value(i) for i in range(3)] == [n, n * (n - 1) // 2, n], [lib.value(i) for i in range(3)]
give_up = time.monotonic() + 20
while lib.left():  # join returns a little before the thread is gone
    assert time.monotonic() < give_up, lib.left()
print("done")
