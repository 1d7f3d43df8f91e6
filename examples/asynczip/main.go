// Asynczip zips files on a thread of its own. Meanwhile the program shows the
// progress:
//
//	go run ./examples/asynczip [-o archive.zip] [file ...]
//
// Without files it makes a file of 20 MB, and removes it and the archive
// afterwards. The archive must not exist yet.
package main

import (
	"archive/zip"
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"

	"example.com/thread/osthread"
)

const sampleSize = 20 << 20

func main() {
	archive := flag.String("o", "asynczip.zip", "the archive of the files")
	flag.Parse()
	err := osthread.RunMain(func() error {
		if flag.NArg() == 0 {
			return runSample(os.Stdout, sampleSize)
		}
		return run(os.Stdout, *archive, flag.Args())
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "asynczip:", err)
		os.Exit(1)
	}
}

// runSample is run with a file of size bytes, in a folder that does not stay.
func runSample(w io.Writer, size int) (err error) {
	dir, err := os.MkdirTemp("", "asynczip-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "sample.txt")
	if err := writeSample(file, size); err != nil {
		return err
	}
	return run(w, filepath.Join(dir, "sample.zip"), []string{file})
}

func run(w io.Writer, archive string, files []string) error {
	z := &asyncZip{archive: archive, files: files}
	background := osthread.NewRunner(z, &osthread.Attr{Name: "zip"})
	if err := background.Start(); err != nil {
		return err
	}
	primes := primesUntilEnd(w, background, z)
	// whatever went wrong over there; the thread has ended already, so this
	// does not wait
	if err := background.Join(); err != nil {
		return err
	}
	read, written := z.read.Load(), z.written
	fmt.Fprintf(w, "%s: %d bytes became %d (%.1f %%)\n", archive, read, written, percent(written, read))
	fmt.Fprintf(w, "The program found %d primes meanwhile.\n", primes)
	return nil
}

// primesUntilEnd is what the program has to do itself. It shows how far z is
// after every few thousand numbers.
func primesUntilEnd(w io.Writer, background *osthread.Thread, z *asyncZip) (primes int) {
	shown := -1
	show := func() {
		if now := int(percent(z.read.Load(), z.total.Load())); now != shown {
			shown = now
			fmt.Fprintf(w, "\r%3d %%", now)
		}
	}
	for n := 2; background.Alive(); n++ {
		if isPrime(n) {
			primes++
		}
		if n%5000 == 0 {
			show()
		}
	}
	show()
	fmt.Fprintln(w)
	return primes
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}

func percent(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// An asyncZip is an osthread.Runner that puts files into a new archive. If it
// fails there is no archive.
type asyncZip struct {
	archive string
	files   []string

	total, read atomic.Int64 // bytes of the files; for all threads, at any time
	written     int64        // bytes of the archive; for a caller that has joined
}

func (z *asyncZip) Run() (err error) {
	if err := z.measure(); err != nil {
		return err
	}
	out, err := os.OpenFile(z.archive, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, out.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(z.archive))
		}
	}()
	a := zip.NewWriter(out)
	for _, file := range z.files {
		if err := z.add(a, file); err != nil {
			return err
		}
	}
	if err := a.Close(); err != nil {
		return err
	}
	z.written, err = out.Seek(0, io.SeekCurrent)
	return err
}

// measure finds out what there is to do, and whether it can be done: the
// archive has the files side by side.
func (z *asyncZip) measure() error {
	seen := map[string]string{}
	for _, file := range z.files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file", file)
		}
		if other, taken := seen[info.Name()]; taken {
			return fmt.Errorf("%s and %s have the same name", other, file)
		}
		seen[info.Name()] = file
		z.total.Add(info.Size())
	}
	return nil
}

func (z *asyncZip) add(a *zip.Writer, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close() // was only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	header, err := zip.FileInfoHeader(info)
	if err != nil {
		return err
	}
	header.Method = zip.Deflate
	entry, err := a.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(entry, io.TeeReader(in, (*counter)(&z.read)))
	return err
}

// A counter is a Writer that counts bytes.
type counter atomic.Int64

func (c *counter) Write(p []byte) (int, error) {
	(*atomic.Int64)(c).Add(int64(len(p)))
	return len(p), nil
}

// writeSample writes lines of words and numbers, which become a good deal
// shorter, but not nothing.
func writeSample(name string, size int) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	words := []string{"lock", "event", "barrier", "thread", "condition", "semaphore"}
	random := rand.New(rand.NewPCG(1, 2))
	w := bufio.NewWriter(f)
	for written := 0; written < size; {
		n, err := fmt.Fprintln(w, random.IntN(1e9), words[random.IntN(len(words))], words[random.IntN(len(words))])
		if err != nil {
			return err
		}
		written += n
	}
	return w.Flush()
}
