package sfu

import (
	"slices"
	"testing"
	"time"
)

// patience is after how many newer packets a packet must have been asked for once more: those of four intervals between requests.
// It is no time, since a machine that stands still sends no requests.
const patience = 40

// judgeWayUp judges what the server did about the publisher's packets.
func (r *recovery) judgeWayUp(t *testing.T) {
	videos, _ := r.toViewer.written()
	passed := make(map[uint16]int) // by number: how many newer packets there were when it came
	newest := uint16(0)
	for _, w := range videos {
		n := idOf(w.Packet)
		if _, again := passed[n]; again {
			t.Errorf("packet %d was forwarded twice", n)
		}
		if !r.arrived(n) {
			t.Errorf("packet %d was forwarded and did not arrive", n)
		}
		newest = max(newest, n)
		passed[n] = int(newest - n)
	}
	asks := r.toPublisher.asked()
	for n := idOf(videos[0].Packet); n <= 2*judgedFrames; n++ {
		after, there := passed[n]
		if least := min(maxNACKs, after/patience); there && len(asks[n]) < least {
			t.Errorf("packet %d came after %d newer ones and was asked for %d times", n, after, len(asks[n]))
		}
		if !there && (r.arrived(n) || len(asks[n]) != maxNACKs) {
			t.Errorf("packet %d is missing; arrived %v, asked for %d times", n, r.arrived(n), len(asks[n]))
		}
		if k := len(asks[n]); k > 0 && k > 2+int(asks[n][k-1].Sub(asks[n][0])/nackInterval) || k > maxNACKs {
			t.Errorf("packet %d was asked for %d times within %v", n, k, asks[n][k-1].Sub(asks[n][0]))
		}
	}
	r.judgeCountsUp(t, asks)
}

func (r *recovery) arrived(n uint16) bool {
	return r.up.got(parcel{partVideo, n}) > 0 || r.up.got(parcel{partRTX, n}) > 0
}

// judgeCountsUp compares the counters of the publisher's video with what happened.
func (r *recovery) judgeCountsUp(t *testing.T, asks map[uint16][]time.Time) {
	nacked, recovered, late := 0, 0, 0
	for n, at := range asks {
		nacked += len(at)
		if r.arrived(n) {
			recovered++
		}
		if len(at) == maxNACKs {
			late++ // what comes after the last request is not counted
		}
	}
	st := r.publisher.peer.Stats().Sources[1]
	if st.Nacked != uint64(nacked) || st.Recovered > uint64(recovered) || st.Recovered < uint64(recovered-late) {
		t.Errorf("counted %d requests and %d recovered; there were %d and %d", st.Nacked, st.Recovered, nacked, recovered)
	}
	if own := r.up.count(partVideo); st.Packets != uint64(own) {
		t.Errorf("counted %d packets, %d came by themselves", st.Packets, own)
	}
}

// judgeWayDown judges what the server did about the viewer's requests, and what the viewer has.
func (r *recovery) judgeWayDown(t *testing.T) {
	videos, audios := r.toViewer.written()
	resent := r.toViewer.resent()
	_, requests := r.asking.requests()
	seen := byID(r.viewer.packets("slot0video"))
	shift := videos[0].SequenceNumber - idOf(videos[0].Packet)
	answers := 0
	for _, w := range videos {
		n, seq := idOf(w.Packet), w.SequenceNumber
		if seq-n != shift || w.Timestamp-videos[0].Timestamp != 3600*(uint32(n+1)/2-uint32(idOf(videos[0].Packet)+1)/2) {
			t.Errorf("packet %d was written as %d at %d", n, seq, w.Timestamp)
		}
		r.toViewer.mu.Lock()
		byItself, again := r.toViewer.name(partVideo, seq), r.toViewer.name(partRTX, seq)
		r.toViewer.mu.Unlock()
		own, repeats := r.down.got(byItself), r.down.got(again)
		if own > 1 || len(seen[n]) != own+repeats {
			t.Errorf("packet %d: %d by itself and %d retransmissions got through, %d are there", n, own, repeats, len(seen[n]))
		}
		for _, p := range seen[n] {
			if p.SequenceNumber != seq || p.Timestamp != w.Timestamp || p.Marker != w.Marker || !slices.Equal(p.Payload, w.Payload) {
				t.Errorf("packet %d came as %v, was written as %v", n, p, w.Packet)
			}
		}
		least := 0
		for _, at := range requests[seq] {
			if at.After(w.at) && at.Sub(w.at) < answerable {
				least++
			}
		}
		if resent[seq] < least || resent[seq] > len(requests[seq]) {
			t.Errorf("packet %d was sent again %d times for %d requests, %d of them in time", n, resent[seq], len(requests[seq]), least)
		}
		if n <= 2*judgedFrames && own+repeats == 0 && least == 0 {
			t.Errorf("packet %d is missing, and the viewer has not asked for it in time", n)
		}
		answers += resent[seq]
		delete(resent, seq)
	}
	if len(resent) > 0 {
		t.Errorf("sent again and never sent: %v", resent)
	}
	st := r.viewer.peer.Stats()
	if st.Resent != uint64(answers) || st.Forwarded != uint64(len(videos)+len(audios)) {
		t.Errorf("counted %d forwarded and %d resent, were %d and %d", st.Forwarded, st.Resent, len(videos)+len(audios), answers)
	}
}

// judgeAudio: sound is not asked for again, and everything that got through is there once.
func (r *recovery) judgeAudio(t *testing.T) {
	_, audios := r.toViewer.written()
	seen := byID(r.viewer.packets("slot0audio"))
	first := audios[0]
	for _, w := range audios {
		n := idOf(w.Packet)
		since := n - idOf(first.Packet)
		if w.SequenceNumber-first.SequenceNumber != since || w.Timestamp-first.Timestamp != 960*uint32(since) {
			t.Errorf("sound %d was written as %d at %d", n, w.SequenceNumber, w.Timestamp)
		}
		if r.up.got(parcel{partAudio, n}) != 1 || len(seen[n]) != r.down.got(parcel{partAudio, since}) || len(seen[n]) > 1 {
			t.Errorf("sound %d is there %d times", n, len(seen[n]))
		}
	}
}

// tell says what happened, so that a run that proves nothing shows.
func (r *recovery) tell(t *testing.T) {
	videos, _ := r.toViewer.written()
	seen := byID(r.viewer.packets("slot0video"))
	lost, missing := [2]int{}, 0
	for n := idOf(videos[0].Packet); n <= 2*judgedFrames; n++ {
		if r.up.got(parcel{partVideo, n}) == 0 {
			lost[0]++
		}
		if len(seen[n]) == 0 {
			missing++
		}
	}
	for _, w := range videos {
		if r.down.got(parcel{partVideo, w.SequenceNumber - videos[0].SequenceNumber}) == 0 {
			lost[1]++
		}
	}
	up, down := r.publisher.peer.Stats().Sources[1], r.viewer.peer.Stats()
	t.Logf("%d packets, first losses %d up and %d down; %d requests up, %d recovered; %d sent again down; %d missing in the end",
		len(videos), lost[0], lost[1], up.Nacked, up.Recovered, down.Resent, missing)
	if r.conditions.loss > 0 && (lost[0] == 0 || lost[1] == 0) {
		t.Error("nothing was lost")
	}
}
