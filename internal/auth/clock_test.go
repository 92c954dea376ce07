package auth

import (
	"errors"
	"testing"
	"time"
)

// What was signed while the clock was ahead is good when it is right again.
func TestClock_WasAnHourAhead_WhatWasSignedThenIsGood(t *testing.T) {
	for _, id := range []Identity{seat(), staff()} {
		b := newBrowser(t)
		handle, _ := b.signIn(t, id, now.Add(time.Hour))
		if _, err := b.k.Identify(b.request(), handle, now); err != nil {
			t.Errorf("%s: %v", id.Kind, err)
		}
		again, _ := b.signIn(t, id, now)
		if again != handle {
			t.Errorf("%s: another handle by the same link", id.Kind)
		}
	}
}

// Ahead by an hour, the clock takes an hour of what is good for a time, and gives it back.
func TestClock_AnHourAhead_EndsNothingForGood(t *testing.T) {
	b := newBrowser(t)
	handle, _ := b.signIn(t, staff(), now)
	token := must(b.k.StaffToken(staff(), now.Add(time.Hour)))
	for _, c := range []struct {
		at     time.Time
		cookie error
		link   error
	}{
		{now.Add(StaffCookieAge - time.Hour - time.Second), nil, ErrExpired},
		{now.Add(StaffCookieAge), ErrExpired, ErrExpired},
		{now, nil, nil},
		{now.Add(-time.Hour), nil, nil},
	} {
		_, cookie := b.k.Identify(b.request(), handle, c.at)
		_, link := b.k.ParseToken(token, c.at)
		if !errors.Is(cookie, c.cookie) || !errors.Is(link, c.link) {
			t.Errorf("at %v: cookie %v, link %v; want %+v", c.at, cookie, link, c)
		}
	}
}

func TestClock_SetBack_OnASharedTabletTheNewestAreKeptAllTheSame(t *testing.T) {
	b := newBrowser(t)
	for i := range MaxCookies {
		b.signIn(t, seat(), now.Add(time.Duration(i)*time.Second))
	}
	var newest []string
	for i := range 3 {
		handle, _ := b.signIn(t, seat(), now.Add(-time.Hour+time.Duration(i)*time.Minute))
		newest = append(newest, handle)
	}
	for i, handle := range newest {
		if _, err := b.k.Identify(b.request(), handle, now); err != nil {
			t.Errorf("number %d of those who came last: %v", i, err)
		}
	}
}
