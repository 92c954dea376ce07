package redistest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// What Linux gives to sockets that name no port, and to connections, begins at 32768 (ip_local_port_range, ip(7)).
const firstPort, endOfPorts = 10_000, 32_000

// FreePort is a port of loopback at which nobody listens for TCP now, and that the kernel gives to nobody by itself, so that a server can be started there
// later, and again after it was killed.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := firstPort + rand.IntN(endOfPorts-firstPort) //nolint:gosec // no secret
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
