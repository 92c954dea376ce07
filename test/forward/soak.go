package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// sample is what a server held at a time.
type sample struct {
	memory
	RSS       float64 // kB
	Forwarded uint64
}

// bound says how far a figure's mean over the last third of a run may be above that over the first third.
type bound struct {
	name  string
	of    func(sample) float64
	share float64
	more  float64 // beside that
}

var bounds = []bound{
	{"rss_kb", func(s sample) float64 { return s.RSS }, 0.05, 2048},
	{"heap_kb", func(s sample) float64 { return float64(s.Heap) / 1024 }, 0.03, 256},
	{"objects", func(s sample) float64 { return float64(s.Objects) }, 0.03, 1000},
	{"stacks_kb", func(s sample) float64 { return float64(s.Stacks) / 1024 }, 0.05, 256},
	{"goroutines", func(s sample) float64 { return float64(s.Goroutines) }, 0, 8}, // of which the calls themselves take up to 5
	{"peers", func(s sample) float64 { return float64(s.Peers) }, 0, 3},
	{"routes", func(s sample) float64 { return float64(s.Routes) }, 0, 8},
}

var errEarly = errors.New("the load ended early")

// soak runs visits that end and begin for a time and fails if the server holds more at its end than at its beginning.
func soak(args []string) error {
	flags := newFlags("soak")
	lasting := flags.Duration("for", 10*time.Minute, "how long, once all visits are there")
	every := flags.Duration("sample", 10*time.Second, "between two looks at the server")
	rooms := flags.Int("rooms", 140, "visits of two at a time; 140 are 70 % of 80,000 packets a second")
	churning := flags.Duration("every", time.Second, "between two visits that end, for each of which another begins")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fmt.Printf("%d visits of two, %d packets a second, for %v; each %v the oldest ends and another begins. Server on core 0, load on core 1.\n"+
		"Each %v: RSS as it is, then what is live after a collection. Fails if the mean over the last third is above that over the first third by\n"+
		"more than a bound.\n\n", *rooms, 2**rooms*perSecond, *lasting, *churning, *every)
	server, err := start([]int{0}, "server")
	if err != nil {
		return err
	}
	defer server.stop()
	var at ready
	if err := server.read(&at); err != nil {
		return err
	}
	load, err := start([]int{1}, "churn", "-control", at.Control, "-media", at.Media.String(),
		"-rooms", strconv.Itoa(*rooms), "-every", churning.String(), "-for", lasting.String())
	if err != nil {
		return err
	}
	defer load.stop()
	if err := load.await("begin"); err != nil {
		return err
	}
	var saw churned
	ended := make(chan error, 1)
	go func() { ended <- load.read(&saw) }()
	samples, err := watch(server, at.Control, *lasting, *every, ended)
	if err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return err
	}
	fmt.Printf("\n%d people came and %d left; %d packets sent, %.3f %% lost; %.2f %% of what was sent was more than 10 ms late\n\n",
		saw.Joined, saw.Joined, saw.Sent, 100*saw.Lost, 100*saw.Late10)
	growth, err := judge(samples)
	if e := json.NewEncoder(os.Stdout).Encode(struct {
		Bench   string             `json:"bench"`
		N       int                `json:"n"`
		Seconds float64            `json:"seconds"`
		Joined  int                `json:"joined"`
		Lost    float64            `json:"lost"`
		Growth  map[string]float64 `json:"growth"`
	}{"soak", len(samples), lasting.Seconds(), saw.Joined, saw.Lost, growth}); err == nil {
		err = e
	}
	return err
}

// watch samples the server until the time is over. The first sample is taken when rings are full.
func watch(server *process, control string, lasting, every time.Duration, ended <-chan error) (samples []sample, err error) {
	fmt.Printf("%8s", "s")
	for _, b := range bounds {
		fmt.Printf(" %10s", b.name)
	}
	fmt.Printf(" %10s\n", "packets/s")
	began := time.Now()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var before uint64
	for time.Since(began)+every < lasting {
		select {
		case err := <-ended:
			return nil, errors.Join(errEarly, err)
		case <-ticker.C:
		}
		rss, err := server.resident()
		if err != nil {
			return nil, err
		}
		s := sample{RSS: float64(rss.all)}
		if err := post(control, "/memory", struct{}{}, &s.memory); err != nil {
			return nil, err
		}
		var c counts
		if err := post(control, "/counts", struct{}{}, &c); err != nil {
			return nil, err
		}
		s.Forwarded = c.Forwarded
		samples = append(samples, s)
		fmt.Printf("%8.0f", time.Since(began).Seconds())
		for _, b := range bounds {
			fmt.Printf(" %10.0f", b.of(s))
		}
		fmt.Printf(" %10.0f\n", float64(s.Forwarded-before)/every.Seconds())
		before = s.Forwarded
	}
	return samples, nil
}

// judge returns by what share each figure grew from the first third to the last, and an error if any did by more than its bound.
func judge(samples []sample) (growth map[string]float64, err error) {
	third := len(samples) / 3
	if third == 0 {
		return nil, errors.New("less than three samples")
	}
	growth = map[string]float64{}
	var errs []error
	for _, b := range bounds {
		first, last := b.mean(samples[:third]), b.mean(samples[len(samples)-third:])
		growth[b.name] = round(last/max(first, 1) - 1)
		most := first*(1+b.share) + b.more
		fmt.Printf("%-12s %10.1f in the first third, %10.1f in the last, at most %10.1f\n", b.name, first, last, most)
		if last > most {
			errs = append(errs, fmt.Errorf("%s grew from %.1f to %.1f", b.name, first, last))
		}
	}
	return growth, errors.Join(errs...)
}

func (b bound) mean(samples []sample) (sum float64) {
	for _, s := range samples {
		sum += b.of(s)
	}
	return sum / float64(len(samples))
}
