package executor

import (
	"example.com/thread"
	"example.com/thread/internal/pump"
	"example.com/thread/osthread"
)

// bedFor returns where a worker with these attributes sleeps, nil for the usual place. Whether the attributes are right is for Start to say.
func bedFor(attr *osthread.Attr) (bed, error) {
	if attr == nil || attr.Apartment != thread.ApartmentSTA {
		return nil, nil
	}
	p, err := pump.New()
	if err != nil {
		return nil, err
	}
	return p, nil
}
