package transport

import (
	"fmt"
	"net"
	"net/netip"
)

// candidates returns the addresses to put into answers, preferred first.
func candidates(cfg Config, socket netip.AddrPort) ([]netip.AddrPort, error) {
	addrs := cfg.Advertise
	if len(addrs) == 0 && !socket.Addr().IsUnspecified() {
		addrs = []netip.Addr{socket.Addr()}
	}
	if len(addrs) == 0 {
		var err error
		if addrs, err = machineAddrs(cfg.Loopback, socket.Addr().Is4()); err != nil {
			return nil, err
		}
	}
	port := cfg.AdvertisePort
	if port == 0 {
		port = socket.Port()
	}
	out := make([]netip.AddrPort, len(addrs))
	for i, a := range addrs {
		out[i] = netip.AddrPortFrom(a.Unmap(), port)
	}
	return out, nil
}

// machineAddrs returns the machine's usable addresses, IPv4 first, loopback ones last and only if
// wanted or alone.
func machineAddrs(loopback, only4 bool) ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("transport: reading the machine's addresses: %w", err)
	}
	var v4, v6, local []netip.Addr
	for _, a := range all {
		ipNet, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(ipNet.IP)
		ip = ip.Unmap()
		switch {
		case !ok || ip.IsLinkLocalUnicast() || only4 && !ip.Is4():
		case ip.IsLoopback():
			local = append(local, ip)
		case ip.Is4():
			v4 = append(v4, ip)
		default:
			v6 = append(v6, ip)
		}
	}
	addrs := append(v4, v6...)
	if loopback || len(addrs) == 0 {
		addrs = append(addrs, local...)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("transport: this machine has no address to advertise")
	}
	return addrs, nil
}

// candidateLine returns the value of the i-th candidate attribute (RFC 8839 section 5.1); its
// priority follows RFC 8445 section 5.1.2.1 with the order as local preference.
func candidateLine(i int, a netip.AddrPort) string {
	const hostPreference, component = 126, 1
	priority := hostPreference<<24 | (65535-i)<<8 | (256 - component)
	return fmt.Sprintf("%d %d udp %d %s %d typ host", i+1, component, priority, a.Addr(), a.Port())
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
