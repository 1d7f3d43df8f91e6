// Functions without a body, as sched_runtime.go declares, compile only in a
// package that has an assembly file.
