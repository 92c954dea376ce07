// Command forward measures what forwarding a packet costs, and how near that is to the floor.
//
// It starts itself several times: as a server (the project's SFU over its transport), as the floor (the same sockets, batches,
// flows and cipher, and nothing else) and as the load. The target has core 0 and the load core 1. The load does
// ICE and DTLS with the server like any client and then sends what a phone sends, from one address a client.
//
//	forward [-reps 3] [-window 4s] [-only server:2:40]
//	forward soak [-for 10m] [-rooms 140] [-every 1s]
//	forward idle [-reps 3] [-n 200] [-settle 10s] [-heap FILE]
//	forward flood [-rooms 20] [-for 10s] [-kind handshakes]
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	roles := map[string]func([]string) error{
		"server": serve, "floor": floor, "load": load, "wait": wait, "idle": idle, "churn": churn, "soak": soak,
		"flood": flood, "visits": visits, "flooder": flooder,
	}
	var err error
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		err = roles[os.Args[1]](os.Args[2:])
	} else {
		err = measure(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "forward:", err)
		os.Exit(1)
	}
}

func newFlags(name string) *flag.FlagSet { return flag.NewFlagSet(name, flag.ContinueOnError) }
