package deploy_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// Services of docker-compose.yml.
var instances = []string{"a", "b", "c"}

// told is what an operator has to say.
var told = types.Mapping{"ANTEROOM_HOST": "visits.example.org", "ANTEROOM_ADDRESS": "203.0.113.7"}

func loadCompose(ctx context.Context, env types.Mapping) (*types.Project, error) {
	folder, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	return loader.LoadWithContext(ctx, types.ConfigDetails{
		WorkingDir: folder, Environment: maps.Clone(env),
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(folder, "docker-compose.yml")}},
	}, func(o *loader.Options) { o.SetProjectName("anteroom", false) })
}

func compose(t *testing.T) *types.Project {
	t.Helper()
	p, err := loadCompose(t.Context(), told)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// environment of a service, each variable with its value.
func environment(t *testing.T, s types.ServiceConfig) map[string]string {
	t.Helper()
	env := map[string]string{}
	for name, value := range s.Environment {
		if value == nil {
			t.Fatalf("%s takes %s from whoever starts it", s.Name, name)
		}
		env[name] = *value
	}
	return env
}

func TestCompose_AsksForANameAndAnAddress_AndNothingElse(t *testing.T) {
	for name := range told {
		env := maps.Clone(told)
		delete(env, name)
		if _, err := loadCompose(t.Context(), env); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	needed := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$\{(\w+):\?`).FindAllStringSubmatch(read(t, "docker-compose.yml"), -1) {
		needed[m[1]] = true
	}
	if want := slices.Sorted(maps.Keys(told)); !slices.Equal(slices.Sorted(maps.Keys(needed)), want) {
		t.Errorf("it needs %v, not %v", needed, want)
	}
}

func TestCompose_HasThreeInstances_ABalancer_AndRedis(t *testing.T) {
	got := compose(t).ServiceNames()
	slices.Sort(got)
	if want := []string{"a", "b", "balancer", "c", "redis"}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

func TestCompose_InstancesDifferOnlyInMediaPortAndName(t *testing.T) {
	p := compose(t)
	var envs []map[string]string
	var rest []types.ServiceConfig
	for _, name := range instances {
		s := p.Services[name]
		envs = append(envs, environment(t, s))
		s.Name, s.Environment, s.Ports, s.Networks = "", nil, nil, nil // these have tests of their own
		rest = append(rest, s)
	}
	if got, want := differing(envs...), []string{"ANTEROOM_HOP_ADVERTISE", "ANTEROOM_MEDIA"}; !slices.Equal(got, want) {
		t.Errorf("they differ in %v, not in %v", got, want)
	}
	for i := range rest {
		if !reflect.DeepEqual(rest[0], rest[i]) {
			t.Errorf("%s is not like %s:\n%+v\n%+v", instances[i], instances[0], rest[i], rest[0])
		}
	}
}

func TestCompose_SettingsAreTheServersOwn(t *testing.T) {
	p := compose(t)
	front := p.Networks["front"].Ipam.Config[0].Subnet
	balancer := p.Services["balancer"].Networks["front"].Ipv4Address
	for _, name := range instances {
		t.Run(name, func(t *testing.T) {
			s := p.Services[name]
			env := environment(t, s)
			cfg := serve(t, env)
			if cfg.Dev || cfg.Store != "redis" || cfg.PublicURL != "https://visits.example.org" || !cfg.JSON {
				t.Errorf("%+v", cfg)
			}
			if got := fmt.Sprint(cfg.MediaAdvertise); got != "[203.0.113.7]" {
				t.Errorf("media is said to be at %s", got)
			}
			// A port that is not the same inside and outside would be told to nobody.
			media := fmt.Sprint(cfg.Media.Port())
			want := types.ServicePortConfig{Mode: "ingress", Protocol: "udp", Published: media, Target: uint32(cfg.Media.Port())}
			if len(s.Ports) != 1 || !reflect.DeepEqual(s.Ports[0], want) {
				t.Errorf("published: %+v, not %+v", s.Ports, want)
			}
			if len(cfg.Proxies) != 1 || cfg.Proxies[0].String() != balancer+"/32" || !netip.MustParsePrefix(front).Contains(netip.MustParseAddr(balancer)) {
				t.Errorf("proxies %v are not the balancer alone, %s of %s", cfg.Proxies, balancer, front)
			}
			host, port, err := net.SplitHostPort(string(cfg.Cluster.HopAdvertise))
			_, hop, _ := net.SplitHostPort(string(cfg.Cluster.Hop))
			if err != nil || port != hop || !slices.Contains(s.Networks["inside"].Aliases, host) || host != name+".hop" {
				t.Errorf("others look for it at %s, it listens at %s and is called %v", cfg.Cluster.HopAdvertise, cfg.Cluster.Hop, s.Networks["inside"].Aliases)
			}
			if got := cfg.Redis.Addresses(); !slices.Equal(got, []string{"redis:6379"}) {
				t.Errorf("redis: %v", got)
			}
			files := fileSettings(env)
			if len(files) != 4 {
				t.Errorf("not all secrets are files: %v", files)
			}
			for setting, path := range files {
				secret, ok := strings.CutPrefix(path, "/run/secrets/")
				if !ok || !slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool {
					return c.Source == secret && c.Target == "/run/secrets/"+secret
				}) {
					t.Errorf("%s=%s, of %v", setting, path, s.Secrets)
				}
			}
			if len(s.Secrets) != len(files) {
				t.Errorf("it has secrets that it does not need: %v", s.Secrets)
			}
		})
	}
}

func TestCompose_PublishesNothingButTheBalancerAndMedia(t *testing.T) {
	var got []string
	for _, s := range compose(t).Services {
		for _, port := range s.Ports {
			got = append(got, s.Name+" "+port.HostIP+port.Published+":"+strconv.Itoa(int(port.Target))+"/"+port.Protocol)
		}
	}
	slices.Sort(got)
	want := []string{"a 7001:7001/udp", "b 7002:7002/udp", "balancer 443:8443/tcp", "c 7003:7003/udp"}
	if !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

func TestCompose_EveryServiceIsConfined(t *testing.T) {
	p := compose(t)
	for _, s := range p.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 ||
			!slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s: read-only %v, without %v, with %v, %v", s.Name, s.ReadOnly, s.CapDrop, s.CapAdd, s.SecurityOpt)
		}
		if s.Privileged || s.NetworkMode != "" || s.Pid != "" || s.Ipc != "" || s.UserNSMode != "" || len(s.Devices) > 0 || len(s.Tmpfs) > 0 {
			t.Errorf("%s has something of the machine's: %+v", s.Name, s)
		}
		if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(s.User) {
			t.Errorf("%s runs as %q", s.Name, s.User)
		}
		if s.Restart != "unless-stopped" {
			t.Errorf("%s: restart %q", s.Name, s.Restart)
		}
		if s.HealthCheck == nil || s.HealthCheck.Disable || len(s.HealthCheck.Test) < 2 || s.HealthCheck.Interval == nil || s.HealthCheck.Timeout == nil {
			t.Errorf("%s: no health check: %+v", s.Name, s.HealthCheck)
		}
		if s.Logging == nil || s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
			t.Errorf("%s: its log has no bound", s.Name)
		}
		if _, tag, ok := strings.Cut(s.Image, ":"); !ok || tag == "" {
			t.Errorf("%s: image %q has no tag", s.Name, s.Image)
		}
	}
}

func TestCompose_RedisKeepsItsDataAndIsReachedByInstancesAlone(t *testing.T) {
	p := compose(t)
	if !p.Networks["inside"].Internal {
		t.Error("the network inside has a way out")
	}
	on := map[string][]string{}
	for _, s := range p.Services {
		for network := range s.Networks {
			on[network] = append(on[network], s.Name)
		}
		if s.Name != "redis" && len(s.Volumes) > 0 {
			t.Errorf("%s keeps something: %v", s.Name, s.Volumes)
		}
	}
	for _, names := range on {
		slices.Sort(names)
	}
	want := map[string][]string{"front": {"a", "b", "balancer", "c"}, "inside": {"a", "b", "c", "redis"}}
	if !reflect.DeepEqual(on, want) {
		t.Errorf("networks: %v, not %v", on, want)
	}
	redis := p.Services["redis"]
	if len(redis.Volumes) != 1 || redis.Volumes[0].Type != "volume" || redis.Volumes[0].Source != "redis" || redis.Volumes[0].Target != "/data" || redis.Volumes[0].ReadOnly {
		t.Errorf("its data: %+v", redis.Volumes)
	}
	if v, ok := p.Volumes["redis"]; !ok || v.Driver != "" {
		t.Errorf("volume: %+v", v)
	}
	for _, name := range instances {
		if got := p.Services[name].DependsOn["redis"].Condition; got != types.ServiceConditionHealthy {
			t.Errorf("%s waits for redis to be %q", name, got)
		}
	}
}

func TestCompose_SecretsAndConfigsAreFilesThatAreMadeOrShipped(t *testing.T) {
	p := compose(t)
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	users := map[string][]string{}
	for _, s := range p.Services {
		for _, c := range s.Secrets {
			users[c.Source] = append(users[c.Source], s.Name)
		}
		for _, c := range s.Configs {
			users[c.Source] = append(users[c.Source], s.Name)
		}
	}
	for name, s := range p.Secrets {
		if filepath.Dir(s.File) != filepath.Join(folder, "secrets") {
			t.Errorf("secret %s is in %s", name, s.File)
		}
	}
	for _, c := range p.Configs {
		path, err := filepath.Rel(folder, c.File)
		if err != nil || read(t, path) == "" {
			t.Errorf("config %s: %v", c.File, err)
		}
	}
	for _, names := range users {
		slices.Sort(names)
	}
	want := map[string][]string{
		"certificate": {"balancer"}, "haproxy": {"balancer"}, "redis": {"redis"},
		"redis-password": {"a", "b", "c", "redis"}, "root-key": instances, "seal-keys": instances, "secret": instances,
	}
	if !reflect.DeepEqual(users, want) {
		t.Errorf("who has what: %v, not %v", users, want)
	}
	for _, ignoring := range []string{".gitignore", ".dockerignore"} {
		if text := read(t, ignoring); !strings.Contains(text, "/secrets/\n") && !strings.Contains(text, "\n*\n") {
			t.Errorf("%s lets the folder secrets through", ignoring)
		}
	}
}
