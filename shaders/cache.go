package shaders

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// What is kept between runs is a file that says what it is of: a line with the hash of its key and that of what follows.
// One that was damaged, renamed or put there by someone else is as good as none. Any of them may be deleted at any time.

// cacheFile is where something that depends on key is kept, "" without a cache
// directory.
func cacheFile(kind, key string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(dir, "synfire", kind, hex.EncodeToString(sum[:12]))
}

func cacheHeader(kind, key string, data []byte) []byte {
	return fmt.Appendf(nil, "synfire %s %x %x\n", kind, sha256.Sum256([]byte(key)), sha256.Sum256(data))
}

// mostKept is the size of the largest file that is looked at.
const mostKept = 64 << 20

// kept is what was kept for a key, nil if nothing is or what is there is something else.
func kept(kind, key string) []byte {
	name := cacheFile(kind, key)
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > mostKept { // a pipe would be waited for
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	all, err := io.ReadAll(io.LimitReader(f, mostKept))
	if err != nil {
		return nil
	}
	_, data, _ := bytes.Cut(all, []byte("\n"))
	if !bytes.HasPrefix(all, cacheHeader(kind, key, data)) {
		return nil
	}
	return data
}

// keep keeps data for a key, whole or not at all; a failure is no error.
func keep(kind, key string, data []byte) {
	name := cacheFile(kind, key)
	if name == "" || os.MkdirAll(filepath.Dir(name), 0o755) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(name), "new-*")
	if err != nil {
		return
	}
	_, err = f.Write(append(cacheHeader(kind, key, data), data...))
	if f.Close() == nil && err == nil && os.Rename(f.Name(), name) == nil {
		return
	}
	os.Remove(f.Name())
}
