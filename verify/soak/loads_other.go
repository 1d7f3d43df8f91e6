//go:build !linux

package main

var systemLoads []load
