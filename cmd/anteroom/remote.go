package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/anteroom/anteroom/internal/api"
)

// remote is a running server's REST API.
type remote struct {
	URL  string `name:"url" default:"http://localhost:8080" help:"The server. Default: ${default}."`
	Key  string `placeholder:"KEY" help:"API key of the clinic. Without it the key of a development server is read from --data."`
	Data string `default:"data" placeholder:"DIR" help:"Data folder of a development server. Default: ${default}."`
	JSON bool   `name:"json" help:"Print what the server answers."`
}

// answerLimit bounds what is read of an answer.
const answerLimit = 16 << 20

var errNoKey = errors.New("--key: needed (or ANTEROOM_KEY); or --data with the data folder of a development server")

func (r *remote) key(file string) (string, error) {
	if r.Key != "" {
		return r.Key, nil
	}
	text, err := os.ReadFile(filepath.Join(r.Data, file))
	if err != nil {
		return "", errNoKey
	}
	return strings.TrimSpace(string(text)), nil
}

// call sends a request and reads the answer into out, which may be nil. Headers are name, value pairs.
func (r *remote) call(ctx context.Context, method, path string, in, out any, headers ...string) error {
	key, err := r.key(devKeyFile)
	if err != nil {
		return err
	}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.URL, "/")+path, body)
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	q.Header.Set("Authorization", "Bearer "+key)
	if in != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			q.Header.Set(headers[i], headers[i+1])
		}
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return fmt.Errorf("is the server running? %w", err)
	}
	defer res.Body.Close()
	return read(res, out)
}

func read(res *http.Response, out any) error {
	decoder := json.NewDecoder(io.LimitReader(res.Body, answerLimit))
	if res.StatusCode >= 400 {
		var p api.Problem
		if decoder.Decode(&p) != nil || p.Code == "" {
			return fmt.Errorf("the server answers %s", res.Status)
		}
		return refused(p)
	}
	if out == nil {
		return nil
	}
	if err := decoder.Decode(out); err != nil {
		return fmt.Errorf("the server's answer is not understood: %w", err)
	}
	return nil
}

// refused says in one line why the server would not.
func refused(p api.Problem) error {
	why := p.Code
	if p.Detail != "" {
		why += ": " + p.Detail
	}
	for _, e := range p.Errors {
		why += fmt.Sprintf("; %s: %s", e.Location, e.Message)
	}
	return errors.New(why)
}

// theRoom is the waiting room that is named, or the only one.
func (r *remote) theRoom(ctx context.Context, named string) (api.Room, error) {
	var all api.Items[api.Room]
	if err := r.call(ctx, http.MethodGet, "/v1/rooms", nil, &all); err != nil {
		return api.Room{}, err
	}
	return pick("--room", "waiting room", all.Items, named, func(w api.Room) (string, string) { return string(w.ID), w.Name })
}

// pick chooses by id or name; without either there has to be only one.
func pick[T any](flag, what string, all []T, named string, of func(T) (id, name string)) (T, error) {
	var found []T
	var choices []string
	for _, v := range all {
		id, name := of(v)
		choices = append(choices, fmt.Sprintf("%s (%s)", id, name))
		if named == "" || named == id || named == name {
			found = append(found, v)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var none T
	return none, fmt.Errorf("%s: say which %s, one of: %s", flag, what, strings.Join(choices, ", "))
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
