package watch

type edgeCache struct{}

// Wants notes that p, the caller's party, is about to acquire object, and will
// wait for it without a limit.
func (p *Party) Wants(object any, how How) {
	if p.top.Load() > 0 {
		p.wants(object, how)
	}
}

func (p *Party) wants(object any, how How) {}
