package sfu

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// actor is a publisher who says by clocks of their own when things happened.
type actor struct {
	testPeer
	dice           *rand.Rand
	began          time.Time
	ahead          time.Duration // their clock
	drift, card    float64       // of their clock, and of their sound card against it
	sound, picture uint32        // timestamps at the beginning
	late           time.Duration // their reports are, at most

	seq     uint16
	cam     camera
	ticks   int
	due     [2]time.Time // the next reports
	reports []underWay
}

// underWay is a report and when it arrives.
type underWay struct {
	*rtcp.SenderReport
	at time.Time
}

func newActor(p testPeer, dice *rand.Rand, drift float64, late time.Duration) *actor {
	return &actor{
		testPeer: p, dice: dice, began: time.Now(), drift: drift, card: -drift / 2, late: late,
		ahead: time.Duration(dice.Int64N(int64(20*time.Hour))) - 10*time.Hour,
		sound: dice.Uint32(), picture: dice.Uint32(), seq: uint16(dice.UintN(1 << 15)),
	}
}

// now returns their clock, the two timestamps of the moment, and the real time since they began.
func (a *actor) now() (clock time.Duration, sound, picture uint32, since time.Duration) {
	since = time.Since(a.began)
	own := since + time.Duration(float64(since)*a.drift)
	heard := own + time.Duration(float64(own)*a.card)
	return own + a.ahead, a.sound + uint32(ticks(heard, 48000)), a.picture + uint32(ticks(own, 90000)), since
}

// act sends what is due each 20 ms: a voice, a picture every second time, and reports, a picture's each second and a voice's
// each 5 s, as Chromium does. Each packet ends with the real time of its capture.
func (a *actor) act() {
	clock, sound, picture, since := a.now()
	a.seq++
	word := voice(a.seq, sound)
	word.Payload = binary.BigEndian.AppendUint64(nil, uint64(since))
	a.send(time.Now(), word)
	if a.ticks++; a.ticks%2 == 0 {
		for _, f := range a.cam.shoot(1, a.plis() > 0) {
			f.Timestamp = picture
			f.Payload = binary.BigEndian.AppendUint64(f.Payload, uint64(since))
			a.send(time.Now(), f)
		}
	}
	wall := toNTP(a.sfu.clock.nanos(a.began) + int64(clock))
	for i, sr := range []*rtcp.SenderReport{
		{SSRC: audioSSRC, NTPTime: wall, RTPTime: sound}, {SSRC: videoSSRC, NTPTime: wall, RTPTime: picture},
	} {
		every := []time.Duration{5 * time.Second, time.Second}[i]
		if time.Now().Before(a.due[i]) {
			continue
		}
		a.due[i] = time.Now().Add(every/2 + time.Duration(a.dice.Int64N(int64(every))))
		a.reports = append(a.reports, underWay{sr, time.Now().Add(time.Duration(a.dice.Int64N(int64(a.late))))})
	}
	a.reports = slices.DeleteFunc(a.reports, func(r underWay) bool {
		if time.Now().Before(r.at) {
			return false
		}
		a.tell(time.Now(), r.SenderReport)
		return true
	})
}

// watcher is a viewer's view of one slot since a switch.
type watcher struct {
	viewer  testPeer
	reports map[uint32]*rtcp.SenderReport // by track
	newest  map[uint32]rtp.Packet
	judged  bool
}

// forget is for a switch: what was said before is of somebody else.
func (w *watcher) forget() {
	w.reports, w.newest, w.judged = make(map[uint32]*rtcp.SenderReport), make(map[uint32]rtp.Packet), false
	w.viewer.wire.take()
	said[rtcp.Packet](w.viewer.wire)
}

// watch takes what came, and returns how far apart the newest sound and picture are put that are of one moment.
func (w *watcher) watch(t *testing.T) time.Duration {
	for _, p := range w.viewer.wire.take() {
		if p.PayloadType != 0 { // not the flush packet, which is of no moment
			w.newest[p.SSRC] = p
		}
	}
	for _, sr := range said[*rtcp.SenderReport](w.viewer.wire) {
		w.reports[sr.SSRC] = sr
	}
	var delay [2]time.Duration // from capture to what our reports say
	for i, k := range []kind{audio, video} {
		ssrc := w.viewer.track(k).ssrc
		sr, p := w.reports[ssrc], w.newest[ssrc]
		if sr == nil || len(p.Payload) < 8 {
			return 0
		}
		since := time.Duration(binary.BigEndian.Uint64(p.Payload[len(p.Payload)-8:]))
		delay[i] = wallOf(sr, p.Timestamp, k.clockRate()) - since
	}
	w.judged = true
	apart := delay[0] - delay[1]
	if apart.Abs() > lipSync {
		t.Errorf("sound is put %v after the picture of its moment", apart)
	}
	return apart.Abs()
}
