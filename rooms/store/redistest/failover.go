package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// MasterName is what the Sentinels call the master.
const MasterName = "main"

// replicator is the user as whom the replica follows, so that it alone can be shut out.
const replicator = "replicator"

// Failover is a master with a replica, and three Sentinels that watch them.
type Failover struct {
	Master, Replica *Server
	Sentinels       []*Server
}

// StartFailover starts one. The Sentinels take a master for dead after 300 ms.
func StartFailover(t testing.TB) *Failover {
	t.Helper()
	f := &Failover{Master: Start(t, "--repl-diskless-sync-delay", "0")}
	f.Master.do(f.Master.Client(), "acl", "setuser", replicator, "on", "nopass", "+@all", "~*")
	f.Replica = Start(t, "--masteruser", replicator, "--masterauth", "x")
	f.Replica.Follow(f.Master)
	// They know of each other from the start, which spares them to find out.
	var known []string
	for n := range 3 {
		s := newServer(t)
		f.Sentinels = append(f.Sentinels, s)
		known = append(known, fmt.Sprintf("sentinel known-sentinel %s 127.0.0.1 %d %040d\n", MasterName, s.Port, n+1))
	}
	for n, s := range f.Sentinels {
		conf := filepath.Join(s.dir, "sentinel.conf")
		text := fmt.Sprintf(`port %[1]d
bind 127.0.0.1
dir %[2]s
sentinel myid %040[3]d
sentinel monitor %[4]s 127.0.0.1 %[5]d 2
sentinel down-after-milliseconds %[4]s 300
sentinel failover-timeout %[4]s 3000
sentinel known-replica %[4]s 127.0.0.1 %[6]d
`, s.Port, s.dir, n+1, MasterName, f.Master.Port, f.Replica.Port)
		for other, line := range known {
			if other != n {
				text += line
			}
		}
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.args = []string{conf, "--sentinel"}
		s.start()
	}
	return f
}

// Addrs are the Sentinels'.
func (f *Failover) Addrs() []string {
	var list []string
	for _, s := range f.Sentinels {
		list = append(list, s.Addr())
	}
	return list
}

// Fail kills the master, after the replica has all that was acknowledged, and waits until the Sentinels have made the
// replica the master. The master's place is empty then.
func (f *Failover) Fail() {
	f.Master.t.Helper()
	f.Master.Followed()
	f.Master.Kill()
	f.Promoted()
}

// Cut lets the replica fall behind: what is written from now on is not on it, and lost when the master fails.
func (f *Failover) Cut() {
	f.Master.t.Helper()
	c := f.Master.Client()
	f.Master.Followed()
	f.Master.do(c, "acl", "setuser", replicator, "off")
	f.Master.do(c, "client", "kill", "type", "replica")
}

// FailBehind kills the master after Cut, and waits until the replica, which lacks what was written since, is the master.
func (f *Failover) FailBehind() {
	f.Master.t.Helper()
	f.Master.Kill()
	f.Promoted()
}

// Promoted waits until the replica is the master, for all Sentinels.
func (f *Failover) Promoted() {
	f.Replica.t.Helper()
	for _, s := range f.Sentinels {
		c := s.Client()
		if !s.eventually(func() bool {
			at, _ := s.do(c, "sentinel", "get-master-addr-by-name", MasterName).([]any)
			return len(at) == 2 && at[1] == fmt.Sprint(f.Replica.Port)
		}) {
			f.Replica.t.Fatal("the Sentinels did not make the replica the master")
		}
	}
	c := f.Replica.Client()
	if !f.Replica.eventually(func() bool { return strings.Contains(fmt.Sprint(f.Replica.do(c, "role")), "master") }) {
		f.Replica.t.Fatal("the replica did not become the master")
	}
}
