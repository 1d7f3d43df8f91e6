package thread

// There are no signal masks here: any numbers do.
const (
	sigURG  = 23
	sigPROF = 27
)
