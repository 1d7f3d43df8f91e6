//go:build !linux && !darwin && !plan9

package shared

import (
	"fmt"
	"os"
)

// No memory that processes share, or no futex in it.

var errNoSegment = fmt.Errorf("shared: segment: %w", ErrUnsupported)

func memfd(string) (*os.File, error)                      { return nil, errNoSegment }
func seal(*os.File) error                                 { return errNoSegment }
func checkSealed(*os.File) error                          { return errNoSegment }
func allocate(*os.File, int) error                        { return errNoSegment }
func shmPath(string) (string, error)                      { return "", errNoSegment }
func openFile(string, int, os.FileMode) (*os.File, error) { return nil, errNoSegment }
func mmap(*os.File, int) ([]byte, error)                  { return nil, errNoSegment }
func unmap([]byte) error                                  { return errNoSegment }
