// Package inspect shows what the threads of a process are doing: Dump writes it
// for a person, in the manner of Java's jstack, and Take returns it as data.
package inspect
