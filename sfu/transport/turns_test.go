package transport

import (
	"testing"
	"testing/synctest"
	"time"
)

// reading is a handshake for which a datagram has come.
func reading(all turns) *handshake {
	h := &handshake{mailbox: newMailbox(8), p: &Peer{t: &Transport{turns: all}}}
	h.put(newDatagram([]byte("x"), nil))
	return h
}

func TestTurns_OneTurn_GoesRoundAndRests(t *testing.T) {
	for name, tc := range map[string]struct {
		work time.Duration // before the first reads again
		want time.Duration // when the second has its turn
	}{
		"short": {restAfter - 1, restAfter - 1},
		"long":  {restAfter, 2 * restAfter},
		"never": {time.Hour, maxTurn},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				all := newTurns(1)
				first, second := reading(all), reading(all)
				read := func(h *handshake) {
					if _, _, err := h.ReadFrom(make([]byte, 8)); err != nil {
						t.Error(err)
					}
				}
				read(first)
				time.AfterFunc(tc.work, func() {
					_ = first.Close()
					_, _, _ = first.ReadFrom(nil) // ends its turn, and has no more to read
				})
				read(second)
				if got := time.Since(began); got != tc.want {
					t.Errorf("the second had its turn after %v, want %v", got, tc.want)
				}
				second.endTurn()
			})
		})
	}
}

func TestTurns_HandshakeEndsWhileItWaits_TakesNone(t *testing.T) {
	for name, end := range map[string]func(*handshake){
		"closed":   func(h *handshake) { _ = h.Close() },
		"deadline": func(h *handshake) { _ = h.SetReadDeadline(time.Now().Add(-time.Second)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := newTurns(2)
				<-all // somebody has it
				h := reading(all)
				ended := make(chan error)
				go func() {
					_, _, err := h.ReadFrom(make([]byte, 8))
					ended <- err
				}()
				synctest.Wait()
				end(h)
				if err := <-ended; err == nil {
					t.Error("it read on")
				}
				if len(all) != 0 {
					t.Errorf("%d turns are free", len(all))
				}
			})
		})
	}
}

func TestTurns_ManyShortOnes_AreHalfOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		h := reading(newTurns(1))
		const n, work = 100, restAfter / 10
		for range n {
			h.put(newDatagram([]byte("x"), nil))
			if _, _, err := h.ReadFrom(make([]byte, 8)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(work) //nolint:forbidigo // works
		}
		h.endTurn()
		if got, want := time.Since(began), 2*n*work-restAfter; got != want {
			t.Errorf("%v of work took %v, want %v", n*work, got, want)
		}
	})
}

func TestTurns_HalfOfTheProcessors(t *testing.T) {
	for processors, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 16: 8} {
		if got := cap(newTurns(processors)); got != want {
			t.Errorf("%d of %d processors, want %d", got, processors, want)
		}
	}
}
