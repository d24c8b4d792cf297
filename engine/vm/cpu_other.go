//go:build !amd64

package vm

func cpu() features { return features{} }
