//go:build !linux

package main

var systemStorms []storm
