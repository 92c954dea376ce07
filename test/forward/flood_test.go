package main

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Twenty visits, each person sending 200 packets a second, must not lose one of them to who floods the server. How late they come is
// measured by `go run ./test/forward flood`, and not judged here.
func TestFlood_VisitsLoseNothing(t *testing.T) {
	built := filepath.Join(t.TempDir(), "forward") // as it is run: the race detector makes all of it ten times slower
	if out, err := exec.Command("go", "build", "-o", built, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program = func() (string, error) { return built, nil }
	const rate = 20_000 // one core could send more, but others' tests share this machine
	for kind, felt := range map[string]func(flooded) bool{
		// 1,000 ClientHellos a second, from people with valid links: some are refused by address, some done, and others still come in.
		"handshakes": func(f flooded) bool {
			return f.Flooder.Hellos > 0 && f.Server.Port.ThrottledHello > 0 && f.Server.Port.FailedHello > 0 && f.Flooder.Joined > 0
		},
		"checks": func(f flooded) bool { return f.Server.Port.BadSTUN > 0 },
		"media":  func(f flooded) bool { return f.Server.Port.Unknown > 0 },
	} {
		t.Run(kind, func(t *testing.T) {
			f, err := underFlood(kind, 20, rate, 2*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if f.Visits.Due == 0 || f.Missing != 0 {
				t.Errorf("%d of %d packets are missing", f.Missing, f.Visits.Due)
			}
			if !felt(f) {
				t.Errorf("there was no flood: %+v, %+v", f.Flooder, f.Server.Port)
			}
		})
	}
}
