package main

// systemLoads are those that Linux alone has, with C or without.
var systemLoads = append(interruptLoads, cLoads...)
