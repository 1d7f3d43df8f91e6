//go:build !cgo || android

package main

var cLoads []load
