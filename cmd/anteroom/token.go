package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/anteroom/anteroom/internal/api"
)

type tokenCmd struct {
	Staff tokenStaff `cmd:"" help:"Make a link that signs a member of staff in."`
	API   tokenAPI   `cmd:"" name:"api" help:"Make an API key of a clinic, printed once."`
}

type tokenStaff struct {
	remote
	Staff string        `arg:"" optional:"" placeholder:"ID|NAME" help:"The member of staff; may be left out if there is one."`
	For   time.Duration `default:"12h" help:"How long the link can be opened, 1h to 168h. Default: ${default}."`
}

// Run makes a staff link.
func (c *tokenStaff) Run(ctx context.Context, o output) error {
	if c.For < time.Hour || c.For > 168*time.Hour || c.For%time.Hour != 0 {
		return fmt.Errorf("--for: %v is not whole hours from 1h to 168h", c.For)
	}
	var all api.Items[api.Staff]
	if err := c.call(ctx, http.MethodGet, "/v1/staff", nil, &all); err != nil {
		return err
	}
	member, err := pick("<staff>", "member of staff", all.Items, c.Staff, func(m api.Staff) (string, string) { return string(m.ID), m.Name })
	if err != nil {
		return err
	}
	var link api.StaffLink
	body := map[string]int{"hours": int(c.For / time.Hour)}
	if err := c.call(ctx, http.MethodPost, "/v1/staff/"+url.PathEscape(string(member.ID))+"/link", body, &link); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, link)
	}
	_, err = fmt.Fprintln(o.out, link.Link)
	return err
}

type tokenAPI struct {
	remote
	Name   string `required:"" placeholder:"NAME" help:"Where the key is used."`
	Clinic string `placeholder:"ID|NAME" help:"The clinic; may be left out if the key sees one."`
}

// Run makes an API key.
func (c *tokenAPI) Run(ctx context.Context, o output) error {
	var all api.Items[api.Clinic]
	if err := c.call(ctx, http.MethodGet, "/v1/clinics", nil, &all); err != nil {
		return err
	}
	clinic, err := pick("--clinic", "clinic", all.Items, c.Clinic, func(n api.Clinic) (string, string) { return string(n.ID), n.Name })
	if err != nil {
		return err
	}
	var key api.Key
	body := map[string]string{"name": c.Name}
	if err := c.call(ctx, http.MethodPost, "/v1/clinics/"+url.PathEscape(string(clinic.ID))+"/keys", body, &key); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, key)
	}
	_, err = fmt.Fprintln(o.out, key.Key)
	return err
}
