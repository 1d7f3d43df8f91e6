//go:build linux && !portablepark && !portablefutex && !race && go1.28

package park

// waitReasonDurable is plain: the number is not known.
const waitReasonDurable = plain
