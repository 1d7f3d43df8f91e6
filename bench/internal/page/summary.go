package page

import (
	"cmp"
	"slices"

	"example.com/thread/bench/internal/chart"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/words"
)

// A summary shows where this library wins and where it loses.
type summary struct {
	Kinds       []tally // by kind of row: against the best of the others
	All         tally
	Peers       []tally // by contender: against that one
	Worst, Best []extreme
	Lost, Won   int // number of rows; Worst and Best show the extremes
}

// A tally counts rows.
type tally struct {
	Name, Class                string
	Rows, Faster, Same, Slower int // counts of how this library does
}

func (t *tally) add(v result.Verdict) {
	t.Rows++
	switch v {
	case result.Slower: // the other contender is slower
		t.Faster++
	case result.Faster:
		t.Slower++
	default:
		t.Same++
	}
}

// An extreme is a row and the best of the others in it.
type extreme struct {
	Anchor, Kind, Row, Peer, Class, Ours, Theirs, Ratio, Interval string
	ratio                                                         float64
}

const extremes = 15 // most rows shown

func summarize(run *result.Run) (s summary) {
	s.All.Name = "all"
	class := classes(run)
	var lost, won []extreme
	index := map[string]int{}
	for _, r := range run.Rows {
		peers := others(r)
		for _, p := range peers {
			i, ok := index[p.Contender]
			if !ok {
				i = len(s.Peers)
				index[p.Contender] = i
				s.Peers = append(s.Peers, tally{Name: p.Contender, Class: class[p.Contender]})
			}
			s.Peers[i].add(p.Verdict)
		}
		best, ok := strongest(peers)
		if !ok {
			continue
		}
		s.All.add(best.Verdict)
		kind(&s.Kinds, chart.Title(r.Kind)).add(best.Verdict)
		e := extreme{
			Anchor: r.Name, Kind: chart.Title(r.Kind), Row: words.Row(r),
			Peer: best.Contender, Class: class[best.Contender],
			Ours: words.NS(r.Cells[0].Time.Center), Theirs: words.NS(best.Time.Center),
			Ratio: words.Ratio(best.Ratio.Center), Interval: words.Interval(*best.Ratio, words.Number),
			ratio: best.Ratio.Center,
		}
		switch best.Verdict {
		case result.Faster:
			lost = append(lost, e)
		case result.Slower:
			won = append(won, e)
		}
	}
	slices.SortStableFunc(lost, func(a, b extreme) int { return cmp.Compare(a.ratio, b.ratio) })
	slices.SortStableFunc(won, func(a, b extreme) int { return cmp.Compare(b.ratio, a.ratio) })
	s.Lost, s.Won = len(lost), len(won)
	s.Worst, s.Best = lost[:min(len(lost), extremes)], won[:min(len(won), extremes)]
	return s
}

// kind returns the tally with the name, adding it if there is none.
func kind(ts *[]tally, name string) *tally {
	i := slices.IndexFunc(*ts, func(t tally) bool { return t.Name == name })
	if i < 0 {
		i = len(*ts)
		*ts = append(*ts, tally{Name: name})
	}
	return &(*ts)[i]
}

// others returns the cells of a row that this library is compared with.
func others(r result.Row) (cells []result.Cell) {
	if len(r.Cells) == 0 || !r.Cells[0].Ours || r.Cells[0].Absent != "" {
		return nil
	}
	for _, c := range r.Cells[1:] {
		if c.Absent == "" && !c.Ours && c.Ratio != nil {
			cells = append(cells, c)
		}
	}
	return cells
}

// strongest returns the contender that beats this library by the largest ratio,
// else one without a difference, else the closest one.
func strongest(cells []result.Cell) (best result.Cell, ok bool) {
	if len(cells) == 0 {
		return best, false
	}
	return slices.MinFunc(cells, func(a, b result.Cell) int {
		return cmp.Or(cmp.Compare(order(a.Verdict), order(b.Verdict)), cmp.Compare(a.Ratio.Center, b.Ratio.Center))
	}), true
}

func order(v result.Verdict) int {
	switch v {
	case result.Faster:
		return 0
	case result.Slower:
		return 2
	default:
		return 1
	}
}
