package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// Codes of problems, besides those of package rooms.
const (
	codeBadRequest   = "bad_request"
	codeBadValue     = "bad_value"
	codeUnauthorized = "unauthorized"
	codeForbidden    = "forbidden"
	codeNotFound     = "not_found"
	codeMismatch     = "idempotency_mismatch"
	codeLinkUnknown  = "link_unknown"
	codeLinkRevoked  = "link_revoked"
	codeLinkExpired  = "link_expired"
	codeVisitOver    = "visit_over"
	codeTooMany      = "too_many"
	codeTooLarge     = "too_large"
	codeMediaType    = "unsupported_media_type"
	codeFull         = "full"
	codeRetry        = "retry"
	codeInternal     = "internal"
	codeSealed       = "sealed" // a stored record was moved or changed, or its key is not here
)

// Problem is every error's body (RFC 9457). Code is what programs should look at. It never repeats what was sent.
type Problem struct {
	Type   string       `json:"type" doc:"Always about:blank: see code"`
	Title  string       `json:"title" doc:"The status in words"`
	Status int          `json:"status"`
	Code   string       `json:"code" doc:"What went wrong, for programs"`
	Detail string       `json:"detail,omitempty" doc:"What went wrong, for developers"`
	Errors []FieldError `json:"errors,omitempty" doc:"The fields that are wrong"`

	retryAfter string
}

// FieldError is one field that is wrong.
type FieldError struct {
	Location string `json:"location" doc:"Where, such as body.patient.name"`
	Message  string `json:"message" doc:"What would be right"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	if p.retryAfter == "" {
		return nil
	}
	return http.Header{"Retry-After": {p.retryAfter}}
}

func problem(status int, code, detail string) *Problem {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		p.retryAfter = "1"
	}
	return p
}

// What handlers answer and explain turns into a problem.
var (
	errNotFound = problem(http.StatusNotFound, codeNotFound, "")
	errMismatch = problem(http.StatusUnprocessableEntity, codeMismatch, "the key was used before with another body")
	errBadValue = errors.New("api: bad value")
	errFull     = errors.New("api: full")
)

// statusOf says how a refusal of the rooms' rules reads in HTTP. Those missing are conflicts with the visit's state.
var statusOf = map[rooms.Code]int{
	rooms.ErrForbidden.Code: http.StatusForbidden,
	rooms.ErrNoVisit.Code:   http.StatusNotFound,
	rooms.ErrNoSeat.Code:    http.StatusNotFound,
	rooms.ErrOver.Code:      http.StatusGone,
	rooms.ErrBadValue.Code:  http.StatusUnprocessableEntity,
}

// explain turns what went wrong into a problem. What the caller cannot have caused is logged, here and only here.
func (s *server) explain(ctx context.Context, err error) error {
	var p *Problem
	var rule *rooms.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, rooms.ErrMoving):
		return problem(http.StatusServiceUnavailable, codeRetry, "the visit is on its way to another waiting room; try the same again")
	case errors.As(err, &rule):
		status, ok := statusOf[rule.Code]
		if !ok {
			status = http.StatusConflict
		}
		return problem(status, string(rule.Code), rule.Detail)
	case errors.Is(err, errBadValue):
		return problem(http.StatusUnprocessableEntity, codeBadValue, strings.TrimPrefix(err.Error(), errBadValue.Error()+": "))
	case errors.Is(err, errFull):
		return problem(http.StatusConflict, codeFull, strings.TrimPrefix(err.Error(), errFull.Error()+": "))
	case errors.Is(err, store.ErrNotFound):
		return errNotFound
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		if errors.Is(err, context.DeadlineExceeded) {
			s.Limited(LimitTime)
		}
		s.Logger.Warn("api_unavailable", zap.String("request", callOf(ctx).id), zap.Error(err))
		return problem(http.StatusServiceUnavailable, codeRetry, "not done, or not known to be; try the same again")
	case errors.Is(err, store.ErrSealed):
		s.Logger.Error("record_not_opened", zap.String("request", callOf(ctx).id), zap.Error(err))
		return problem(http.StatusInternalServerError, codeSealed, "a stored record cannot be opened")
	}
	s.Logger.Error("api_failed", zap.String("request", callOf(ctx).id), zap.Error(err))
	return problem(http.StatusInternalServerError, codeInternal, "")
}

// codeOf names the errors that are found before a handler runs.
var codeOf = map[int]string{
	http.StatusUnauthorized:          codeUnauthorized,
	http.StatusForbidden:             codeForbidden,
	http.StatusUnprocessableEntity:   codeBadValue,
	http.StatusRequestEntityTooLarge: codeTooLarge,
	http.StatusUnsupportedMediaType:  codeMediaType,
	http.StatusTooManyRequests:       codeTooMany,
	http.StatusServiceUnavailable:    codeRetry,
	http.StatusInternalServerError:   codeInternal,
}

// toProblem makes the framework's errors ours and leaves the values out that it repeats from the request.
func toProblem(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code, ok := codeOf[m.Status]
	if !ok {
		code = codeBadRequest
	}
	p := problem(m.Status, code, m.Detail)
	for _, e := range m.Errors {
		if code == codeInternal { // not the caller's business
			break
		}
		p.Errors = append(p.Errors, FieldError{Location: e.Location, Message: e.Message})
	}
	return p, nil
}

// describeProblems puts our errors where the framework described its own.
func describeProblems(o *huma.OpenAPI) {
	r := o.Components.Schemas
	r.Map()["ErrorModel"] = r.Schema(reflect.TypeFor[Problem](), true, "Problem")
	delete(r.Map(), "ErrorDetail")
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may be gone
}

func printable(s string) bool {
	return utf8.ValidString(s) && strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, unicode.IsControl)
}
