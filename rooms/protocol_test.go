package rooms

import (
	"os"
	"strings"
	"testing"
)

const protocol = "../docs/protocol.md"

// TestProtocol_NamesEveryRefusal holds the column "refused with" of the protocol's requests against effects: whatever
// an action is refused with in some state of a seat is in its row, or among the codes that every command may answer.
func TestProtocol_NamesEveryRefusal(t *testing.T) {
	text, err := os.ReadFile(protocol)
	if err != nil {
		t.Fatal(err)
	}
	_, common, _ := strings.Cut(string(text), "Every command may also answer")
	common, _, _ = strings.Cut(common, ";")
	if common == "" {
		t.Fatal("the document does not say what every command may answer")
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 7 && strings.HasSuffix(strings.TrimSpace(cells[1]), "*") {
			rows[strings.Trim(cells[1], " `*")] = cells[5]
		}
	}
	for action := range effects {
		documented, ofClients := rows[action]
		if ofClients == serverOnly(action) {
			t.Errorf("%s: is it a request? the document says %v, the policy otherwise", action, ofClients)
		}
		if !ofClients {
			continue
		}
		for _, effect := range strings.Fields(effects[action] + " " + effectsByStaff[action]) {
			if code, refused := strings.CutPrefix(effect, "!"); refused && !strings.Contains(documented+common, "`"+code+"`") {
				t.Errorf("%s: %s is not documented", action, code)
			}
		}
	}
	for action := range rows {
		if _, known := effects[action]; !known {
			t.Errorf("%s is documented and no action", action)
		}
	}
}

// serverOnly tells whether an action is given by REST or by the server, and by no client.
func serverOnly(action string) bool {
	return action == ActOpen || !May(Patient, action) && !May(Clinician, action)
}
