//go:build !cgo

package main

import "fmt"

func main() { fmt.Println("this example needs cgo; see main.go") }
