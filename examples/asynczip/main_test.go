package main

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// filesOf makes files with these contents.
func filesOf(t *testing.T, contents map[string]string) (names []string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range contents {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, []byte(content), 0o666))
		names = append(names, name)
	}
	return names
}

func TestFilesAreInTheArchive(t *testing.T) {
	contents := map[string]string{
		"empty": "",
		"short": "a line\n",
		"long":  string(bytes.Repeat([]byte("0123456789abcdef"), 64<<10)),
	}
	files := filesOf(t, contents)
	archive := filepath.Join(t.TempDir(), "a.zip")
	var w bytes.Buffer
	require.NoError(t, run(&w, archive, files))
	assert.Contains(t, w.String(), "\r100 %\n")
	assert.Contains(t, w.String(), "a.zip: 1048583 bytes became ")
	assert.Regexp(t, `The program found \d+ primes meanwhile\.\n$`, w.String())

	r, err := zip.OpenReader(archive)
	require.NoError(t, err)
	defer r.Close()
	require.Len(t, r.File, len(contents))
	for _, f := range r.File {
		in, err := f.Open()
		require.NoError(t, err)
		got, err := io.ReadAll(in)
		require.NoError(t, err)
		require.NoError(t, in.Close())
		assert.Equal(t, contents[f.Name], string(got), f.Name)
	}
}

func TestJoinReturnsTheThreadsError(t *testing.T) {
	good := filesOf(t, map[string]string{"good": "content"})
	missing := filepath.Join(t.TempDir(), "missing")
	archive := filepath.Join(t.TempDir(), "a.zip")
	err := run(io.Discard, archive, append(good, missing))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NoFileExists(t, archive)

	assert.ErrorContains(t, run(io.Discard, archive, []string{t.TempDir()}), "is no regular file")
	assert.ErrorContains(t, run(io.Discard, archive, append(good, good...)), "have the same name")
	assert.NoFileExists(t, archive)

	require.NoError(t, os.WriteFile(archive, []byte("mine"), 0o666))
	assert.ErrorIs(t, run(io.Discard, archive, good), fs.ErrExist)
	kept, err := os.ReadFile(archive)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(kept), "an archive that was there stays")
}

func TestSampleDoesNotStay(t *testing.T) {
	tmp := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} { // Unix, Windows
		t.Setenv(name, tmp)
	}
	var w bytes.Buffer
	require.NoError(t, runSample(&w, 1<<20))
	assert.Contains(t, w.String(), "\r100 %\n")
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	assert.Empty(t, left)
}
