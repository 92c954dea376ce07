package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
)

// How many of each a server or clinic may have.
const (
	maxClinics = 10_000
	maxKeys    = 100
	maxRooms   = 500
	maxStaff   = 5_000
)

// Clinic is a department or practice: what a key belongs to.
type Clinic struct {
	ID        rooms.ClinicID `json:"id"`
	Name      string         `json:"name"`
	Phone     string         `json:"phone,omitempty" doc:"What patients are told to ring"`
	CreatedAt time.Time      `json:"createdAt"`
}

func clinicOf(c rooms.Clinic) Clinic { return Clinic(c) }

// Key is an API key, without the key.
type Key struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"createdAt"`
	Disabled  bool      `json:"disabled"`
	Key       string    `json:"key,omitempty" doc:"The key itself: shown once, when it is made"`
}

type (
	body[T any] struct{ Body T }
	list[T any] struct{ Body Items[T] }

	clinicInput struct {
		Body struct {
			Name  string `json:"name" minLength:"1" maxLength:"120"`
			Phone string `json:"phone,omitempty" maxLength:"40" doc:"What patients are told to ring"`
		}
	}
	clinicPath struct {
		Clinic rooms.ClinicID `path:"clinic" maxLength:"26"`
	}
	clinicChanges struct {
		Clinic rooms.ClinicID `path:"clinic" maxLength:"26"`
		Body   struct {
			Name  *string `json:"name,omitempty" minLength:"1" maxLength:"120"`
			Phone *string `json:"phone,omitempty" maxLength:"40"`
		}
	}
	keyInput struct {
		Clinic rooms.ClinicID `path:"clinic" maxLength:"26"`
		Body   struct {
			Name string `json:"name" minLength:"1" maxLength:"120" doc:"Where the key is used"`
		}
	}
	keyPath struct {
		Clinic rooms.ClinicID `path:"clinic" maxLength:"26"`
		Key    string         `path:"key" maxLength:"26"`
	}
)

// Items is a whole list, ordered by when its entries were made.
type Items[T any] struct {
	Items []T `json:"items"`
}

func listOf[S, T any](from []S, to func(S) T) *list[T] {
	l := &list[T]{Body: Items[T]{Items: make([]T, len(from))}}
	for i := range from {
		l.Body.Items[i] = to(from[i])
	}
	return l
}

func (s *server) clinics(a huma.API) {
	register(s, a, rootOnly, huma.Operation{
		OperationID: "create-clinic", Method: http.MethodPost, Path: "/v1/clinics", DefaultStatus: http.StatusCreated,
		Summary: "Make a clinic", Tags: []string{"Clinics"},
	}, s.createClinic)
	register(s, a, anyKey, huma.Operation{
		OperationID: "list-clinics", Method: http.MethodGet, Path: "/v1/clinics",
		Summary: "List the clinics that the key sees", Tags: []string{"Clinics"},
	}, s.listClinics)
	register(s, a, anyKey, huma.Operation{
		OperationID: "get-clinic", Method: http.MethodGet, Path: "/v1/clinics/{clinic}",
		Summary: "Read a clinic", Tags: []string{"Clinics"},
	}, s.getClinic)
	register(s, a, anyKey, huma.Operation{
		OperationID: "change-clinic", Method: http.MethodPatch, Path: "/v1/clinics/{clinic}",
		Summary: "Change a clinic", Tags: []string{"Clinics"},
	}, s.changeClinic)
	register(s, a, anyKey, huma.Operation{
		OperationID: "create-key", Method: http.MethodPost, Path: "/v1/clinics/{clinic}/keys", DefaultStatus: http.StatusCreated,
		Summary: "Make an API key of a clinic", Description: "The key is in this answer only.", Tags: []string{"Keys"},
	}, s.createKey)
	register(s, a, anyKey, huma.Operation{
		OperationID: "list-keys", Method: http.MethodGet, Path: "/v1/clinics/{clinic}/keys",
		Summary: "List a clinic's API keys", Tags: []string{"Keys"},
	}, s.listKeys)
	register(s, a, anyKey, huma.Operation{
		OperationID: "disable-key", Method: http.MethodDelete, Path: "/v1/clinics/{clinic}/keys/{key}",
		Summary: "Disable an API key for good", Tags: []string{"Keys"},
	}, s.disableKey)
}

func (s *server) createClinic(ctx context.Context, in *clinicInput) (*body[Clinic], error) {
	s.directory.Lock()
	defer s.directory.Unlock()
	all, err := s.Store.Clinics(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) >= maxClinics {
		return nil, fmt.Errorf("%w: clinics", errFull)
	}
	c := rooms.Clinic{ID: newID[rooms.ClinicID](s), Name: in.Body.Name, Phone: in.Body.Phone, CreatedAt: s.Now()}
	return s.putClinic(ctx, c)
}

func (s *server) putClinic(ctx context.Context, c rooms.Clinic) (*body[Clinic], error) {
	if err := oneLine("name", c.Name); err != nil {
		return nil, err
	}
	if c.Phone != "" {
		if err := oneLine("phone", c.Phone); err != nil {
			return nil, err
		}
	}
	if err := s.Store.PutClinic(ctx, c); err != nil {
		return nil, err
	}
	return &body[Clinic]{clinicOf(c)}, nil
}

func (s *server) listClinics(ctx context.Context, _ *struct{}) (*list[Clinic], error) {
	who := callerOf(ctx)
	if who.root {
		all, err := s.Store.Clinics(ctx)
		if err != nil {
			return nil, err
		}
		return listOf(all, clinicOf), nil
	}
	own, err := s.Store.Clinic(ctx, who.clinic)
	if err != nil {
		return nil, err
	}
	return listOf([]rooms.Clinic{own}, clinicOf), nil
}

// clinic reads a clinic that the caller may know of.
func (s *server) clinic(ctx context.Context, id rooms.ClinicID) (rooms.Clinic, error) {
	if !callerOf(ctx).sees(id) {
		return rooms.Clinic{}, errNotFound
	}
	return s.Store.Clinic(ctx, id)
}

func (s *server) getClinic(ctx context.Context, in *clinicPath) (*body[Clinic], error) {
	c, err := s.clinic(ctx, in.Clinic)
	if err != nil {
		return nil, err
	}
	return &body[Clinic]{clinicOf(c)}, nil
}

func (s *server) changeClinic(ctx context.Context, in *clinicChanges) (*body[Clinic], error) {
	s.directory.Lock()
	defer s.directory.Unlock()
	c, err := s.clinic(ctx, in.Clinic)
	if err != nil {
		return nil, err
	}
	set(&c.Name, in.Body.Name)
	set(&c.Phone, in.Body.Phone)
	out, err := s.putClinic(ctx, c)
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Rooms(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		s.Hub.RoomChanged(w.ID)
	}
	return out, nil
}

func keyOf(k rooms.APIKey) Key {
	return Key{ID: k.ID, Name: k.Name, CreatedAt: k.CreatedAt, Disabled: k.Disabled}
}

func (s *server) createKey(ctx context.Context, in *keyInput) (*body[Key], error) {
	s.directory.Lock()
	defer s.directory.Unlock()
	c, err := s.clinic(ctx, in.Clinic)
	if err != nil {
		return nil, err
	}
	if err := oneLine("name", in.Body.Name); err != nil {
		return nil, err
	}
	all, err := s.Store.Keys(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if len(all) >= maxKeys {
		return nil, fmt.Errorf("%w: keys of the clinic", errFull)
	}
	secret, hash, err := auth.NewAPIKey(s.Random)
	if err != nil {
		return nil, err
	}
	k := rooms.APIKey{ID: newID[string](s), Clinic: c.ID, Hash: hash, Name: in.Body.Name, CreatedAt: s.Now()}
	if err := s.Store.PutKey(ctx, k); err != nil {
		return nil, err
	}
	shown := keyOf(k)
	shown.Key = secret
	return &body[Key]{shown}, nil
}

func (s *server) listKeys(ctx context.Context, in *clinicPath) (*list[Key], error) {
	c, err := s.clinic(ctx, in.Clinic)
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Keys(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	return listOf(all, keyOf), nil
}

func (s *server) disableKey(ctx context.Context, in *keyPath) (*struct{}, error) {
	s.directory.Lock()
	defer s.directory.Unlock()
	c, err := s.clinic(ctx, in.Clinic)
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Keys(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if k.ID == in.Key {
			k.Disabled = true
			return nil, s.Store.PutKey(ctx, k)
		}
	}
	return nil, errNotFound
}

// set changes a field that a request names.
func set[T any](field, to *T) {
	if to != nil {
		*field = *to
	}
}
