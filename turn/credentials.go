package turn

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the scheme's hash; HMAC does not need collision resistance
	"encoding/base64"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// Credentials makes a username and password that allow allocations until now + ttl (draft-uberti-behave-turn-rest-00
// section 2.2). An allocation made in time may be used and refreshed beyond. The id is what quotas are counted by: an
// opaque handle of the seat, never anything about a person, since clients send it in clear. It has no colon.
func (s *Server) Credentials(id string, ttl time.Duration, now time.Time) (username, password string) {
	username = strconv.FormatInt(now.Add(ttl).Unix(), 10) + ":" + id
	return username, s.password(username)
}

func (s *Server) password(username string) string {
	mac := hmac.New(sha1.New, s.cfg.Secret)
	_, _ = mac.Write([]byte(username)) // a hash never fails
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// authenticate gives the key that a request must be signed with. Expiry is for Allocate alone, else a visit would end
// with the credentials that it began with.
func (s *Server) authenticate(r *turn.RequestAttributes) (id string, key []byte, ok bool) {
	expiry, id, found := strings.Cut(r.Username, ":")
	until, err := strconv.ParseInt(expiry, 10, 64)
	expired := r.Method == stun.MethodAllocate && time.Now().Unix() >= until
	if !found || err != nil || expired || r.Realm != s.cfg.Realm {
		s.denied.Add(1)
		return "", nil, false
	}
	return id, turn.GenerateAuthKey(r.Username, r.Realm, s.password(r.Username)), true
}

// onAuth counts the requests whose signature was wrong.
func (s *Server) onAuth(_, _ net.Addr, _, _, _, _ string, verdict bool) {
	if !verdict {
		s.denied.Add(1)
	}
}
