package contender

import "time"

// PeerFlag is the only argument of a process that runs RunPeer.
const PeerFlag = "-peer"

// peerTimeout is how long a peer may take to begin.
const peerTimeout = time.Minute
