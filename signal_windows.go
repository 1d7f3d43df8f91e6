package thread

// There are no signal masks here: any numbers do.
const (
	sigSYS  = 31
	sigURG  = 23
	sigPROF = 27
)
