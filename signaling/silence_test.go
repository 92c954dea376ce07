package signaling

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// ping asks and waits for the answer.
func (p *page) ping(pace wire.Ping) {
	p.w.t.Helper()
	if err := p.ask(wire.TypePing, pace, &wire.Pong{}); err != nil {
		p.w.t.Fatal(err)
	}
}

// lasts is how long the server holds on to a page that says nothing any more.
func (p *page) lasts() time.Duration {
	p.w.t.Helper()
	since := time.Now()
	p.hasGone()
	return time.Since(since)
}

// onALine plays with the clock and one page in the waiting room.
func onALine(t *testing.T, play func(p *page)) {
	t.Helper()
	stillWorld(t, func(_ *testing.T, w *world) {
		p, _ := w.open(w.visit("Maria"))
		play(p)
	})
}

func TestConn_OpenButDead_IsNoticedWithin5s(t *testing.T) {
	onALine(t, func(p *page) {
		for range 1000 {
			time.Sleep(wire.PingEveryMS * time.Millisecond) //nolint:forbidigo // in a bubble
			p.ping(wire.Ping{})
		}
		if d := p.lasts(); d > 4500*time.Millisecond {
			t.Errorf("a dead line was held for %v", d)
		}
	})
}

func TestConn_APingThatComesLate_IsNoDeadLine(t *testing.T) {
	onALine(t, func(p *page) {
		for range 100 {
			time.Sleep((wire.PingEveryMS + wire.PongTimeoutMS - 1) * time.Millisecond) //nolint:forbidigo // in a bubble
			p.ping(wire.Ping{})
		}
	})
}

func TestConn_AnnouncedPace_IsWaitedForAndNoLonger(t *testing.T) {
	onALine(t, func(p *page) {
		for range 100 {
			p.ping(wire.Ping{NextMS: 15_000})
			time.Sleep(15 * time.Second) //nolint:forbidigo // in a bubble
		}
		p.ping(wire.Ping{NextMS: 15_000})
		if d := p.lasts(); d < 15*time.Second || d > 17*time.Second {
			t.Errorf("held for %v", d)
		}
	})
}

func TestConn_AwakeAgain_TheAnnouncedPaceIsForgotten(t *testing.T) {
	onALine(t, func(p *page) {
		p.ping(wire.Ping{NextMS: 15_000})
		p.ping(wire.Ping{})
		if d := p.lasts(); d > 4500*time.Millisecond {
			t.Errorf("held for %v", d)
		}
	})
}

func TestProtocol_SaysHowSlowAPaceMayBe(t *testing.T) {
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("as the newest ping announced (%d s at most)", wire.MaxPingMS/1000); !strings.Contains(string(text), want) {
		t.Errorf("the document does not say %q", want)
	}
}
