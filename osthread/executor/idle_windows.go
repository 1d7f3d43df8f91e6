package executor

import (
	"example.com/thread"
	"example.com/thread/internal/pump"
	"example.com/thread/osthread"
)

// idlerFor returns the message pump of a worker with these attributes, nil if
// it has none. Whether the attributes are right is for Start to say.
func idlerFor(attr *osthread.Attr) (idler, error) {
	if attr == nil || attr.Apartment != thread.ApartmentSTA {
		return nil, nil
	}
	p, err := pump.New()
	if err != nil {
		return nil, err
	}
	return p, nil
}
