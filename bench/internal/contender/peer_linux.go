package contender

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread/shared"
)

// A row of two processes: this one and its peer, a child that is the same
// program, lock the same mutex. The peer publishes its sections in the memory
// that they share, and this process counts them whenever it publishes its own.

const peerVersion = 1

// peerMemory is what the processes share. What both write lies on lines of its
// own.
type peerMemory struct {
	mutex shared.Mutex
	_     [112]byte
	ops   atomic.Int64 // of the peer
	_     [120]byte
	ready shared.Event // the peer is about to begin
	over  atomic.Bool
	work  int
	batch int
}

// RunPeer is the main function of a peer. Its standard input ends with the
// process that has started it, however that ends.
func RunPeer() error {
	s, err := shared.AttachSegment(os.NewFile(3, "peer"), peerVersion)
	if err != nil {
		return err
	}
	m, err := shared.SegmentAt[peerMemory](s, 0)
	if err != nil {
		return err
	}
	alone := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		alone <- err
	}()
	join, err := native(func() {
		if err := m.sections(); err != nil {
			panic(fmt.Sprint("bench: peer: ", err))
		}
	})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- join() }()
	select {
	case err := <-ended:
		return err
	case err := <-alone:
		return errors.Join(errors.New("peer: parent has ended"), err)
	}
}

// sections is the peer's part of the round.
func (m *peerMemory) sections() error {
	if err := m.ready.Set(); err != nil {
		return err
	}
	x, work, batch := uint64(0), m.work, m.batch
	for !m.over.Load() {
		for range batch {
			if err := m.mutex.Lock(); err != nil {
				return err
			}
			if work != 0 {
				x = scenario.Work(x, work)
			}
			if err := m.mutex.Unlock(); err != nil {
				return err
			}
		}
		m.ops.Add(int64(batch))
	}
	return nil
}

// startPeer starts the peer of a round with a mutex of attr, and returns what
// it shares, and a function that ends it.
func startPeer(s scenario.Spec, attr shared.MutexAttr) (*peerMemory, func() error, error) {
	segment, err := shared.CreateSegment(4096, peerVersion)
	if err != nil {
		return nil, nil, err
	}
	m, err := shared.SegmentAt[peerMemory](segment, 0)
	if err == nil {
		err = errors.Join(m.mutex.Init(attr), m.ready.Init(false, true))
	}
	var self string
	if err == nil {
		m.work, m.batch = s.Work, s.Batch()
		self, err = os.Executable()
	}
	if err != nil {
		return nil, nil, errors.Join(err, segment.Detach())
	}
	cmd := exec.Command(self, PeerFlag)
	cmd.ExtraFiles = []*os.File{segment.File()}
	cmd.Stderr = os.Stderr
	_, err = cmd.StdinPipe() // which Wait closes
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, nil, errors.Join(err, segment.Detach())
	}
	end := func() error {
		m.over.Store(true)
		return errors.Join(cmd.Wait(), segment.Detach())
	}
	return m, end, nil
}

// sharedByProcesses is the row of two processes.
func sharedByProcesses(c *crew, attr shared.MutexAttr) (sample.Sample, error) {
	m, end, err := startPeer(c.spec, attr)
	if err != nil {
		return sample.Sample{}, err
	}
	if err := m.ready.WaitTimeout(peerTimeout); err != nil {
		return sample.Sample{}, errors.Join(err, end())
	}
	peer := make(chan *tally, 1)
	s, err := c.run(2, 2, native, func(i int, t *tally) {
		if i == 1 {
			peer <- t // its operations are those of the peer
			return
		}
		other := <-peer
		err := mutexWithErrors(c, t, &m.mutex, func() { other.ops.Store(m.ops.Load()) })
		if err != nil {
			panic(fmt.Sprint("bench: ", err))
		}
	})
	return s, errors.Join(err, end())
}
