package sfu

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pion/rtcp"
	"pgregory.net/rapid"
)

// What is written by hand is what the library reads.
func TestCompose_IsWhatWasMeant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sr := rtcp.SenderReport{
			SSRC: rapid.Uint32().Draw(t, "ssrc"), NTPTime: rapid.Uint64().Draw(t, "ntp"), RTPTime: rapid.Uint32().Draw(t, "rtp"),
			PacketCount: rapid.Uint32().Draw(t, "packets"), OctetCount: rapid.Uint32().Draw(t, "octets"),
		}
		b := appendSenderReport(nil, sr.SSRC, sr.NTPTime, sr.RTPTime, sr.PacketCount, sr.OctetCount)
		b, start := beginReceiverReport(b, sr.SSRC)
		var blocks []rtcp.ReceptionReport
		for range rapid.IntRange(0, 5).Draw(t, "blocks") {
			r := rtcp.ReceptionReport{
				SSRC: rapid.Uint32().Draw(t, "of"), FractionLost: rapid.Uint8().Draw(t, "fraction"),
				TotalLost: rapid.Uint32Range(0, 1<<24-1).Draw(t, "lost"), LastSequenceNumber: rapid.Uint32().Draw(t, "highest"),
				Jitter: rapid.Uint32().Draw(t, "jitter"), LastSenderReport: rapid.Uint32().Draw(t, "last"), Delay: rapid.Uint32().Draw(t, "since"),
			}
			blocks = append(blocks, r)
			c := counts{fractionLost: r.FractionLost, lost: r.TotalLost, highest: r.LastSequenceNumber, jitter: r.Jitter}
			b = appendBlock(b, start, receptionBlock{ssrc: r.SSRC, counts: c, lastReport: r.LastSenderReport, sinceReport: r.Delay})
		}
		name := strings.Repeat("n", rapid.IntRange(1, 40).Draw(t, "name"))
		b = appendName(b, sr.SSRC, name)
		pkts, err := rtcp.Unmarshal(b)
		if err != nil || len(pkts) != 3 {
			t.Fatal(pkts, err)
		}
		gotSR, ok1 := pkts[0].(*rtcp.SenderReport)
		gotRR, ok2 := pkts[1].(*rtcp.ReceiverReport)
		names, ok3 := pkts[2].(*rtcp.SourceDescription)
		if !ok1 || !ok2 || !ok3 {
			t.Fatal(pkts)
		}
		sr.Reports, sr.ProfileExtensions = gotSR.Reports, gotSR.ProfileExtensions
		if len(gotSR.Reports) != 0 || !reflect.DeepEqual(*gotSR, sr) {
			t.Fatalf("got %+v, want %+v", *gotSR, sr)
		}
		if len(gotRR.Reports) != len(blocks) || len(blocks) > 0 && !reflect.DeepEqual(gotRR.Reports, blocks) {
			t.Fatalf("got %+v, want %+v", gotRR.Reports, blocks)
		}
		if c := names.Chunks; len(c) != 1 || c[0].Source != sr.SSRC || c[0].Items[0].Text != name {
			t.Fatalf("got %+v", names)
		}
	})
}
