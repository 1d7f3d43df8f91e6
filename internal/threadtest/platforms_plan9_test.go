package threadtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func checkOtherProcesses(t *testing.T, cell string) { assert.Equal(t, "no", cell) }
func checkRobust(t *testing.T, cell string)         { assert.Equal(t, "no", cell) }
