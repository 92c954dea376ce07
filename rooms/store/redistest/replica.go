package redistest

import (
	"fmt"
	"strings"
)

// Follow has a server take all that another has in the place of its own, and then what is written there, until Lead.
func (s *Server) Follow(master *Server) {
	s.t.Helper()
	c := s.Client()
	s.do(c, "replicaof", "127.0.0.1", master.Port)
	if !s.eventually(func() bool {
		return strings.Contains(fmt.Sprint(s.do(c, "info", "replication")), "master_link_status:up")
	}) {
		s.t.Fatal("the replica does not follow")
	}
}

// Lead has it be a master again, with what it has so far.
func (s *Server) Lead() {
	s.t.Helper()
	s.do(s.Client(), "replicaof", "no", "one")
}

// Followed waits until the replica has all that was acknowledged.
func (s *Server) Followed() {
	s.t.Helper()
	conn := s.Client().Conn() // WAIT is for what its own connection has written, and all that was before
	defer func() { _ = conn.Close() }()
	ctx := s.t.Context()
	if err := conn.Set(ctx, "redistest", "before the failover", 0).Err(); err != nil {
		s.t.Fatal(err)
	}
	if n, err := conn.Wait(ctx, 1, patience).Result(); err != nil || n != 1 {
		s.t.Fatalf("%d replicas follow, %v", n, err)
	}
}
