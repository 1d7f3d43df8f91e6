# What the scripts beside it share; sourced, not run. A script here is run by
# .ci/matrix or by hand, from any folder, and gives one row of the table for
# each platform or build mode that it shows:
#
#	#!/usr/bin/env bash
#	set -euo pipefail
#	cd "$(dirname "$0")/../.."
#	. .ci/platforms/lib.sh
#	need gcc-aarch64-linux-gnu
#	tests=$(scratch)/tests
#	gotest "$tests" ./...
#	row linux/arm64 yes yes qemu $(counts "$tests")
#
# shellcheck shell=bash

# run CMD...: prints CMD to standard error and runs it.
run() {
	printf '\n== %s\n' "$*" >&2
	"$@"
}

# row PLATFORM BUILT VETTED RAN PASSED SKIPPED: one line of the table, into the
# file $MATRIX, or to standard output without one. BUILT and VETTED are yes, no
# or -; RAN is yes, qemu, wine or no; PASSED and SKIPPED count tests, or are -.
row() {
	[ $# = 6 ] || { echo "row: want 6 columns, got $#: $*" >&2; return 1; }
	local IFS=$'\t'
	if [ -n "${MATRIX:-}" ]; then
		printf '%s\n' "$*" >>"$MATRIX"
	else
		printf '%s\n' "$*"
	fi
}

# scratch: prints a folder that is removed when the script ends. A script that
# sets a trap for EXIT itself has to call scratch_remove in it.
scratch_dir=$(mktemp -d)
scratch_remove() { rm -rf "$scratch_dir"; }
trap scratch_remove EXIT
scratch() { mktemp -d -p "$scratch_dir"; }

# need PACKAGE...: installs the Debian packages that are missing.
need() {
	! dpkg -s "$@" >/dev/null 2>&1 || return 0
	local as_root=()
	[ "$(id -u)" = 0 ] || as_root=(sudo -n)
	run "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update -qq >&2
	run "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@" >/dev/null
}

# native CMD...: runs CMD without what the script set for the platform it is
# about.
native() { env -u GOOS -u GOARCH -u GOFLAGS -u CC -u CGO_CFLAGS -u CGO_LDFLAGS CGO_ENABLED=0 "$@"; }

# gotest FILE ARG...: `go test -json ARG...` into FILE. Prints the output of
# failed tests, and the reasons of skipped ones.
gotest() {
	local file=$1 status=0
	shift
	run go test -json "$@" >"$file" || status=$?
	counts "$file" >/dev/null || return
	skips "$file" >&2
	[ $status = 0 ] || { echo "go test: exit status $status, and no failure in its output" >&2; return 1; }
}

# counts FILE: prints "PASSED SKIPPED", the tests at top level in the output of
# `go test -json`. It fails where one failed or did not end, or none ran, and
# shows its output.
counts() { native go run .ci/testjson.go counts "$1"; }

# skips FILE: prints the tests that were skipped, subtests as well, each with
# its reason.
skips() { native go run .ci/testjson.go skips "$1"; }

# suite are the packages whose tests are run on each platform: all that the
# library consists of. shellcheck disable=SC2034
suite=(. ./internal/... ./osthread/...)

# emulator CMD: has tests run by CMD, and the processes that they start of
# themselves.
emulator() { export OSTHREAD_TEST_EXEC=$1; }

# platform NAME HOW ARG...: builds and vets all packages, runs the suite with
# the arguments for go test, and prints the result in a row. HOW is how it runs:
# yes, qemu or wine.
platform() {
	local name=$1 how=$2 file exec=()
	shift 2
	file=$(scratch)/tests
	[ -z "${OSTHREAD_TEST_EXEC:-}" ] || exec=(-exec "$OSTHREAD_TEST_EXEC")
	run go build -p 1 ./...
	run go vet -p 1 ./...
	gotest "$file" -p 1 -vet=off -timeout 8m "${exec[@]}" "$@" "${suite[@]}"
	# Two words.
	# shellcheck disable=SC2046
	row "$name" yes yes "$how" $(counts "$file")
}
