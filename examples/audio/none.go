//go:build !(cgo && linux)

package main

import "fmt"

func main() { fmt.Println("a real-time thread of C, with cgo on Linux; see main.go") }
