//go:build !mpi

// Package mpi is empty without the build tag mpi.
package mpi
