//go:build !(cgo && linux)

package main

import "fmt"

func main() { fmt.Println("a library for C programs, with cgo on Linux; see main.go") }
