package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/signaling"
)

// limitTable is the table of limits for people.
func limitTable() string {
	var b strings.Builder
	b.WriteString("| limit | of what | default | setting | beyond it |\n|---|---|---|---|---|\n")
	for _, l := range limits() {
		setting := "fixed"
		if l.setting != "" {
			setting = "`--" + l.setting + "`"
		}
		bound := strings.TrimSpace(grouped(l.bound) + " " + l.unit)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", l.name, l.what, bound, setting, l.beyond)
	}
	return b.String()
}

// grouped is a number with commas between thousands.
func grouped(n float64) string {
	s := strconv.FormatFloat(n, 'f', -1, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func TestOperations_TableIsThatOfTheLimits(t *testing.T) { documented(t, limitsBegin, limitTable()) }

func TestLimits_AreWhole(t *testing.T) {
	settings := map[string]string{}
	for _, f := range flagsOf(t, "serve") {
		settings[f.Name] = f.Default
	}
	names := map[string]bool{}
	for _, l := range limits() {
		if names[l.name] || !regexp.MustCompile(`^[a-z_]+$`).MatchString(l.name) || l.what == "" || l.beyond == "" {
			t.Errorf("%+v: twice, or a word is missing", l)
		}
		names[l.name] = true
		if l.bound <= 0 && l.setting == "" {
			t.Errorf("%s: bound %v", l.name, l.bound)
		}
		byDefault, known := settings[l.setting]
		if l.setting != "" && !known {
			t.Errorf("%s: there is no setting %s", l.name, l.setting)
		}
		if l.setting != "" && l.name != "peers_in_all" && byDefault != strconv.FormatFloat(l.bound, 'f', -1, 64) {
			t.Errorf("%s: the default is %s, the table says %v", l.name, byDefault, l.bound)
		}
	}
	for name := range signaling.LimitBounds() {
		if !names[name] {
			t.Errorf("signaling keeps %s, which is not in the table", name)
		}
	}
}

func TestLimits_AreInMetrics(t *testing.T) {
	at, _, stop := startServer(t, "--dev", "--max-peers", "40", "--warm", "7")
	for range 3 {
		fetch(t, "POST", at.URL+"/v1/join", `{"token":"`+strings.Repeat("x", 70_000)+`"}`)
	}
	_, _, metrics := fetch(t, "GET", at.Admin+"/metrics", "")
	for _, l := range limits() {
		for series, there := range map[string]bool{
			"anteroom_limit": true, "anteroom_limit_use_ratio": l.told == nearAndHits && l.name != "packets_per_second", "anteroom_limit_hits_total": l.told != nothing,
		} {
			if got := strings.Contains(metrics, series+`{limit="`+l.name+`"} `); got != there {
				t.Errorf("%s of %s: there %t, wanted %t", series, l.name, got, there)
			}
		}
	}
	for _, line := range []string{
		`anteroom_limit{limit="peers"} 40`, `anteroom_limit{limit="peers_in_all"} 50`, `anteroom_limit{limit="warm"} 7`,
		`anteroom_limit_hits_total{limit="rest_body_bytes"} 3`, `anteroom_limit_use_ratio{limit="peers"} 0`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("metrics do not say %s", line)
		}
	}
	if code := stop(); code != 0 {
		t.Errorf("stopped with %d", code)
	}
}
