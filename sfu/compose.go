package sfu

import "encoding/binary"

// Each peer gets reports each second as long as it is there, so they are written without allocating.

// RTCP packet types (RFC 3550 section 12.1) and the SDES item of a CNAME.
const (
	typeSenderReport      = 200
	typeReceiverReport    = 201
	typeSourceDescription = 202
	itemCNAME             = 1
)

// appendSenderReport appends a report without reception blocks (RFC 3550 section 6.4.1).
func appendSenderReport(b []byte, ssrc uint32, ntp uint64, rtp, packets, octets uint32) []byte {
	b = append(b, 0x80, typeSenderReport, 0, 6)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	b = binary.BigEndian.AppendUint64(b, ntp)
	b = binary.BigEndian.AppendUint32(b, rtp)
	b = binary.BigEndian.AppendUint32(b, packets)
	return binary.BigEndian.AppendUint32(b, octets)
}

// receptionBlock is what a receiver report says of one source.
type receptionBlock struct {
	ssrc        uint32
	counts      counts
	lastReport  uint32 // middle of the last sender report's NTP time
	sinceReport uint32 // in 1/65536 s
}

// beginReceiverReport appends the head of a report (RFC 3550 section 6.4.2) and returns where it begins, for endReceiverReport.
func beginReceiverReport(b []byte, ssrc uint32) (_ []byte, start int) {
	start = len(b)
	b = append(b, 0x80, typeReceiverReport, 0, 1)
	return binary.BigEndian.AppendUint32(b, ssrc), start
}

// appendBlock appends a block to the report that begins at start.
func appendBlock(b []byte, start int, r receptionBlock) []byte {
	b = binary.BigEndian.AppendUint32(b, r.ssrc)
	b = binary.BigEndian.AppendUint32(b, uint32(r.counts.fractionLost)<<24|r.counts.lost&0xffffff)
	b = binary.BigEndian.AppendUint32(b, r.counts.highest)
	b = binary.BigEndian.AppendUint32(b, r.counts.jitter)
	b = binary.BigEndian.AppendUint32(b, r.lastReport)
	b = binary.BigEndian.AppendUint32(b, r.sinceReport)
	b[start]++ // the count of blocks
	binary.BigEndian.PutUint16(b[start+2:], uint16((len(b)-start)/4-1))
	return b
}

// appendName appends a source description with one CNAME (RFC 3550 section 6.5).
func appendName(b []byte, ssrc uint32, cname string) []byte {
	start := len(b)
	b = append(b, 0x81, typeSourceDescription, 0, 0)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	b = append(b, itemCNAME, uint8(len(cname)))
	b = append(b, cname...)
	b = append(b, 0) // ends the items
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16((len(b)-start)/4-1))
	return b
}
