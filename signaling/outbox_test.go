package signaling

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
)

// taken is what a writer would send now.
func taken(o *outbox) []message {
	batch, _, _ := o.take()
	out := make([]message, len(batch))
	for i, data := range batch {
		if err := json.Unmarshal(data, &out[i]); err != nil {
			panic(err)
		}
	}
	return out
}

func welcomed() *outbox {
	o := newOutbox(&meters{})
	o.welcome(wire.Reply{Re: 1})
	taken(o)
	return o
}

func TestOutbox_NothingComesBeforeWelcome(t *testing.T) {
	o := newOutbox(&meters{})
	o.setView(wire.View{Version: 1})
	o.refuse(1, wire.CodeHelloFirst, "")
	if got := taken(o); len(got) != 1 || got[0].Err == nil {
		t.Fatalf("%+v", got)
	}
	o.welcome(wire.Reply{Re: 2})
	if got := taken(o); len(got) != 2 || got[0].Re != 2 || got[1].T != wire.EventView || got[1].Seq != 1 {
		t.Errorf("%+v", got)
	}
}

func TestOutbox_TheNewestViewReplacesAnUnsentOne(t *testing.T) {
	o := welcomed()
	for n := range uint64(1000) {
		o.setView(wire.View{Version: n})
	}
	got := taken(o)
	var v wire.View
	if len(got) != 1 || json.Unmarshal(got[0].D, &v) != nil || v.Version != 999 {
		t.Errorf("%+v", got)
	}
}

func TestOutbox_AListIsTakenWhenTheLastOneWasSent(t *testing.T) {
	o := welcomed()
	version := func(n int) func() json.RawMessage {
		return func() json.RawMessage { return encode(map[string]int{"version": n}) }
	}
	if !o.setList(version(1)) || o.setList(version(2)) {
		t.Error("the second was taken beside the first")
	}
	taken(o)
	if !o.setList(version(3)) {
		t.Error("refused with none waiting")
	}
}

func TestOutbox_WhoDoesNotReadIsClosed(t *testing.T) {
	for name, fill := range map[string]func(*outbox){
		"messages": func(o *outbox) { o.addMessages(make([]wire.Message, maxQueuedMessages+1)) },
		"replies": func(o *outbox) {
			for range maxQueuedReplies + 1 {
				o.answer(1, wire.Empty{})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := welcomed()
			fill(o)
			if _, code, open := o.take(); open || code != wire.CloseSlow {
				t.Errorf("open %t, code %d", open, code)
			}
		})
	}
}

func TestOutbox_UnansweredRequestsAreBounded(t *testing.T) {
	o := welcomed()
	for range wire.MaxUnanswered {
		if !o.begin() {
			t.Fatal("refused too early")
		}
	}
	if o.begin() {
		t.Error("one more")
	}
	o.answer(1, wire.Empty{})
	if !o.begin() {
		t.Error("an answer makes no room")
	}
}

func TestOutbox_AfterCloseNothingIsTaken(t *testing.T) {
	o := welcomed()
	o.setView(wire.View{})
	o.close(wire.CloseOver)
	o.close(wire.CloseSlow)
	o.setView(wire.View{})
	batch, code, open := o.take()
	if len(batch) != 1 || code != wire.CloseOver || open {
		t.Errorf("%d, %d, %t", len(batch), code, open)
	}
	if fmt.Sprint(o.begin(), o.setList(nil)) != "false false" {
		t.Error("takes more")
	}
}
