//go:build !linux

package main

var systemMeasures []measure
