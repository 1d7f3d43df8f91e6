//go:build !cgo || windows

package main

import "fmt"

func main() { fmt.Println("this example needs cgo and pthreads; see main.go") }
