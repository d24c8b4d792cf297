package shaders

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// cacheFile is where something that depends on key is kept, "" without a cache
// directory. Files are small; any of them may be deleted at any time.
func cacheFile(kind, key string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(dir, "synfire", kind, hex.EncodeToString(sum[:12]))
}

// keepFile writes a cache file whole or not at all; a failure is no error.
func keepFile(name string, data []byte) {
	if name == "" || os.MkdirAll(filepath.Dir(name), 0o755) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(name), "new-*")
	if err != nil {
		return
	}
	_, err = f.Write(data)
	if f.Close() == nil && err == nil && os.Rename(f.Name(), name) == nil {
		return
	}
	os.Remove(f.Name())
}
