package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"github.com/anteroom/anteroom/rooms"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func newKeys(t *testing.T) *Keys {
	t.Helper()
	secret := make([]byte, SecretSize)
	_, _ = rand.Read(secret)
	k, err := New(secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seat() Identity {
	return Identity{
		Kind: Seat, Room: rooms.RoomID(rooms.NewID(now, rand.Reader)),
		Visit: rooms.VisitID(rooms.NewID(now, rand.Reader)), Seat: rooms.SeatID(rooms.NewID(now, rand.Reader)), Gen: 3,
	}
}

func staff() Identity {
	return Identity{
		Kind: Staff, Clinic: rooms.ClinicID(rooms.NewID(now, rand.Reader)),
		Staff: rooms.StaffID(rooms.NewID(now, rand.Reader)), Gen: 1,
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestParseToken_OfALink_IsWhomItWasMadeFor(t *testing.T) {
	k := newKeys(t)
	patient, nurse := seat(), staff()
	for token, want := range map[string]Identity{
		must(k.SeatToken(patient)):                    patient,
		must(k.StaffToken(nurse, now.Add(time.Hour))): nurse,
	} {
		got, err := k.ParseToken(token, now)
		if err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
		if len(token) > 250 {
			t.Errorf("a %s token has %d characters, too many for a text", want.Kind, len(token))
		}
	}
}

func TestParseToken_SeatToken_HasNoExpiry(t *testing.T) {
	k := newKeys(t)
	if _, err := k.ParseToken(must(k.SeatToken(seat())), now.AddDate(10, 0, 0)); err != nil {
		t.Error(err)
	}
}

func TestParseToken_Bad_IsRefused(t *testing.T) {
	k := newKeys(t)
	good := must(k.SeatToken(seat()))
	parts := strings.Split(good, ".")
	unsigned := must(jwt.NewWithClaims(jwt.SigningMethodNone, claimsOf(seat(), forLink)).SignedString(jwt.UnsafeAllowNoneSignatureType))
	otherHash := must(jwt.NewWithClaims(jwt.SigningMethodHS512, claimsOf(seat(), forLink)).SignedString(k.secret))
	incomplete := claimsOf(seat(), forLink)
	incomplete.Seat = ""
	both := claimsOf(seat(), forLink)
	both.Staff = staff().Staff
	cookie := claimsOf(seat(), forCookie)
	cookie.Expires = jwt.NewNumericDate(now.Add(time.Hour))

	for name, c := range map[string]struct {
		token string
		want  error
	}{
		"empty":                    {"", ErrBadToken},
		"not a token":              {"hello", ErrBadToken},
		"too long":                 {strings.Repeat("a", MaxToken+1), ErrBadToken},
		"another's secret":         {must(newKeys(t).SeatToken(seat())), ErrBadToken},
		"unsigned":                 {unsigned, ErrBadToken},
		"another algorithm":        {otherHash, ErrBadToken},
		"claims of another":        {parts[0] + "." + strings.Split(must(k.SeatToken(seat())), ".")[1] + "." + parts[2], ErrBadToken},
		"no signature":             {parts[0] + "." + parts[1] + ".", ErrBadToken},
		"a cookie's":               {must(k.sign(cookie)), ErrBadToken},
		"no seat":                  {must(k.sign(incomplete)), ErrBadToken},
		"seat and staff":           {must(k.sign(both)), ErrBadToken},
		"staff without expiry":     {must(k.sign(claimsOf(staff(), forLink))), ErrBadToken},
		"staff, expired":           {must(k.StaffToken(staff(), now.Add(-time.Second))), ErrExpired},
		"expires at this very now": {must(k.StaffToken(staff(), now)), ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := k.ParseToken(c.token, now)
			if !errors.Is(err, c.want) || id != (Identity{}) {
				t.Errorf("got %+v, %v; want %v", id, err, c.want)
			}
		})
	}
}

func TestParseToken_AnyBitChanged_IsRefused(t *testing.T) {
	k := newKeys(t)
	token := must(k.SeatToken(seat()))
	for i := range token {
		changed := []byte(token)
		changed[i] ^= 1
		if _, err := k.ParseToken(string(changed), now); !errors.Is(err, ErrBadToken) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

func TestSign_IncompleteIdentity_IsRefused(t *testing.T) {
	k := newKeys(t)
	if _, err := k.SeatToken(staff()); err == nil {
		t.Error("a seat token for staff")
	}
	if _, err := k.StaffToken(seat(), now); err == nil {
		t.Error("a staff token for a seat")
	}
	if _, err := k.StaffToken(staff(), time.Time{}); err == nil {
		t.Error("a staff token without expiry")
	}
	if _, err := k.SetCookie(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), Identity{}, now); err == nil {
		t.Error("a cookie for nobody")
	}
}

// browser keeps cookies as one does.
type browser struct {
	k       *Keys
	tls     bool
	cookies map[string]string
}

func (b *browser) request() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/signal", nil)
	if b.tls {
		r.TLS = &tls.ConnectionState{}
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (b *browser) signIn(t *testing.T, id Identity, at time.Time) (string, []*http.Cookie) {
	t.Helper()
	w := httptest.NewRecorder()
	handle, err := b.k.SetCookie(w, b.request(), id, at)
	if err != nil {
		t.Fatal(err)
	}
	set := w.Result().Cookies()
	for _, c := range set {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return handle, set
}

func newBrowser(t *testing.T) *browser {
	return &browser{k: newKeys(t), cookies: map[string]string{"other": "x"}}
}

func TestSetCookie_IsBoundToTheSite(t *testing.T) {
	for name, c := range map[string]struct {
		tls, secure bool
		prefix      string
	}{
		"clear":          {false, false, "anteroom-"},
		"TLS":            {true, false, "__Host-anteroom-"},
		"TLS at a proxy": {false, true, "__Host-anteroom-"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t)
			b.tls, b.k.Secure = c.tls, c.secure
			handle, set := b.signIn(t, seat(), now)
			if len(handle) != handleLength || len(set) != 1 {
				t.Fatalf("handle %q, cookies %v", handle, set)
			}
			got := set[0]
			secure := c.tls || c.secure
			if got.Name != c.prefix+handle || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/" ||
				got.Domain != "" || got.Secure != secure || got.MaxAge != int(SeatCookieAge/time.Second) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestIdentify_ThreePeopleInOneBrowser_StayThree(t *testing.T) {
	b := newBrowser(t)
	people := map[string]Identity{}
	for _, id := range []Identity{seat(), seat(), staff()} {
		handle, _ := b.signIn(t, id, now)
		id.Handle = handle
		people[handle] = id
	}
	if len(people) != 3 {
		t.Fatalf("%d handles", len(people))
	}
	for handle, want := range people {
		if got, err := b.k.Identify(b.request(), handle, now); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

func TestIdentify_Bad_IsRefused(t *testing.T) {
	b := newBrowser(t)
	mine, _ := b.signIn(t, seat(), now)
	nurse, _ := b.signIn(t, staff(), now)
	token := must(b.k.SeatToken(seat()))
	b.cookies["anteroom-alink"] = token
	b.cookies["anteroom-renamed"] = b.cookies["anteroom-"+mine]
	for name, c := range map[string]struct {
		handle string
		at     time.Time
		want   error
	}{
		"no handle":               {"", now, ErrNoSession},
		"unknown handle":          {"abcdefghij", now, ErrNoSession},
		"a link's token":          {"alink", now, ErrBadToken},
		"under another name":      {"renamed", now, ErrBadToken},
		"seat after a week":       {mine, now.Add(SeatCookieAge), ErrExpired},
		"staff after half a day":  {nurse, now.Add(StaffCookieAge), ErrExpired},
		"staff just before that":  {nurse, now.Add(StaffCookieAge - time.Second), nil},
		"somebody else's attempt": {"other", now, ErrNoSession},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := b.k.Identify(b.request(), c.handle, c.at); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestIdentify_OverTLS_TakesNoCookieOfTheClear(t *testing.T) {
	b := newBrowser(t)
	handle, _ := b.signIn(t, seat(), now)
	b.tls = true
	if _, err := b.k.Identify(b.request(), handle, now); !errors.Is(err, ErrNoSession) {
		t.Errorf("got %v", err)
	}
}

func TestSetCookie_SameLinkAgain_KeepsTheHandle(t *testing.T) {
	b := newBrowser(t)
	me := seat()
	first, _ := b.signIn(t, me, now)
	again, _ := b.signIn(t, me, now.Add(time.Hour))
	me.Gen++
	reissued, _ := b.signIn(t, me, now.Add(time.Hour))
	if again != first || reissued == first {
		t.Errorf("first %q, again %q, reissued %q", first, again, reissued)
	}
}

func TestSetCookie_SharedTablet_KeepsTheNewest(t *testing.T) {
	b := newBrowser(t)
	b.cookies["anteroom-broken"] = "x"
	var handles []string
	for i := range MaxCookies + 5 {
		handle, _ := b.signIn(t, seat(), now.Add(time.Duration(i)*time.Minute))
		handles = append(handles, handle)
	}
	if len(b.cookies) != MaxCookies+1 { // and the one that is not ours
		t.Errorf("%d cookies", len(b.cookies))
	}
	for i, handle := range handles {
		_, err := b.k.Identify(b.request(), handle, now.Add(time.Hour))
		if kept := err == nil; kept != (i >= 5) {
			t.Errorf("cookie %d of %d kept: %v", i, len(handles), kept)
		}
	}
}

func TestNewAPIKey_IsFoundByItsHash(t *testing.T) {
	key, hash, err := NewAPIKey(rand.Reader)
	if err != nil || HashAPIKey(key) != hash || !strings.HasPrefix(key, "anteroom_") || len(key) != len("anteroom_")+52 {
		t.Errorf("%q %x %v", key, hash, err)
	}
	if other, _, _ := NewAPIKey(rand.Reader); other == key {
		t.Error("the same key twice")
	}
	if _, _, err := NewAPIKey(iotest.ErrReader(errors.New("none"))); err == nil {
		t.Error("a key without random bytes")
	}
}

func TestLinks_CarryTheTokenInTheFragment(t *testing.T) {
	for got, want := range map[string]string{
		Link("https://visit.example", "abc"):      "https://visit.example/join#abc",
		StaffLink("https://visit.example", "abc"): "https://visit.example/staff#abc",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLoadSecret_IsMadeOnce_ForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	first := must(LoadSecret(path, rand.Reader))
	again := must(LoadSecret(path, rand.Reader))
	info := must(os.Stat(path))
	if !bytes.Equal(first, again) || len(first) != SecretSize || info.Mode().Perm() != 0o600 {
		t.Errorf("%d bytes, same %v, mode %v", len(first), bytes.Equal(first, again), info.Mode())
	}
}

func TestLoadSecret_Bad_IsRefusedWithoutQuotingIt(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "not base64": "***", "short": base64.StdEncoding.EncodeToString([]byte("short")),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := LoadSecret(path, rand.Reader)
			if !errors.Is(err, ErrSecret) || (text != "" && strings.Contains(err.Error(), text)) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := LoadSecret(filepath.Join(t.TempDir(), "none", "secret"), rand.Reader); !errors.Is(err, ErrSecret) {
		t.Errorf("no folder: %v", err)
	}
	dir := t.TempDir()
	if _, err := LoadSecret(filepath.Join(dir, "secret"), iotest.ErrReader(errors.New("none"))); !errors.Is(err, ErrSecret) {
		t.Errorf("no random bytes: %v", err)
	}
	if _, err := New([]byte("short")); !errors.Is(err, ErrSecret) {
		t.Errorf("short: %v", err)
	}
}

func TestLoadAPIKey_IsMadeOnce_AndChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root-key")
	key, hash, err := LoadAPIKey(path, rand.Reader)
	if err != nil || HashAPIKey(key) != hash {
		t.Fatal(key, err)
	}
	if again, _, err := LoadAPIKey(path, rand.Reader); err != nil || again != key {
		t.Errorf("again: %v", err)
	}
	if err := os.WriteFile(path, []byte("password"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadAPIKey(path, rand.Reader); !errors.Is(err, ErrSecret) {
		t.Errorf("a weak key: %v", err)
	}
}

func TestDigest_KeepsPurposesValuesAndSecretsApart(t *testing.T) {
	k := newKeys(t)
	b := func(s string) []byte { return []byte(s) }
	seen := map[[32]byte]bool{
		k.Digest("a", b("ab"), b("c")):          true,
		k.Digest("a", b("a"), b("bc")):          true,
		k.Digest("b", b("ab"), b("c")):          true,
		newKeys(t).Digest("a", b("ab"), b("c")): true,
	}
	if len(seen) != 4 {
		t.Errorf("%d different digests of 4", len(seen))
	}
	first, again := k.Digest("a", b("ab"), b("c")), k.Digest("a", b("ab"), b("c"))
	if first != again {
		t.Error("not the same again")
	}
}

// known is the same in every process: a fuzz test is several.
var known = Identity{Kind: Seat, Room: "room", Visit: "visit", Seat: "seat", Gen: 3}

func FuzzParseToken(f *testing.F) {
	k := must(New(bytes.Repeat([]byte("k"), SecretSize)))
	good := must(k.SeatToken(known))
	f.Add(good)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		id, err := k.ParseToken(token, now)
		if err == nil && (token != good || !id.complete()) {
			t.Errorf("%q was taken as %+v", token, id)
		}
		if err != nil && !errors.Is(err, ErrBadToken) && !errors.Is(err, ErrExpired) {
			t.Errorf("%q: %v", token, err)
		}
		if err != nil && len(token) > 30 && strings.Contains(fmt.Sprint(err), token) {
			t.Errorf("the error quotes the token: %v", err)
		}
	})
}

// FuzzIdentify: a cookie is ours or refused; a handle that is not its own opens nothing.
func FuzzIdentify(f *testing.F) {
	k := must(New(bytes.Repeat([]byte("k"), SecretSize)))
	request := httptest.NewRequest("POST", "/", nil)
	answer := httptest.NewRecorder()
	k.random = strings.NewReader("the same in every process")
	handle := must(k.SetCookie(answer, request, known, now))
	good := answer.Result().Cookies()[0]
	f.Add(handle, good.Name, good.Value)
	f.Add("other", "anteroom-other", good.Value)
	f.Add(handle, good.Name, must(k.SeatToken(known)))
	f.Add("", "anteroom-", "")
	f.Add("a=b;c", "anteroom-a=b;c", "\x00")
	f.Fuzz(func(t *testing.T, of, name, value string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", name+"="+value)
		id, err := k.Identify(r, of, now)
		if err == nil && (of != handle || !strings.Contains(value, good.Value) && !strings.Contains(name, good.Value) || id.Seat != known.Seat) {
			t.Errorf("%q with %q=%q is %+v", of, name, value, id)
		}
		if err != nil && !errors.Is(err, ErrNoSession) && !errors.Is(err, ErrBadToken) && !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
	})
}
