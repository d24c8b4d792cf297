package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// lock is a lock on a file, which is made for it and removed with it. The system lets it go when the process dies.
type lock struct{ f *flock.Flock }

func (l *lock) take(path string) error {
	for range 100 {
		f := flock.New(path)
		ok, err := f.TryLock()
		if err != nil {
			if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || !lockless(err) {
				return fmt.Errorf("the run directory cannot be written: %w", err)
			}
			os.Remove(path) // a file system without locks: there two runs in one directory are the user's care
			return nil
		}
		if !ok {
			text, _ := os.ReadFile(path)
			who := "another run"
			if pid := strings.TrimSpace(string(text)); pid != "" {
				who += " (process " + pid + ")"
			}
			return fmt.Errorf("%s writes into %s at this moment: wait for its end, or name another directory", who, filepath.Dir(path))
		}
		// Who had it before may have removed the file between our opening and locking it.
		mine, err1 := f.Stat()
		there, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(mine, there) {
			os.WriteFile(path, fmt.Appendln(nil, os.Getpid()), 0o666)
			l.f = f
			return nil
		}
		f.Close()
	}
	return fmt.Errorf("%s cannot be locked: it is made and removed all the time", path)
}

func (l *lock) release() {
	if l.f == nil {
		return
	}
	os.Remove(l.f.Path())
	l.f.Close()
	l.f = nil
}
