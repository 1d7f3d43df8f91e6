//go:build linux && !portablepark && !portablefutex && !race && !go1.28

package park

// waitReasonDurable is the runtime's waitReasonSyncCondWait.
const waitReasonDurable = 21
