package connect

// rows is a projection made ready.
type rows struct{}
