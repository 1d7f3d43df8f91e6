package main

import "fmt"

// loads returns the loads that s.only matches.
func (s *soak) loads() ([]load, error) {
	var all []load
	for _, some := range [][]load{
		lockLoads, rwLoads, conditionLoads, semaphoreLoads, eventLoads, waitAnyLoads, queueLoads,
		sharedLoads, barrierLoads, briefLoads, executorLoads, threadLoads, cancelLoads, systemLoads,
	} {
		all = append(all, some...)
	}
	all, err := matching(s.only, all, func(l load) string { return l.name })
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no load is named %q", s.only)
	}
	return all, err
}
