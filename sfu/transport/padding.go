package transport

import (
	"fmt"

	"github.com/pion/rtp"
)

// WritePadding seals and sends one packet of nothing but padding (RFC 3550 section 5.1): 1 to 255 bytes of it. It fails as WriteRTP does.
func (p *Peer) WritePadding(via *Batch, h *rtp.Header, size uint8) error {
	size = max(size, 1) // the last byte says how much it is
	total := h.MarshalSize() + int(size)
	return p.write(via, total, func(via *Batch, buf []byte) ([]byte, error) {
		n, err := h.MarshalTo(buf)
		if err != nil {
			return nil, fmt.Errorf("transport: header: %w", err)
		}
		buf[0] |= 1 << 5
		clear(buf[n:total])
		buf[total-1] = size
		return p.sealer.EncryptRTP(buf[:0], buf[:total], &via.header)
	})
}
