package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// step is one line of the document's exchange.
type step struct {
	line  int
	who   string
	sends bool
	text  string // JSON, or "close CODE"
}

var stepLine = regexp.MustCompile(`^(\w+) ([<>]) (.+)$`)

// readExchange reads the exchange; indented lines go on with the one before.
func readExchange(t *testing.T) []step {
	t.Helper()
	var steps []step
	within, fenced := false, false
	number := 0
	for line := range strings.Lines(string(get(os.ReadFile(protocolDocument))(t))) {
		number++
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "## "):
			within = line == "## An exchange"
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case within && fenced && strings.HasPrefix(line, " "):
			steps[len(steps)-1].text += strings.TrimSpace(line)
		case within && fenced:
			m := stepLine.FindStringSubmatch(line)
			if m == nil {
				t.Fatalf("line %d of the document is no step: %s", number, line)
			}
			steps = append(steps, step{line: number, who: m[1], sends: m[2] == ">", text: m[3]})
		}
	}
	return steps
}

// names are the values that stand for "$name" in the exchange.
type names map[string]any

// fill puts values for names into what is sent.
func (n names) fill(v any) (any, error) {
	switch v := v.(type) {
	case string:
		name, is := strings.CutPrefix(v, "$")
		if !is {
			return v, nil
		}
		value, ok := n[name]
		if !ok {
			return nil, fmt.Errorf("%s is not known yet", v)
		}
		return value, nil
	case map[string]any:
		filled := map[string]any{}
		for key, value := range v {
			var err error
			if filled[key], err = n.fill(value); err != nil {
				return nil, err
			}
		}
		return filled, nil
	}
	return v, nil
}

// match answers how got differs from the pattern, or "" and learns its names.
func (n names) match(pattern, got any, path string) string {
	switch pattern := pattern.(type) {
	case string:
		if pattern == "*" {
			return ""
		}
		if name, is := strings.CutPrefix(pattern, "$"); is {
			if _, known := n[name]; !known && got != "" && got != nil {
				n[name] = got
			}
			return differs(n[name], got, path)
		}
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return differs(pattern, got, path)
		}
		for key, want := range pattern {
			value, there := object[key]
			if !there {
				return path + "." + key + " is not there"
			}
			if difference := n.match(want, value, path+"."+key); difference != "" {
				return difference
			}
		}
		return ""
	case []any:
		return n.matchList(pattern, got, path)
	}
	return differs(pattern, got, path)
}

// matchList finds an element for each of the pattern's; an empty pattern wants an empty list.
func (n names) matchList(pattern []any, got any, path string) string {
	list, ok := got.([]any)
	if !ok || len(list) < len(pattern) || len(pattern) == 0 && len(list) > 0 {
		return differs(pattern, got, path)
	}
	for i, want := range pattern {
		difference := ""
		for _, element := range list {
			learned := maps.Clone(n)
			if difference = learned.match(want, element, fmt.Sprintf("%s[%d]", path, i)); difference == "" {
				maps.Copy(n, learned)
				break
			}
		}
		if difference != "" {
			return difference
		}
	}
	return ""
}

func differs(want, got any, path string) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return fmt.Sprintf("%s is %v, not %v", path, got, want)
}

// player is one who takes part in the exchange.
type player struct {
	ws     *websocket.Conn
	passed []map[string]any // events that came while a reply was awaited: the two are not in order
}

func (p *player) send(t *testing.T, s step, n names) {
	t.Helper()
	var message any
	must(t, json.Unmarshal([]byte(s.text), &message))
	filled, err := n.fill(message)
	if err != nil {
		t.Fatalf("line %d: %v", s.line, err)
	}
	must(t, p.ws.WriteJSON(filled))
}

// next is the oldest event that was passed over, if an event is wanted, or else what comes now.
func (p *player) next(wantsReply bool) (got map[string]any, err error) {
	if len(p.passed) > 0 && !wantsReply {
		got, p.passed = p.passed[0], p.passed[1:]
		return got, nil
	}
	_ = p.ws.SetReadDeadline(time.Now().Add(patience))
	return got, p.ws.ReadJSON(&got)
}

// expect reads until a message is as the step says. Events in between may be others; replies may not.
func (p *player) expect(t *testing.T, s step, n names) {
	t.Helper()
	if code, is := strings.CutPrefix(s.text, "close "); is {
		p.expectClose(t, s, code)
		return
	}
	var pattern any
	must(t, json.Unmarshal([]byte(s.text), &pattern))
	_, wantsReply := pattern.(map[string]any)["re"]
	last := "nothing"
	for {
		got, err := p.next(wantsReply)
		if err != nil {
			t.Fatalf("line %d: %s never got it: %v; the last differed: %s", s.line, s.who, err, last)
		}
		learned := maps.Clone(n)
		difference := learned.match(pattern, got, "")
		if difference == "" {
			maps.Copy(n, learned)
			return
		}
		if _, reply := got["re"]; reply {
			t.Fatalf("line %d: %s got another reply: %s (wants a reply: %t): %v", s.line, s.who, difference, wantsReply, got)
		}
		if last = difference; wantsReply {
			p.passed = append(p.passed, got)
		}
	}
}

func (p *player) expectClose(t *testing.T, s step, code string) {
	t.Helper()
	want := get(strconv.Atoi(code))(t)
	for {
		_ = p.ws.SetReadDeadline(time.Now().Add(patience))
		_, _, err := p.ws.ReadMessage()
		if err == nil {
			continue
		}
		if closed := (*websocket.CloseError)(nil); !errors.As(err, &closed) || closed.Code != want {
			t.Fatalf("line %d: %s was closed by %v, not by %d", s.line, s.who, err, want)
		}
		return
	}
}

func TestDocument_Exchange_IsWhatTheServerDoes(t *testing.T) {
	c := newClinic(t, &startProcess(t).server)
	_, staffLink := c.staffLink(t, "Dr. Ada Byron", wire.RoleClinician)
	n := names{}
	players := map[string]*player{}
	for who, link := range map[string]string{"patient": c.visit(t, "Maria Santos").Seats[0].Link, "doctor": staffLink} {
		page := get(client.Join(within(t), link, client.Options{}))(t)
		ws := get(page.Dial(within(t)))(t)
		t.Cleanup(func() { _ = ws.Close() })
		n[who+"Handle"], players[who] = page.Joined.Handle, &player{ws: ws}
	}
	peer, offer, err := client.NewPeer(client.PhoneSlots)
	must(t, err)
	t.Cleanup(peer.Close)
	n["patientOffer"] = offer

	steps := readExchange(t)
	if len(steps) < 20 {
		t.Fatalf("the document's exchange has %d steps", len(steps))
	}
	for _, s := range steps {
		p, ok := players[s.who]
		switch {
		case !ok:
			t.Fatalf("line %d: nobody is called %q", s.line, s.who)
		case s.sends:
			p.send(t, s, n)
		default:
			p.expect(t, s, n)
		}
	}
}

func TestMatch_Patterns(t *testing.T) {
	parse := func(text string) (v any) {
		must(t, json.Unmarshal([]byte(text), &v))
		return v
	}
	for _, test := range []struct {
		name, pattern, got string
		matches            bool
	}{
		{"fields may be more", `{"a":1}`, `{"a":1,"b":2}`, true},
		{"fields may not be fewer", `{"a":1,"b":2}`, `{"a":1}`, false},
		{"values count", `{"a":1}`, `{"a":2}`, false},
		{"anything", `{"a":"*"}`, `{"a":{"b":2}}`, true},
		{"one name, one value", `{"a":"$x","b":"$x"}`, `{"a":"1","b":"1"}`, true},
		{"one name, two values", `{"a":"$x","b":"$x"}`, `{"a":"1","b":"2"}`, false},
		{"a name is never empty", `{"a":"$x"}`, `{"a":""}`, false},
		{"elements in any order among others", `[{"a":2},{"a":1}]`, `[{"a":1},{"a":3},{"a":2}]`, true},
		{"an element is missing", `[{"a":2}]`, `[{"a":1}]`, false},
		{"an empty list is empty", `[]`, `[1]`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if difference := (names{}).match(parse(test.pattern), parse(test.got), ""); (difference == "") != test.matches {
				t.Errorf("difference %q", difference)
			}
		})
	}
}
