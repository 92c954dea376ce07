package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parse is what the program does with arguments, a file and the environment.
func parse(t *testing.T, file string, env map[string]string, args ...string) (*Serve, error) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	if file != "" {
		path := filepath.Join(t.TempDir(), "anteroom.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	var grammar struct {
		Serve Serve `cmd:""`
	}
	p, err := kong.New(&grammar, kong.DefaultEnvars(EnvPrefix))
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Parse(append([]string{"serve"}, args...))
	return &grammar.Serve, err
}

func TestParse_FlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	const file = "public-url: https://file.example\nwarm: 3\nretention: 3h\norigins: [https://a.example, https://b.example]\n" +
		"turn: false\nlisten: :3\n"
	env := map[string]string{"ANTEROOM_PUBLIC_URL": "https://env.example/", "ANTEROOM_WARM": "4", "ANTEROOM_LISTEN": ":4"}
	s, err := parse(t, file, env, "--public-url", "https://flag.example")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]any{
		"flag":            {s.PublicURL, Site("https://flag.example")},
		"environment":     {s.Warm, 4},
		"environment too": {s.ListenAddress(), ":4"},
		"file":            {s.Retention, 3 * time.Hour},
		"file's list":     {fmt.Sprint(s.Origins), "[https://a.example https://b.example]"},
		"file's boolean":  {s.TURN, false},
		"default":         {s.LogLevel, "info"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: got %v, want %v", name, c[0], c[1])
		}
	}
}

func TestParse_FileNamedByTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(path, []byte("dev: true\nwarm: 7"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := parse(t, "", map[string]string{"ANTEROOM_CONFIG": path})
	if err != nil || !s.Dev || s.Warm != 7 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestParse_WrongValues_AreRefusedByNameWithWhatIsRight(t *testing.T) {
	for _, c := range []struct {
		flag, value string
		says        string
	}{
		{"listen", "8080", "HOST:PORT"},
		{"listen", "host:99999", "HOST:PORT"},
		{"admin", "x", "HOST:PORT"},
		{"media", "localhost:1", "IP:PORT"},
		{"media", "1.2.3.4", "IP:PORT"},
		{"media-advertise", "media.example", "IP address"},
		{"media-advertise", "0.0.0.0", "IP address"},
		{"public-url", "visits.example", "https://visits.example.org"},
		{"public-url", "https://visits.example/path", "https://visits.example.org"},
		{"public-url", "https://u:p@visits.example", "https://visits.example.org"},
		{"public-url", "ftp://visits.example", "https://visits.example.org"},
		{"public-url", "http://visits.example", "https"},
		{"origins", "portal", "https://visits.example.org"},
		{"proxies", "proxy", "10.0.0.0/8"},
		{"warm", "0", "1 to 1000"},
		{"warm", "many", "int"},
		{"max-peers", "9", "10 to 100000"},
		{"max-peers", "0", "10 to 100000"},
		{"max-cpu", "9", "10 to 100, or 0 for never"},
		{"max-cpu", "101", "10 to 100"},
		{"max-packets", "999", "1000 to 100000000, or 0"},
		{"max-packets", "-1", "1000 to 100000000"},
		{"retention", "1", "duration"},
		{"retention", "0s", "1s to 87600h"},
		{"log-level", "loud", `"debug","info","warn","error"`},
		{"turn", "maybe", "true"},
		{"dev", "maybe", "true"},
		{"data", "", "folder"},
		{"store", "mysql", `"file","redis"`},
		{"store", "redis", "--redis: needed"},
		{"store", "redis", "--seal-keys: needed"},
		{"redis", "localhost", "HOST:PORT"},
		{"hop", ":7443", "--store: has to be redis"},
		{"hop", ":7443", "--secret: needed"},
		{"hop", ":7443", "--hop-advertise: needed"},
		{"hop", "10.0.0.1", "HOST:PORT"},
		{"hop-advertise", "10.0.0.1:7443", "--hop: needed"},
		{"redis-ca", "a.pem", "--redis-tls: needed"},
		{"redis-key", "a.pem", "--redis-cert: needed"},
		{"redis-user", "u", "--redis-password-file: needed"},
		{"redis-sentinel-password-file", "a", "--redis-master: needed"},
		{"tls-cert", "a.pem", "--tls-key: needed"},
		{"tls-key", "a.pem", "--tls-cert: needed"},
		{"config", "/nowhere/a.yaml", "no such file"},
	} {
		t.Run(c.flag+"="+c.value, func(t *testing.T) {
			base := []string{}
			if c.flag != "public-url" {
				base = append(base, "--public-url=https://visits.example")
			}
			check := func(how string, err error) {
				t.Helper()
				if err == nil {
					t.Errorf("%s: taken", how)
					return
				}
				if !strings.Contains(err.Error(), "--"+c.flag) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: %v; it should name --%s and say %q", how, err, c.flag, c.says)
				}
			}
			if c.flag != "turn" && c.flag != "dev" {
				_, err := parse(t, "", nil, append(base, "--"+c.flag+"="+c.value)...)
				check("flag", err)
			}
			if c.flag != "config" {
				_, err := parse(t, fmt.Sprintf("%s: %q", c.flag, c.value), nil, base...)
				check("file", err)
			}
			_, err := parse(t, "", map[string]string{"ANTEROOM_" + strings.ToUpper(strings.ReplaceAll(c.flag, "-", "_")): c.value}, base...)
			check("environment", err)
		})
	}
}

func TestParse_EachWrongThing_IsNamedAtOnce(t *testing.T) {
	_, err := parse(t, "", nil, "--warm=0", "--tls-cert=x")
	for _, name := range []string{"--warm", "--tls-key", "--public-url"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

func TestParse_BadFile_IsRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, says string }{
		"unknown setting": {"dev: true\nlisten-on: :1", `"listen-on" is no setting`},
		"itself":          {"dev: true\nconfig: b.yaml", `"config" is no setting`},
		"a list":          {"- dev", "not YAML of names and values"},
		"not YAML":        {"dev: [", "not YAML of names and values"},
		"number for text": {"dev: true\nlisten: 8080", `--listen: "8080" is not HOST:PORT`},
		"no unit":         {"dev: true\nretention: 90", `--retention: expected duration but got "90"`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(t, c.file, nil); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	if _, err := parse(t, "# nothing\n", nil, "--dev"); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func TestAddresses_HaveDefaultsForTheirUse(t *testing.T) {
	at := netip.MustParseAddrPort
	for name, c := range map[string]struct {
		args          []string
		listening     string
		listen, admin string
		media         string
	}{
		"production":     {[]string{"--public-url=https://v.example"}, "[::]:8443", ":8443", "127.0.0.1:9090", "[::]:8443"},
		"development":    {[]string{"--dev"}, "127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:0", "[::]:8080"},
		"a test":         {[]string{"--dev", "--listen=127.0.0.1:0"}, "127.0.0.1:4242", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"},
		"one address":    {[]string{"--dev", "--listen=192.0.2.1:99"}, "192.0.2.1:99", "192.0.2.1:99", "127.0.0.1:0", "192.0.2.1:99"},
		"media of its":   {[]string{"--dev", "--media=192.0.2.1:5"}, "127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:0", "192.0.2.1:5"},
		"media port":     {[]string{"--dev", "--media=:5"}, "127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:0", "[::]:5"},
		"metrics public": {[]string{"--dev", "--admin=:1"}, "127.0.0.1:8080", "127.0.0.1:8080", ":1", "[::]:8080"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parse(t, "", nil, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if s.ListenAddress() != c.listen || s.AdminAddress() != c.admin || s.MediaAddress(at(c.listening)) != at(c.media) {
				t.Errorf("listen %s, admin %s, media %s", s.ListenAddress(), s.AdminAddress(), s.MediaAddress(at(c.listening)))
			}
		})
	}
}

func TestSite_KnowsItsParts(t *testing.T) {
	for text, want := range map[string]string{
		"https://V.example/":  "https://v.example v.example 443",
		"http://[::1]:8080":   "http://[::1]:8080 ::1 8080",
		"http://a":            "http://a a 80",
		"https://a.b.c:10443": "https://a.b.c:10443 a.b.c 10443",
	} {
		var s Site
		if err := s.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(s, " ", s.Host(), " ", s.Port()); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
