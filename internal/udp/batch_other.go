//go:build !linux

package udp

import (
	"errors"
	"syscall"
)

func reusePort(_, _ string, _ syscall.RawConn) error { return errors.ErrUnsupported }

func prepare(*Socket) {}

func newReader(s *Socket, _ int) Reader { return newPlainReader(s) }

func newWriter(s *Socket, _ int) Writer { return &plainWriter{conn: s.conn} }
