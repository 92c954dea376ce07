package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestStop_APartThatHangs_IsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s server
		told := make(chan struct{})
		hung := make(chan struct{})
		s.onStop(func(context.Context) error { <-hung; return nil })
		s.onStop(func(ctx context.Context) error { <-ctx.Done(); close(told); return nil })
		began := time.Now()
		if err := s.stop(); !errors.Is(err, errStuck) {
			t.Errorf("%v", err)
		}
		if d := time.Since(began); d != stopTimeout+time.Second {
			t.Errorf("after %v, want %v", d, stopTimeout+time.Second)
		}
		<-told // a part that heeds its time had it
		close(hung)
	})
}
