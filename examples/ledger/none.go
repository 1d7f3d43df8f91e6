//go:build !linux

package main

import "fmt"

func main() { fmt.Println("robust mutexes between processes are Linux's; see main.go") }
