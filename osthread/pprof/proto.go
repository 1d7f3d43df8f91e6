package pprof

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"runtime"
	"time"

	"example.com/thread/internal/waitprof"
)

// The format is that of github.com/google/pprof/proto/profile.proto: a protocol
// buffer, compressed. This file has the fields that are used, by their numbers.
// Locations have their functions, so that no reader needs the binary.
const (
	profileSampleType        = 1
	profileSample            = 2
	profileLocation          = 4
	profileFunction          = 5
	profileStrings           = 6
	profileTime              = 9
	profileDuration          = 10
	profileDefaultSampleType = 14

	valueType = 1
	valueUnit = 2

	sampleLocation = 1
	sampleValue    = 2
	sampleLabel    = 3

	labelKey = 1
	labelStr = 2

	locationID      = 1
	locationAddress = 3
	locationLine    = 4

	lineFunction = 1
	lineLine     = 2

	functionID   = 1
	functionName = 2
	functionFile = 4
)

// A message is an encoded message of protocol buffers.
type message []byte

const (
	varint    = 0 // wire types
	delimited = 2
)

func (m *message) uint(field int, v uint64) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|varint)
	*m = binary.AppendUvarint(*m, v)
}

func (m *message) bytes(field int, b []byte) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|delimited)
	*m = binary.AppendUvarint(*m, uint64(len(b)))
	*m = append(*m, b...)
}

// A builder makes the message of a profile.
type builder struct {
	out       message
	strings   map[string]uint64
	functions map[string]uint64
	locations map[location]uint64
}

type location struct {
	function, file string
	line           int
}

// write writes the profile of records, which were collected for d, to w.
func write(w io.Writer, records map[waitprof.Key]waitprof.Record, began time.Time, d time.Duration) error {
	b := builder{
		strings:   map[string]uint64{},
		functions: map[string]uint64{},
		locations: map[location]uint64{},
	}
	b.string("") // is the first one
	b.valueType(profileSampleType, "waits", "count")
	b.valueType(profileSampleType, "delay", "nanoseconds")
	for k, r := range records {
		b.sample(&k, r)
	}
	b.out.uint(profileTime, uint64(began.UnixNano()))
	b.out.uint(profileDuration, uint64(d))
	b.out.uint(profileDefaultSampleType, b.string("delay"))
	zip := gzip.NewWriter(w)
	if _, err := zip.Write(b.out); err != nil {
		return err
	}
	return zip.Close()
}

// string returns the index of s.
func (b *builder) string(s string) uint64 {
	i, ok := b.strings[s]
	if !ok {
		i = uint64(len(b.strings))
		b.strings[s] = i
		b.out.bytes(profileStrings, []byte(s))
	}
	return i
}

func (b *builder) valueType(field int, kind, unit string) {
	var m message
	m.uint(valueType, b.string(kind))
	m.uint(valueUnit, b.string(unit))
	b.out.bytes(field, m)
}

func (b *builder) sample(k *waitprof.Key, r waitprof.Record) {
	var m, label message
	for _, f := range userStack(k.Stack[:]) {
		m.uint(sampleLocation, b.location(f))
	}
	m.uint(sampleValue, uint64(r.Count))
	m.uint(sampleValue, uint64(r.Time))
	label.uint(labelKey, b.string("object"))
	label.uint(labelStr, b.string(k.Object))
	m.bytes(sampleLabel, label)
	b.out.bytes(profileSample, m)
}

// location returns the id of the location of f.
func (b *builder) location(f runtime.Frame) uint64 {
	at := location{f.Function, f.File, f.Line}
	id, ok := b.locations[at]
	if ok {
		return id
	}
	id = uint64(len(b.locations) + 1)
	b.locations[at] = id
	var m, line message
	m.uint(locationID, id)
	m.uint(locationAddress, uint64(f.PC))
	line.uint(lineFunction, b.function(f))
	line.uint(lineLine, uint64(f.Line))
	m.bytes(locationLine, line)
	b.out.bytes(profileLocation, m)
	return id
}

// function returns the id of the function of f.
func (b *builder) function(f runtime.Frame) uint64 {
	id, ok := b.functions[f.Function]
	if ok {
		return id
	}
	id = uint64(len(b.functions) + 1)
	b.functions[f.Function] = id
	var m message
	m.uint(functionID, id)
	m.uint(functionName, b.string(f.Function))
	m.uint(functionFile, b.string(f.File))
	b.out.bytes(profileFunction, m)
	return id
}
