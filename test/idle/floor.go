package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// pingSize is about that of a ping and its frame.
const pingSize = 32

// echo is the role 'echo': a server that reads and writes back, and nothing else.
func echo() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() { _, _ = io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{c}, make([]byte, pingSize)) }()
	}
}

// floor is what the least that a Go program can do for n sockets that ping costs on this machine now, in percent of a core.
func floor(n int, watch time.Duration) (percent float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, "echo") //nolint:noctx // killed below
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return 0, err
	}
	failed := make(chan error, n)
	for i := range n {
		c, err := net.Dial("tcp", strings.TrimSpace(address)) //nolint:noctx // loopback
		if err != nil {
			return 0, err
		}
		defer c.Close()
		const every = wire.PingEveryMS * time.Millisecond
		go func() { failed <- ping(c, every, every*time.Duration(i)/time.Duration(n)) }()
	}
	<-time.After(2 * wire.PingEveryMS * time.Millisecond) // all have begun
	begin := time.Now()
	from, err := processorTime(cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	<-time.After(watch)
	to, err := processorTime(cmd.Process.Pid)
	select {
	case e := <-failed:
		err = errors.Join(err, e)
	default:
	}
	return 100 * (to - from).Seconds() / time.Since(begin).Seconds(), err
}

// ping pings until the connection ends.
func ping(c net.Conn, every, first time.Duration) error {
	b := make([]byte, pingSize)
	<-time.After(first)
	for range time.Tick(every) {
		if _, err := c.Write(b); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return err
		}
	}
	return nil
}
