//go:build linux && !portablepark && !portablefutex && !race && go1.28

package park

// waitReasonDurable is waitReasonNone: the number is not known.
const waitReasonDurable = waitReasonNone
