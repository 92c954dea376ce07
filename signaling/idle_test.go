package signaling

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// Stacks are most of what a waiting socket holds.
func TestServe_ASocketThatWaitsHasOneGoroutine(t *testing.T) {
	const sockets = 20
	w := newWorld(t, nil)
	w.open(w.visit("first")) // the room's own goroutines are there
	before := runtime.NumGoroutine()
	for i := range sockets {
		w.open(w.visit(fmt.Sprint("patient ", i)))
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before+sockets; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines of %d sockets", runtime.NumGoroutine()-before, sockets)
		}
	}
}
