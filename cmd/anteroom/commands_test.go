package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// commandLine runs commands, of two words, against one server, unless their own flags say otherwise.
func commandLine(t *testing.T) func(args ...string) (code int, out, errs string) {
	t.Helper()
	data := t.TempDir()
	at, _, _ := startServer(t, "--dev", "--data", data)
	return func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		words := append(append([]string{}, args[:2]...), "--url", at.URL, "--data", data)
		code := run(t.Context(), append(words, args[2:]...), &out, &errs)
		return code, out.String(), errs.String()
	}
}

func TestVisit_CreateListCancel(t *testing.T) {
	anteroom := commandLine(t)
	code, out, errs := anteroom("visit", "create", "--patient", "Alex Morgan", "--born", "1984-03-12", "--language", "es",
		"--interpreter", "--reason", "Cough", "--at", "2026-12-01T10:30:00Z", "--length", "20m", "--external-id", "A-1",
		"--guest", "interpreter:Rui, Ana:pt", "--guest", "caregiver:Sam", "--json")
	if code != 0 {
		t.Fatal(errs)
	}
	var v struct {
		ID, Reason, ScheduledAt string
		LengthMinutes           int
		Seats                   []struct{ Role, Name, BirthDate, Language, Link string }
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatal(err)
	}
	if v.Reason != "Cough" || v.ScheduledAt != "2026-12-01T10:30:00Z" || v.LengthMinutes != 20 || len(v.Seats) != 3 ||
		v.Seats[0].BirthDate != "1984-03-12" || v.Seats[1].Name != "Rui, Ana" || v.Seats[1].Language != "pt" || v.Seats[2].Role != "caregiver" {
		t.Errorf("%s", out)
	}
	_, listed, _ := anteroom("visit", "list", "--phase", "scheduled", "--room", "Family Medicine")
	for _, seat := range v.Seats {
		if !strings.Contains(listed, seat.Link) || seat.Link == "" {
			t.Errorf("no link %q in %s", seat.Link, listed)
		}
	}
	if code, out, errs := anteroom("visit", "cancel", v.ID, "--reason", "ill"); code != 0 || !strings.Contains(out, "cancelled") {
		t.Errorf("cancel: %s %s", out, errs)
	}
	if _, out, _ := anteroom("visit", "list", "--phase", "scheduled", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("scheduled after it was cancelled: %s", out)
	}
}

func TestToken_OpensTheServer(t *testing.T) {
	anteroom := commandLine(t)
	code, key, errs := anteroom("token", "api", "--name", "Portal")
	if code != 0 {
		t.Fatal(errs)
	}
	if code, out, errs := anteroom("visit", "create", "--key", strings.TrimSpace(key)); code != 0 || !strings.Contains(out, "/join#") {
		t.Errorf("with the new key: %s %s", out, errs)
	}
	t.Setenv("ANTEROOM_KEY", strings.TrimSpace(key))
	if code, out, errs := anteroom("token", "staff", "Dr. Maria Santos", "--for", "2h"); code != 0 || !strings.Contains(out, "/staff#") {
		t.Errorf("staff: %s %s", out, errs)
	}
}

func TestCommands_ThatCannotBeDone_SayWhy(t *testing.T) {
	anteroom := commandLine(t)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no such room":      {[]string{"visit", "create", "--room", "x"}, "Family Medicine"},
		"bad date of birth": {[]string{"visit", "create", "--born", "12.3.1984"}, "body.patient.birthDate"},
		"bad guest":         {[]string{"visit", "create", "--guest", "Sam"}, "caregiver:Sam"},
		"bad role":          {[]string{"visit", "create", "--guest", "doctor:Sam"}, "body.guests[0].role"},
		"bad time":          {[]string{"visit", "create", "--at", "tomorrow"}, "--at"},
		"half a minute":     {[]string{"visit", "create", "--length", "90s"}, "--length"},
		"no such visit":     {[]string{"visit", "cancel", "x"}, "not_found"},
		"no such staff":     {[]string{"token", "staff", "Nobody"}, "Dr. Maria Santos"},
		"bad time of link":  {[]string{"token", "staff", "--for", "1m"}, "1h to 168h"},
		"bad key":           {[]string{"visit", "list", "--key", "x"}, "unauthorized"},
		"no such clinic":    {[]string{"token", "api", "--name", "x", "--clinic", "y"}, "Riverside Clinic"},
		"no server":         {[]string{"visit", "list", "--url", "http://127.0.0.1:1"}, "is the server running?"},
		"no key":            {[]string{"visit", "list", "--data", filepath.Join(t.TempDir(), "none")}, "--key: needed"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, errs := anteroom(c.args...)
			if code != 1 || !strings.Contains(errs, c.says) {
				t.Errorf("%d %s; it should say %s", code, errs, c.says)
			}
		})
	}
}
