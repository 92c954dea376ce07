#!/bin/sh
# A network namespace for a server that a browser reaches over a real (virtual) wire: Firefox makes no
# ICE connection to a loopback address. The server has 10.77.0.2 and fd77::2, the machine 10.77.0.1 and fd77::1. Needs root.
set -eu
name=anteroom-e2e
case ${1:-} in
up)
	ip netns add $name
	ip link add $name type veth peer name wire netns $name
	ip addr add 10.77.0.1/30 dev $name
	ip addr add fd77::1/64 dev $name nodad # usable at once
	ip link set $name up
	ip -n $name addr add 10.77.0.2/30 dev wire
	ip -n $name addr add fd77::2/64 dev wire nodad
	ip -n $name link set wire up
	ip -n $name link set lo up
	;;
down)
	ip link del $name 2>/dev/null || true
	ip netns del $name 2>/dev/null || true
	;;
*)
	echo "usage: netns.sh up|down" >&2
	exit 2
	;;
esac
