//go:build !cgo || windows

package main

import "fmt"

func main() { fmt.Println("a thread of C that posts, with cgo on Linux or macOS; see main.go") }
