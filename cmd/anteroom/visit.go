package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/anteroom/anteroom/internal/api"
	"github.com/anteroom/anteroom/rooms"
)

type visitCmd struct {
	Create visitCreate `cmd:"" help:"Make a visit and print its links."`
	List   visitList   `cmd:"" help:"List visits with their links."`
	Cancel visitCancel `cmd:"" help:"Call visits off before they begin."`
}

type visitCreate struct {
	remote
	Room        string        `placeholder:"ID|NAME" help:"Waiting room; may be left out if there is one."`
	Patient     string        `default:"Patient" placeholder:"NAME" help:"The patient's name. Default: ${default}."`
	Born        string        `placeholder:"YYYY-MM-DD" help:"The patient's date of birth."`
	Language    string        `placeholder:"TAG" help:"The patient's language (BCP 47), such as es."`
	Interpreter bool          `help:"The patient needs an interpreter."`
	Reason      string        `placeholder:"TEXT" help:"Why the patient comes."`
	At          time.Time     `placeholder:"TIME" help:"When, such as 2026-03-01T10:30:00+01:00."`
	Length      time.Duration `placeholder:"DURATION" help:"How long it is planned to take, such as 20m."`
	Expected    []string      `placeholder:"ID" help:"Staff whom the patient is to see."`
	Guest       []string      `sep:"none" placeholder:"ROLE:NAME[:LANGUAGE]" help:"Somebody else who joins: specialist, presenter, interpreter, caregiver or observer. May be repeated."`
	ExternalID  string        `name:"external-id" placeholder:"TEXT" help:"Your own identifier: the same again answers the same visit."`
	Idempotency string        `name:"idempotency-key" placeholder:"TEXT" help:"The same again within a day answers the same visit."`
}

// Run makes a visit.
func (c *visitCreate) Run(ctx context.Context, o output) error {
	room, err := c.theRoom(ctx, c.Room)
	if err != nil {
		return err
	}
	if c.Length%time.Minute != 0 {
		return fmt.Errorf("--length: %v is not whole minutes, such as 20m", c.Length)
	}
	in := api.NewVisit{
		Room: room.ID, ExternalID: c.ExternalID, Reason: c.Reason, LengthMinutes: int(c.Length / time.Minute),
		Patient: api.Patient{Name: c.Patient, BirthDate: c.Born, Language: c.Language, Interpreter: c.Interpreter},
	}
	if !c.At.IsZero() {
		in.ScheduledAt = &c.At
	}
	for _, id := range c.Expected {
		in.Expected = append(in.Expected, rooms.StaffID(id))
	}
	for _, text := range c.Guest {
		parts := strings.SplitN(text, ":", 3)
		if len(parts) < 2 {
			return fmt.Errorf("--guest: %q is not ROLE:NAME, such as caregiver:Sam", text)
		}
		g := api.Guest{Role: rooms.Role(parts[0]), Name: parts[1]}
		if len(parts) == 3 {
			g.Language = parts[2]
		}
		in.Guests = append(in.Guests, g)
	}
	var v api.Visit
	if err := c.call(ctx, http.MethodPost, "/v1/visits", in, &v, "Idempotency-Key", c.Idempotency); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, v)
	}
	return printVisits(o.out, v)
}

type visitList struct {
	remote
	Room  string `placeholder:"ID|NAME" help:"Waiting room; may be left out if there is one."`
	Phase string `enum:",scheduled,waiting,active,held,ended,cancelled,noshow" default:"" placeholder:"PHASE" help:"Only those scheduled, waiting, active, held, ended, cancelled or noshow."`
}

// Run lists all visits, page by page.
func (c *visitList) Run(ctx context.Context, o output) error {
	room, err := c.theRoom(ctx, c.Room)
	if err != nil {
		return err
	}
	all := []api.Visit{}
	query := url.Values{"room": {string(room.ID)}, "links": {"true"}, "limit": {"100"}}
	if c.Phase != "" {
		query.Set("phase", c.Phase)
	}
	for {
		var page api.Visits
		if err := c.call(ctx, http.MethodGet, "/v1/visits?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			break
		}
		query.Set("after", string(page.Next))
	}
	if c.JSON {
		return printJSON(o.out, all)
	}
	return printVisits(o.out, all...)
}

type visitCancel struct {
	remote
	Visits []string `arg:"" name:"visit" help:"Identifiers of the visits."`
	Reason string   `placeholder:"TEXT" help:"Why."`
}

// Run cancels visits, one after the other.
func (c *visitCancel) Run(ctx context.Context, o output) error {
	all := []api.Visit{}
	for _, id := range c.Visits {
		var v api.Visit
		body := map[string]string{"reason": c.Reason}
		if err := c.call(ctx, http.MethodPost, "/v1/visits/"+url.PathEscape(id)+"/cancel", body, &v); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		all = append(all, v)
	}
	if c.JSON {
		return printJSON(o.out, all)
	}
	return printVisits(o.out, all...)
}

func printVisits(w io.Writer, all ...api.Visit) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range all {
		fmt.Fprintf(t, "%s\t%s\t\t\n", v.ID, v.Phase)
		for _, seat := range v.Seats {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", seat.Role, seat.State, seat.Name, seat.Link)
		}
	}
	return t.Flush()
}
