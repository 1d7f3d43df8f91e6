//go:build !js

package main

import (
	"testing"

	"example.com/thread/internal/leak/threads"
)

func TestMain(m *testing.M) { threads.Main(m) }
