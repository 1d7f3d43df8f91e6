//go:build !unix

package contender

func used() usage { return usage{} }
