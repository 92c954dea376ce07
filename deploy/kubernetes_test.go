package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	network "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms/store/sealed"
)

const manifests = "deploy/kubernetes"

// cluster is what the manifests say, by Kubernetes' own types.
type cluster struct {
	namespace  core.Namespace
	settings   core.ConfigMap
	secrets    core.Secret
	deployment apps.Deployment
	service    core.Service
	ingress    network.Ingress
	disruption policy.PodDisruptionBudget
	network    network.NetworkPolicy
}

func (c *cluster) container() core.Container { return c.deployment.Spec.Template.Spec.Containers[0] }

// files of the folder, with what each is.
func (c *cluster) files() map[string]any {
	return map[string]any{
		"namespace.yaml": &c.namespace, "settings.yaml": &c.settings, "secrets.yaml": &c.secrets, "deployment.yaml": &c.deployment,
		"service.yaml": &c.service, "ingress.yaml": &c.ingress, "disruption.yaml": &c.disruption, "network.yaml": &c.network,
	}
}

// kubernetes reads all manifests. A field that Kubernetes does not know, or that stands there twice, is an error.
func kubernetes(t *testing.T) *cluster {
	t.Helper()
	var c cluster
	for file, object := range c.files() {
		text := read(t, filepath.Join(manifests, file))
		if strings.Contains(text, "\n---") {
			t.Fatalf("%s: more than one object", file)
		}
		if err := yaml.UnmarshalStrict([]byte(text), object); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		// The kind is not checked by the type that it is read into.
		of := reflect.TypeOf(object).Elem()
		kind := reflect.ValueOf(object).Elem().FieldByName("Kind").String()
		version := reflect.ValueOf(object).Elem().FieldByName("APIVersion").String()
		want := strings.TrimPrefix(strings.TrimPrefix(of.PkgPath(), "k8s.io/api/"), "core/")
		if want == "networking/v1" || want == "policy/v1" {
			want = strings.Replace(want, "networking/", "networking.k8s.io/", 1)
		}
		if kind != of.Name() || version != want {
			t.Fatalf("%s: %s of %s, not %s of %s", file, kind, version, of.Name(), want)
		}
	}
	if n := len(c.deployment.Spec.Template.Spec.Containers); n != 1 || len(c.deployment.Spec.Template.Spec.InitContainers) > 0 {
		t.Fatalf("%d containers", n)
	}
	return &c
}

// environment of a pod on a node that has two addresses.
func (c *cluster) environment(t *testing.T) map[string]string {
	t.Helper()
	env := maps.Clone(c.settings.Data)
	for _, v := range c.container().Env {
		if v.ValueFrom == nil {
			env[v.Name] = os.Expand(strings.NewReplacer("$(", "${", ")", "}").Replace(v.Value), func(name string) string { return env[name] })
			continue
		}
		value, ok := map[string]string{"status.podIP": "10.1.2.3", "status.hostIPs": "203.0.113.7,2001:db8::7"}[v.ValueFrom.FieldRef.FieldPath]
		if !ok {
			t.Fatalf("%s is from %+v", v.Name, v.ValueFrom)
		}
		env[v.Name] = value
	}
	delete(env, "POD_IP")
	return env
}

func TestKubernetes_KustomizationHasEveryFile(t *testing.T) {
	var k struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Namespace  string   `json:"namespace"`
		Resources  []string `json:"resources"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, manifests+"/kustomization.yaml")), &k); err != nil {
		t.Fatal(err)
	}
	c := kubernetes(t)
	if k.Namespace != c.namespace.Name || k.Kind != "Kustomization" {
		t.Errorf("%+v", k)
	}
	there, err := filepath.Glob(filepath.Join(root, manifests, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, path := range there {
		if name := filepath.Base(path); name != "kustomization.yaml" {
			files = append(files, name)
		}
	}
	slices.Sort(k.Resources)
	if want := slices.Sorted(maps.Keys(c.files())); !slices.Equal(k.Resources, want) || !slices.Equal(files, want) {
		t.Errorf("resources %v, files %v, not %v", k.Resources, files, want)
	}
}

func TestKubernetes_SettingsAreTheServersOwn_AndThoseOfCompose(t *testing.T) {
	c := kubernetes(t)
	env := c.environment(t)
	cfg := serve(t, env)
	if cfg.Dev || cfg.Store != "redis" {
		t.Errorf("%+v", cfg)
	}
	if got := fmt.Sprint(cfg.MediaAdvertise); got != "[203.0.113.7 2001:db8::7]" {
		t.Errorf("media is said to be at %s", got)
	}
	if got := string(cfg.Cluster.HopAdvertise); got != "10.1.2.3"+string(cfg.Cluster.Hop) {
		t.Errorf("others look for it at %s, it listens at %s", got, cfg.Cluster.Hop)
	}
	ports := map[string]string{}
	for _, p := range c.container().Ports {
		ports[p.Name] = fmt.Sprintf("%d/%s of the node %d", p.ContainerPort, p.Protocol, p.HostPort)
	}
	port := func(address string) string { return strings.TrimPrefix(address, ":") }
	media := strconv.Itoa(int(cfg.Media.Port()))
	want := map[string]string{
		"http":  port(cfg.ListenAddress()) + "/TCP of the node 0",
		"admin": port(cfg.AdminAddress()) + "/TCP of the node 0",
		"hop":   port(string(cfg.Cluster.Hop)) + "/TCP of the node 0",
		"media": media + "/UDP of the node " + media,
	}
	if !maps.Equal(ports, want) {
		t.Errorf("ports: %v, not %v", ports, want)
	}
	names := slices.Sorted(maps.Keys(env))
	if inCompose := slices.Sorted(maps.Keys(environment(t, compose(t).Services["a"]))); !slices.Equal(names, inCompose) {
		t.Errorf("settings %v, those of compose are %v", names, inCompose)
	}
}

func TestKubernetes_PlaceholdersOfSecretsAreRefused(t *testing.T) {
	c := kubernetes(t)
	volume := c.deployment.Spec.Template.Spec.Volumes
	mounts := c.container().VolumeMounts
	if len(volume) != 1 || len(mounts) != 1 || volume[0].Secret == nil || volume[0].Secret.SecretName != c.secrets.Name ||
		*volume[0].Secret.DefaultMode != 0o440 || mounts[0].Name != volume[0].Name || !mounts[0].ReadOnly || mounts[0].SubPath != "" {
		t.Fatalf("%+v at %+v", volume, mounts)
	}
	var files []string
	for _, path := range fileSettings(c.settings.Data) {
		files = append(files, strings.TrimPrefix(path, mounts[0].MountPath+"/"))
	}
	slices.Sort(files)
	if names := slices.Sorted(maps.Keys(c.secrets.StringData)); !slices.Equal(files, names) || len(c.secrets.Data) > 0 {
		t.Errorf("settings want %v, the secret has %v", files, names)
	}
	for name, value := range c.secrets.StringData {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		var err error
		switch name {
		case "secret":
			_, err = auth.LoadSecret(path, nil)
		case "root-key":
			_, _, err = auth.LoadAPIKey(path, nil)
		case "seal-keys":
			_, err = sealed.ParseKeys([]byte(value))
		case "redis-password": // Redis refuses it
			continue
		}
		if err == nil {
			t.Errorf("a server would start with the %s that everybody knows", name)
		}
	}
}

func TestKubernetes_EverythingSelectsThePods(t *testing.T) {
	c := kubernetes(t)
	labels := c.deployment.Spec.Template.Labels
	for what, selector := range map[string]map[string]string{
		"deployment": c.deployment.Spec.Selector.MatchLabels, "service": c.service.Spec.Selector,
		"disruption": c.disruption.Spec.Selector.MatchLabels, "network": c.network.Spec.PodSelector.MatchLabels,
		"spread":   c.deployment.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels,
		"affinity": c.deployment.Spec.Template.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].LabelSelector.MatchLabels,
	} {
		if !maps.Equal(selector, labels) {
			t.Errorf("%s selects %v, the pods have %v", what, selector, labels)
		}
	}
	if key := c.deployment.Spec.Template.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].TopologyKey; key != "kubernetes.io/hostname" {
		t.Errorf("two could share a node's media port: %s", key)
	}
	if c.service.Spec.SessionAffinity != "" || len(c.service.Spec.Ports) != 1 || c.service.Spec.Ports[0].TargetPort.StrVal != "http" || c.service.Spec.Type != "" {
		t.Errorf("service: %+v", c.service.Spec)
	}
	host := strings.TrimPrefix(c.settings.Data["ANTEROOM_PUBLIC_URL"], "https://")
	rule := c.ingress.Spec.Rules[0]
	backend := rule.HTTP.Paths[0].Backend.Service
	if rule.Host != host || !slices.Equal(c.ingress.Spec.TLS[0].Hosts, []string{host}) || backend.Name != c.service.Name || backend.Port.Name != c.service.Spec.Ports[0].Name {
		t.Errorf("ingress: %+v", c.ingress.Spec)
	}
}

func TestKubernetes_PodsAreConfined(t *testing.T) {
	spec := kubernetes(t).deployment.Spec.Template.Spec
	pod, own := spec.SecurityContext, spec.Containers[0].SecurityContext
	if !*pod.RunAsNonRoot || *pod.RunAsUser != nobody || *pod.RunAsGroup != nobody || *pod.FSGroup != nobody || pod.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("pod: %+v", pod)
	}
	if !*own.ReadOnlyRootFilesystem || *own.AllowPrivilegeEscalation || own.Privileged != nil || !slices.Equal(own.Capabilities.Drop, []core.Capability{"ALL"}) || len(own.Capabilities.Add) > 0 {
		t.Errorf("container: %+v", own)
	}
	if *spec.AutomountServiceAccountToken || *spec.EnableServiceLinks || spec.HostNetwork || spec.HostPID || spec.HostIPC {
		t.Error("it has something of the cluster's or the node's")
	}
	if r := spec.Containers[0].Resources; r.Limits.Memory().IsZero() || r.Requests.Cpu().IsZero() || r.Requests.Memory().IsZero() {
		t.Errorf("resources: %+v", r)
	}
}

func TestKubernetes_ProbesAndTheWayToStop(t *testing.T) {
	c := kubernetes(t)
	container, spec := c.container(), c.deployment.Spec
	for what, probe := range map[string]struct {
		is   *core.Probe
		path string
	}{"startup": {container.StartupProbe, "/healthz"}, "liveness": {container.LivenessProbe, "/healthz"}, "readiness": {container.ReadinessProbe, "/readyz"}} {
		if p := probe.is; p == nil || p.HTTPGet == nil || p.HTTPGet.Path != probe.path || p.HTTPGet.Port.StrVal != "admin" || p.PeriodSeconds <= 0 || p.TimeoutSeconds <= 0 || p.FailureThreshold <= 0 {
			t.Errorf("%s: %+v", what, p)
		}
	}
	ready := container.ReadinessProbe
	sleep := container.Lifecycle.PreStop.Sleep.Seconds
	if notReady := int64(ready.PeriodSeconds * ready.FailureThreshold); sleep < notReady {
		t.Errorf("it stops %d s after it was asked to, and is seen not to be ready after %d s", sleep, notReady)
	}
	most := regexp.MustCompile(`It takes (\d+) s at most`).FindStringSubmatch(read(t, "docs/operations.md"))
	stopping, err := strconv.ParseInt(most[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if grace := *spec.Template.Spec.TerminationGracePeriodSeconds; grace < sleep+stopping+5 {
		t.Errorf("it is killed after %d s: it waits for %d s, and stopping takes %d s", grace, sleep, stopping)
	}
	if u := spec.Strategy.RollingUpdate; spec.Strategy.Type != apps.RollingUpdateDeploymentStrategyType || u.MaxUnavailable.IntVal != 1 || u.MaxSurge.IntVal != 0 || *spec.Replicas < 3 {
		t.Errorf("strategy: %+v of %d", spec.Strategy, *spec.Replicas)
	}
	if m := c.disruption.Spec.MaxUnavailable; m == nil || m.IntVal != 1 || c.disruption.Spec.MinAvailable != nil {
		t.Errorf("disruption: %+v", c.disruption.Spec)
	}
}

func TestKubernetes_NetworkLetsInWhatEachPortIsFor(t *testing.T) {
	c := kubernetes(t)
	if !slices.Equal(c.network.Spec.PolicyTypes, []network.PolicyType{network.PolicyTypeIngress, network.PolicyTypeEgress}) {
		t.Errorf("%v", c.network.Spec.PolicyTypes)
	}
	peers := func(list []network.NetworkPolicyPeer) string {
		var names []string
		for _, p := range list {
			switch {
			case p.NamespaceSelector != nil:
				names = append(names, p.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"])
			case p.PodSelector != nil && maps.Equal(p.PodSelector.MatchLabels, c.deployment.Spec.Template.Labels):
				names = append(names, "pods")
			default:
				names = append(names, "?")
			}
		}
		return strings.Join(names, "+")
	}
	got := map[string]string{}
	for _, rule := range c.network.Spec.Ingress {
		for _, p := range rule.Ports {
			got["in "+p.Port.String()+"/"+string(*p.Protocol)] = peers(rule.From)
		}
	}
	for _, rule := range c.network.Spec.Egress {
		for _, p := range rule.Ports {
			got["out "+p.Port.String()+"/"+string(*p.Protocol)] = peers(rule.To)
		}
	}
	want := map[string]string{
		"in http/TCP": "ingress", "in media/UDP": "", "in hop/TCP": "pods", "in admin/TCP": "monitoring",
		"out 6379/TCP": "redis", "out 7000/TCP": "pods", "out 53/UDP": "kube-system", "out 53/TCP": "kube-system",
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}
