package config

import (
	"fmt"
	"net"
	"net/netip"
)

// Cluster says how several instances are one server.
type Cluster struct {
	Hop          Address `placeholder:"HOST:PORT" help:"Address at which the other instances reach this one; keep it private to them. With it this is one of several instances on one Redis; without it there must be no other."`
	HopAdvertise Address `name:"hop-advertise" placeholder:"HOST:PORT" help:"Where the others find --hop, if not there: needed if that names no host."`
	Secret       string  `placeholder:"FILE" help:"Secret of links, cookies and the hop, in base64. Default: secret of --data, made if it is not there. Needed with --hop, where every instance has the same."`
	RootKey      string  `name:"root-key" placeholder:"FILE" help:"The key that may make clinics. Default: root-key of --data, made if it is not there."`
}

func (c *Cluster) check(redis bool) []error {
	var errs []error
	wrong := func(name, says string) { errs = append(errs, fmt.Errorf("--%s: %s", name, says)) }
	if c.Hop == "" {
		if c.HopAdvertise != "" {
			wrong("hop", "needed with --hop-advertise")
		}
		return errs
	}
	if !redis {
		wrong("store", "has to be redis with --hop")
	}
	if c.Secret == "" {
		wrong("secret", "needed with --hop: a file with the secret, the same for every instance, such as the file secret of one's --data")
	}
	if c.HopAdvertise == "" && !namesHost(c.Hop) {
		wrong("hop-advertise", "needed, for --hop names no host: HOST:PORT at which the other instances reach it")
	}
	if c.HopAdvertise != "" && !namesHost(c.HopAdvertise) {
		wrong("hop-advertise", "needs a host")
	}
	return errs
}

func namesHost(a Address) bool {
	host, _, err := net.SplitHostPort(string(a))
	if err != nil || host == "" {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || !ip.IsUnspecified()
}
