module synfire

go 1.26

require (
	github.com/go-gl/gl v0.0.0-20231021071112-07e5d0ea2e71 // indirect
	go.starlark.net v0.0.0-20260326113308-fadfc96def35 // indirect
	pgregory.net/rapid v1.3.0 // indirect
)
