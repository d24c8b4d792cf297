package eqn

// Error is an error at a place in a model's text.
type Error struct {
	File      string
	Line, Col int    // in File; 0 where there is no place
	Snippet   string // the line of text
	Caret     int    // column of the caret in Snippet, from 1
	Msg       string
	Hint      string // "did you mean 'taum'?"
}
