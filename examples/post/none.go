//go:build !cgo || !linux

package main

import "fmt"

func main() { fmt.Println("a thread of C that posts, with cgo on Linux; see main.go") }
