package cluster

import (
	"time"

	"golang.org/x/sys/unix"
)

// bootTime is a clock that nobody sets and that goes on while the machine is suspended (clock_gettime(2), CLOCK_BOOTTIME), as
// leases do in the store. Go's own monotonic clock stands still meanwhile.
func bootTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic("cluster: no clock of the time since boot: " + err.Error()) // Linux has had it since 2.6.39
	}
	return time.Duration(t.Nano())
}
