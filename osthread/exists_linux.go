package osthread

import "example.com/thread/internal/ident"

func threadExists(id int) bool { return ident.Exists(id) }
