//go:build !osthreadwatch

package watch

// tagged says that the build turns watch mode on.
const tagged = false
