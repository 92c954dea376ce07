package api

import (
	"net/netip"
	"testing"
	"time"
)

var hourEitherWay = map[string]time.Duration{"an hour ahead": time.Hour, "an hour back": -time.Hour}

// The production clock carries the monotonic one with it. The limiter does not need that.
func TestLimiter_ClockIsSet_RefillsOnAsBefore(t *testing.T) {
	for name, change := range hourEitherWay {
		at := time.Unix(1_000_000, 0)
		l := newLimiter(func() time.Time { return at })
		a := netip.MustParseAddr("192.0.2.1")
		l.take(a, JoinBurst)
		at = at.Add(change)
		for l.take(a, 1) { // what an hour has filled
		}
		at = at.Add(time.Second)
		taken := 0
		for l.take(a, 1) {
			taken++
		}
		if taken != JoinPerSecond {
			t.Errorf("%s: %d in the next second", name, taken)
		}
	}
}

func TestClock_IsSet_ARepeatIsARepeat(t *testing.T) {
	for name, change := range hourEitherWay {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			body := w.ours.visit()
			made := w.ask(w.ours.key, "POST", "/v1/visits", body, "Idempotency-Key", "k").want(201)
			w.clock.add(change)
			if err := w.store.Expire(t.Context(), w.clock.now().Add(-IdempotencyAge)); err != nil {
				t.Fatal(err)
			}
			if again := w.ask(w.ours.key, "POST", "/v1/visits", body, "Idempotency-Key", "k").want(200); again.text != made.text {
				t.Errorf("made %s, again %s", made.text, again.text)
			}
		})
	}
}

func TestClock_IsSet_LinksOpenAllTheSame(t *testing.T) {
	for name, change := range hourEitherWay {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			seat := w.createVisit().token("seats", 0, "link")
			staff := w.ask(w.ours.key, "POST", "/v1/staff/"+w.ours.staff+"/link", nil).want(201).token("link")
			w.clock.add(change)
			for _, token := range []string{seat, staff} {
				w.ask("", "POST", "/v1/join", m{"token": token}).want(200)
			}
		})
	}
}
