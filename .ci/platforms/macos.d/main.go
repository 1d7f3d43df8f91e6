// Program macos.d reads Mach-O executables that cannot run here, and fails
// unless they are what a Mac would start: for the processor asked for, bound to
// the system's libraries alone, and with the symbols that older systems lack
// imported weakly.
//
//	go run ./.ci/platforms/macos.d -cpu arm64 -weak os_sync_wait_on_address,os_sync_wake_by_address_any FILE...
package main

import (
	"debug/macho"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	cpu := flag.String("cpu", "", "arm64 or amd64")
	weak := flag.String(
		"weak",
		"",
		"symbols, with commas between, that no file may import otherwise than weakly, and one file at least must import",
	)
	flag.Parse()
	if err := checkAll(flag.Args(), *cpu, strings.Split(*weak, ",")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func checkAll(files []string, cpu string, weak []string) error {
	if len(files) == 0 {
		return errors.New("no files")
	}
	seen := map[string]int{}
	for _, name := range files {
		imported, err := check(name, cpu, weak)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, s := range imported {
			seen[s]++
		}
	}
	for _, s := range weak {
		if seen[s] == 0 {
			return fmt.Errorf("no file imports %s", s)
		}
		fmt.Printf("%s: weak in all of the %d files that import it\n", s, seen[s])
	}
	fmt.Printf("%d executables for %s, with the system's libraries alone\n", len(files), cpu)
	return nil
}

var cpus = map[string]macho.Cpu{"arm64": macho.CpuArm64, "amd64": macho.CpuAmd64}

// check returns which of the symbols weak the file imports.
func check(name, cpu string, weak []string) (imported []string, err error) {
	f, err := macho.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Type != macho.TypeExec || f.Cpu != cpus[cpu] {
		return nil, fmt.Errorf("got %v for %v", f.Type, f.Cpu)
	}
	libs, err := f.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(libs, "/usr/lib/libSystem.B.dylib") {
		return nil, fmt.Errorf("not bound to libSystem: %v", libs)
	}
	for _, lib := range libs {
		if !strings.HasPrefix(lib, "/usr/lib/") && !strings.HasPrefix(lib, "/System/Library/") {
			return nil, fmt.Errorf("bound to %s", lib)
		}
	}
	binds, err := bindings(f, name)
	if err != nil {
		return nil, err
	}
	for _, s := range f.Symtab.Syms {
		const undefined, weakReference = 0, 0x40 // N_UNDF of N_TYPE; N_WEAK_REF
		if s.Type&0x0e != undefined || !slices.Contains(weak, strings.TrimPrefix(s.Name, "_")) {
			continue
		}
		if s.Desc&weakReference == 0 {
			return nil, fmt.Errorf("the symbol table imports %s, but not weakly", s.Name)
		}
		isWeak, ok := binds[s.Name]
		if !ok || !isWeak {
			return nil, fmt.Errorf("%s is not a weak import", s.Name)
		}
		imported = append(imported, strings.TrimPrefix(s.Name, "_"))
	}
	return imported, nil
}

// bindings returns the symbols that the loader binds, and whether each may be
// missing, out of LC_DYLD_INFO_ONLY (mach-o/loader.h).
func bindings(f *macho.File, name string) (map[string]bool, error) {
	const dyldInfoOnly = 0x80000022
	file, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for _, l := range f.Loads {
		raw := l.Raw()
		if binary.LittleEndian.Uint32(raw) != dyldInfoOnly {
			continue
		}
		binds := map[string]bool{}
		// After the command and its size come pairs of offset and size: rebase,
		// bind, weak bind (of C++), lazy bind, export.
		for _, at := range []int{16, 32} {
			off, size := binary.LittleEndian.Uint32(raw[at:]), binary.LittleEndian.Uint32(raw[at+4:])
			if int(off)+int(size) > len(file) {
				return nil, errors.New("bindings lie past the end")
			}
			readBindings(file[off:off+size], binds)
		}
		return binds, nil
	}
	return nil, errors.New("no LC_DYLD_INFO_ONLY")
}

// readBindings follows the opcodes in b, the upper four bits of a byte with an
// immediate value below. A symbol is weak if it is so everywhere.
func readBindings(b []byte, binds map[string]bool) {
	const (
		dylibULEB    = 0x20
		symbol       = 0x40 // its flags are immediate, its name follows
		addend       = 0x60
		segment      = 0x70
		addAddress   = 0x80
		bindAdd      = 0xa0
		bindTimes    = 0xc0
		weakImport   = 1
		opcode       = 0xf0
		continuation = 0x80
	)
	skipNumber := func() {
		for len(b) > 0 && b[0]&continuation != 0 {
			b = b[1:]
		}
		if len(b) > 0 {
			b = b[1:]
		}
	}
	for len(b) > 0 {
		op, immediate := b[0]&opcode, b[0]&^opcode
		b = b[1:]
		switch op {
		case symbol:
			name, rest, _ := strings.Cut(string(b), "\x00")
			b = b[len(b)-len(rest):]
			isWeak, ok := binds[name]
			binds[name] = immediate&weakImport != 0 && (isWeak || !ok)
		case dylibULEB, addend, segment, addAddress, bindAdd:
			skipNumber()
		case bindTimes:
			skipNumber()
			skipNumber()
		}
	}
}
