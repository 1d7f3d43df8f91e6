package inspect

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestProfileIsRead(t *testing.T) {
	const text = `goroutine profile: total 3
2 @ 0x47d 0x41b
# labels: {"job":"a \"b\", {c}", "thread":"alice \u00e9"}
#	0x47d4a0	main.(*bank[...]).transfer+0x3f		/src/a b/bank.go:41
#	0x41b	main.main.func1+0xb	C:/src/bank.go:7

1 @ 0x1
# labels: {"job":"x"}
#	0x1	main.other+0x1	/src/o.go:1

1 @ 0x1
#	0x1	main.third+0x1	/src/o.go:2
`
	assert.Equal(t, map[string][][]Frame{
		"alice é": {{{"main.(*bank[...]).transfer", "/src/a b/bank.go", 41}, {"main.main.func1", "C:/src/bank.go", 7}}},
	}, parseProfile(text))
}

func TestDumpIsRead(t *testing.T) {
	const text = `goroutine 17 gp=0xc0 m=3 [chan receive, 3 minutes, locked to thread]:
main.(*bank).transfer(0xc000012, {0x1, 0x2}, ...)
	/src/a b/bank.go:41 +0x1d
main.main.func1()
	C:/src/bank.go:7
created by main.main in goroutine 1
	/src/bank.go:6 +0x2

goroutine 1 [running]:
main.main()
	/src/bank.go:3 +0x9
`
	assert.Equal(t, map[uint64][]Frame{
		17: {{"main.(*bank).transfer", "/src/a b/bank.go", 41}, {"main.main.func1", "C:/src/bank.go", 7}},
		1:  {{"main.main", "/src/bank.go", 3}},
	}, parseDump(text))
}

func TestStacksByIDHaveTheCaller(t *testing.T) {
	found := 0
	for _, stack := range stacksByID() {
		for _, f := range stack {
			if f.Func == module+"/osthread/inspect.TestStacksByIDHaveTheCaller" {
				assert.NotZero(t, f.Line)
				found++
			}
		}
	}
	assert.Equal(t, 1, found)
}
