package main

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/config"
)

const dashboard = "../../deploy/grafana/anteroom.json"

// exposed is what /metrics can show: the labels of each name, and the values that labels of a running server have.
type exposed struct {
	labels map[string][]string
	values map[string]map[string]bool // of "name label"
}

var descForm = regexp.MustCompile(`^Desc\{fqName: "([^"]+)".*variableLabels: \{([^}]*)\}\}$`)

// exposedBy asks a server, and adds what only several instances have.
func exposedBy(t *testing.T, s *server) exposed {
	t.Helper()
	e := exposed{labels: map[string][]string{}, values: map[string]map[string]bool{}}
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		s.metrics.Describe(descs)
		clusterCollector{}.Describe(descs)
	}()
	for d := range descs {
		m := descForm.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("not understood: %s", d)
		}
		e.labels[m[1]] = strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })
	}
	families, err := s.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if !slices.Contains(e.labels[f.GetName()], l.GetName()) { // one of those that never vary
					e.labels[f.GetName()] = append(e.labels[f.GetName()], l.GetName())
				}
				of := f.GetName() + " " + l.GetName()
				if e.values[of] == nil {
					e.values[of] = map[string]bool{}
				}
				e.values[of][l.GetValue()] = true
			}
		}
		if f.GetName() == "anteroom_save_seconds" {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				e.labels[f.GetName()+suffix] = e.labels[f.GetName()]
			}
		}
		if _, described := e.labels[f.GetName()]; !described { // Go's own collectors describe less than they show
			e.labels[f.GetName()] = nil
		}
	}
	return e
}

// expressions are all that a dashboard asks Prometheus for, with the legends under them.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			ID          int
			Type, Title string
			Description string
			Targets     []struct{ Expr, LegendFormat string }
		}
		Templating struct {
			List []struct {
				Name  string
				Query any
			}
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	all, ids := map[string]string{}, map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || (p.Type != "row" && (p.Description == "" || len(p.Targets) == 0)) {
			t.Errorf("panel %d, %q: its number, words or questions", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			all[target.Expr] = target.LegendFormat
		}
	}
	for _, v := range d.Templating.List {
		if q, ok := v.Query.(map[string]any); ok {
			all[q["query"].(string)] = ""
		}
	}
	return all
}

var (
	metricName = regexp.MustCompile(`\b(anteroom|go|process)_[a-z0-9_]+`)
	selector   = regexp.MustCompile(`([a-z_]+)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"([^"]*)"`)
	grouping   = regexp.MustCompile(`\bby \(([^)]*)\)`)
	legend     = regexp.MustCompile(`\{\{(\w+)\}\}`)
	counting   = regexp.MustCompile(`(?:rate|increase)\((\w+)`)
)

func TestDashboard_AsksOnlyForWhatMetricsHave(t *testing.T) {
	cfg := &config.Serve{
		Dev: true, Data: t.TempDir(), Listen: "127.0.0.1:0", Store: inFile, TURN: true, Warm: 10, MaxPeers: 2000, MaxCPU: 85, MaxPackets: 1_000_000, Retention: time.Hour,
	}
	s, err := start(t.Context(), cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}()
	e := exposedBy(t, s)
	asked := expressions(t)
	if len(asked) < 20 {
		t.Fatalf("only %d expressions were found", len(asked))
	}
	for _, expr := range slices.Sorted(maps.Keys(asked)) {
		e.check(t, expr, asked[expr])
	}
}

func (e exposed) check(t *testing.T, expr, under string) {
	t.Helper()
	known := []string{"instance", "job"} // by Prometheus itself
	for _, name := range metricName.FindAllString(expr, -1) {
		labels, ok := e.labels[name]
		if !ok {
			t.Errorf("%s: there is no %s", expr, name)
		}
		known = append(known, labels...)
		if strings.HasSuffix(name, "_bucket") {
			known = append(known, "le")
		}
		isCounter := strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_bucket")
		isCounted := slices.ContainsFunc(counting.FindAllStringSubmatch(expr, -1), func(m []string) bool { return m[1] == name })
		if isCounter != isCounted {
			t.Errorf("%s: %s is a counter %v, and is taken for one %v", expr, name, isCounter, isCounted)
		}
	}
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		for _, is := range matcher.FindAllStringSubmatch(m[2], -1) {
			label, value := is[1], is[3]
			if label == "instance" {
				continue
			}
			if !slices.Contains(e.labels[m[1]], label) {
				t.Errorf("%s: %s has no label %s", expr, m[1], label)
			}
			if label == "what" || label == "limit" { // their values are there from the start
				for _, one := range strings.Split(value, "|") {
					if !e.values[m[1]+" "+label][one] {
						t.Errorf("%s: no %s of %s is %q", expr, label, m[1], one)
					}
				}
			}
		}
	}
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		for _, label := range strings.Split(m[1], ", ") {
			if !slices.Contains(known, label) {
				t.Errorf("%s: grouped by %s, which none of it has", expr, label)
			}
		}
	}
	for _, m := range legend.FindAllStringSubmatch(under, -1) {
		if !slices.Contains(known, m[1]) {
			t.Errorf("%s: the legend names %s, which none of it has", expr, m[1])
		}
	}
}
