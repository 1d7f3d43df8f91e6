// Command words reports the words of the house dialect in the files named by
// its standard input.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A rule has a pattern, what to say instead, and what the pattern must not be
// part of. All ignore case. A blank in a pattern also matches the end of a
// line.
type rule struct{ pattern, say, except string }

var rules = []rule{
	// The field's words.
	{`patien(ce|t|tly)`, "starvation threshold, spin limit, backoff", ``},
	{`(its|his|their|a|the|next|own|whose|got|takes?|rw|has) turn|turn (to|comes|since)`, "woken to retry, designated waker", `in turn|turn to (the|a)`},
	{`adopt(s|ed|ing|ion)?`, "requeue, take ownership", ``},
	{`hand(s|ed|ing)? (it |them |the \w+ )?over`, "hand off, handoff", ``},
	{`seats?`, "parker, park slot", ``},
	{`drowsy`, "parking", ``},
	{`told|tells?|telling`, "notify, report, show", `(cannot|can|could|not|hard to) (be )?(told|tell)|(told|tells?|telling) ([\w']+ ){1,6}?(apart|from)|(told|tell) (apart|from)`},
	{`(age|thread)?looks per \w+|look(s|ed|ing)? (at|again|only|rarely|once|now|every|whether|after|too|first)|(a|many|few|each) looks?`, "spin, poll, check, read", `look(s|ed|ing)? (up|like)`},
	{`for no reason`, "spurious", ``},
	{`bur(y|ies|ied|ying|ials?)`, "reap", ``},
	{`str(ike|ikes|uck|iking)`, "remove, unregister", ``},
	{`enrol(s|led|ling)?`, "register, add", ``},
	{`applicants?`, "blocked submitter", ``},
	{`beds?`, "message pump, idle wait", `test ?beds?`},
	{`orphan(s|ed)?`, "exited thread", ``},
	{`lets? go|letting go`, "unlock, release, detach, return", ``},
	{`barge[rs]? in`, "barge", ``},
	// English.
	{`who(ever|m|mever)?`, "the waiter, owner, caller that ...", ``},
	{`(he|him|himself)`, "the waiter, caller, thread", ``},
	{`nobody's`, "has no owner, not owned", ``},
	{`somebody('s| who| else)?`, "another thread, the caller", ``},
	{`everybody|everyone`, "all waiters, all callers", ``},
	{`also (if|when|before|after|while)`, "even if, even when", ``},
	{`time-outs?|time outs?`, "timeout", `(not|to|can|may|must|will|would|could|that|waits?|and|or) time out`},
	{`time (ran|runs|has run) out|its time (is|was) up|time is up`, "timeout, deadline", ``},
	{`wake-ups?`, "wakeup", ``},
	{`in vain`, "fails, without success", ``},
	{`(is|are|was|were|not|nothing) to be had|to be had`, "available", ``},
	{`gone on with|goes on with`, "resumed", ``},
	{`may be otherwise|be otherwise`, "the result may be stale by the time it is used", ``},
	{`by the time (the caller|one) looks`, "may be stale by the time it is used", ``},
	{`what [\w']+ (has|have) not`, "lacks, does not have", ``},
	{`some day`, "eventually", ``},
	{`to and fro`, "back and forth", ``},
	{`cuts? short`, "interrupt", ``},
	{`not to be (joined|had|found|used)`, "cannot be", ``},
}

// names are rules for identifiers, which are split at capitals.
var names = []rule{
	{`patience|patiently`, "starvation threshold, backoff", ``},
	{`(got|take|rw|his|its) turn|turn since`, "woken to retry", ``},
	{`adopt(s|ed)?`, "requeue, take ownership", ``},
	{`seats?`, "parker, park slot", ``},
	{`drowsy`, "parking", ``},
	{`told|tells?`, "notify, report", ``},
	{`(thread|age) looks|looks`, "spins, polls", `looks (up|like)`},
	{`bur(y|ies|ied|ials?)`, "reap", ``},
	{`str(ike|ikes|uck)`, "remove", ``},
	{`enrol(s|led)?`, "register", ``},
	{`applicants?`, "blocked submitter", ``},
	{`(strip )?beds?`, "message pump, idle wait", ``},
	{`orphans?`, "exited thread", ``},
	{`let go|lets go`, "unlock, release, detach", ``},
	{`who(ever|m)?`, "the waiter, owner, caller", ``},
	{`in vain`, "fails", ``},
	{`time out`, "timeout", ``},
	{`wake up`, "wakeup", ``},
	{`nobodys|somebodys?`, "the noun", ``},
	{`has not|have not`, "lacks", ``},
	{`test (a|an|the|what|who|each|every|that) .*`, "test of a type or function first: TestLockHandsOff", ``},
	{`gone on`, "resumed", ``},
}

type matcher struct {
	hit, except *regexp.Regexp
	say         string
}

func compile(rs []rule) []matcher {
	ms := make([]matcher, len(rs))
	for i, r := range rs {
		ms[i].hit = regexp.MustCompile(`(?i)\b(?:` + r.pattern + `)\b`)
		ms[i].say = r.say
		if r.except != "" {
			ms[i].except = regexp.MustCompile(`(?i)\b(?:` + r.except + `)\b`)
		}
	}
	return ms
}

// A text is prose of a file. Its byte i is in line lines[i].
type text struct {
	b     []byte
	lines []int
}

func (t *text) add(s string, line int) {
	t.b = append(t.b, s...)
	t.lines = append(t.lines, slices.Repeat([]int{line}, len(s))...)
}

type hit struct {
	line       int
	found, say string
}

func (t *text) check(ms []matcher) (hits []hit) {
	for _, m := range ms {
		var except [][]int
		if m.except != nil {
			except = m.except.FindAllIndex(t.b, -1)
		}
		for _, at := range m.hit.FindAllIndex(t.b, -1) {
			if !slices.ContainsFunc(except, func(e []int) bool { return e[0] < at[1] && at[0] < e[1] }) {
				hits = append(hits, hit{t.lines[at[0]], string(t.b[at[0]:at[1]]), m.say})
			}
		}
	}
	return hits
}

var (
	marker  = regexp.MustCompile(`^[ \t]*(//+!?|/?\*+/?|#+!?|\|)?[ \t]*`)
	code    = regexp.MustCompile("`[^`\n]*`|\\]\\([^)\n]*\\)|<[^>\n]*>|https?://\\S*")
	fenced  = regexp.MustCompile("(?ms)^```.*?^```")
	clang   = regexp.MustCompile(`//[^\n]*|(?s:/\*.*?\*/)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^\\'\n])'`)
	shell   = regexp.MustCompile(`(?m)(?:^|[ \t])#[^\n]*|"(?:\\.|[^"\\\n])*"|(?s:""".*?""")`)
	capital = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)
)

// prose adds s, without markers of comments, so that a sentence goes on over
// the ends of lines, and without code in it. An empty line ends a sentence.
func (t *text) prose(s string, line int) {
	for i, l := range strings.Split(code.ReplaceAllString(s, "_"), "\n") {
		l = strings.TrimSpace(marker.ReplaceAllString(l, ""))
		if l == "" || strings.HasPrefix(l, "go:") {
			l = "\n"
		}
		t.add(l+" ", line+i)
	}
}

// literal adds a string literal if it has more than one word.
func (t *text) literal(s string, line int) {
	if strings.Contains(strings.Trim(s, "\" "), " ") {
		t.add("\n"+strings.NewReplacer(`\n`, " ", `\t`, " ").Replace(s)+"\n", line)
	}
}

// blank replaces s by its line ends.
func blank(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) }

// goFile returns the comments and strings of a Go file, and its names.
func goFile(src []byte) (prose, names text) {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, src, nil, scanner.ScanComments)
	seen, last := map[string]bool{}, 0
	for {
		pos, tok, lit := s.Scan()
		line := file.Line(pos)
		switch tok {
		case token.EOF:
			return prose, names
		case token.COMMENT:
			if line > last+1 {
				prose.add("\n", line)
			}
			prose.prose(lit, line)
			last = line + strings.Count(lit, "\n")
		case token.STRING:
			prose.literal(lit, line)
		case token.IDENT:
			if !seen[lit] {
				seen[lit] = true
				names.add(words(lit)+"\n", line)
			}
		}
	}
}

// words splits a name at its capitals and underscores.
func words(name string) string {
	return strings.ReplaceAll(capital.ReplaceAllString(name, "$1$3 $2$4"), "_", " ")
}

// otherFile returns the comments and strings of a file in another language.
func otherFile(src string, tokens *regexp.Regexp) (prose text) {
	last := 0
	for _, at := range tokens.FindAllStringIndex(src, -1) {
		line, lit := 1+strings.Count(src[:at[0]], "\n"), src[at[0]:at[1]]
		if lit[0] == '\n' {
			line, lit = line+1, lit[1:]
		}
		if lit[0] == '"' || lit[0] == '\'' {
			prose.literal(lit, line)
			continue
		}
		if line > last+1 {
			prose.add("\n", line)
		}
		prose.prose(lit, line)
		last = line + strings.Count(lit, "\n")
	}
	return prose
}

func check(file string) ([]hit, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var prose, ids text
	switch ext := filepath.Ext(file); {
	case ext == ".go":
		prose, ids = goFile(src)
	case ext == ".md" || ext == ".html":
		prose.prose(fenced.ReplaceAllStringFunc(string(src), blank), 1)
	case slices.Contains([]string{".c", ".h", ".s", ".rs", ".java"}, ext):
		prose = otherFile(string(src), clang)
	default:
		prose = otherFile(string(src), shell)
	}
	hits := append(prose.check(compiled), ids.check(compiledNames)...)
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.line, b.line) })
	return allow(file, strings.Split(string(src), "\n"), hits), nil
}

// allow returns the hits outside the lines that words.allow names: a file and a
// part of the line, with a blank between.
func allow(file string, lines []string, hits []hit) []hit {
	return slices.DeleteFunc(hits, func(h hit) bool {
		return slices.ContainsFunc(allowed, func(a string) bool {
			name, part, _ := strings.Cut(a, " ")
			return name == file && part != "" && strings.Contains(lines[h.line-1], part)
		})
	})
}

var (
	compiled, compiledNames = compile(rules), compile(names)
	allowed                 []string
)

func main() {
	count := flag.Bool("c", false, "print only the number of hits in each file")
	flag.Parse()
	list, err := os.ReadFile(".ci/words.allow")
	if err != nil {
		fatal(err)
	}
	allowed = strings.Split(string(list), "\n")
	files, err := io.ReadAll(os.Stdin)
	if err != nil {
		fatal(err)
	}
	total := 0
	for _, file := range strings.Fields(string(files)) {
		if strings.HasPrefix(file, ".ci/words") { // has them all
			continue
		}
		hits, err := check(file)
		if err != nil {
			fatal(err)
		}
		total += len(hits)
		if *count && len(hits) != 0 {
			fmt.Printf("%4d %s\n", len(hits), file)
		}
		for _, h := range hits {
			if !*count {
				fmt.Printf("%s:%d: %q: %s\n", file, h.line, h.found, h.say)
			}
		}
	}
	if total != 0 {
		fmt.Printf("%d words of the house dialect\n", total)
		os.Exit(1)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "words:", err)
	os.Exit(2)
}
