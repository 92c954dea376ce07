// Command anteroom is the server, and a client of its REST API for the command line.
//
// It reads the configuration, makes the parts and connects them, and stops them again. What any of it means is in
// the parts.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/anteroom/anteroom/internal/config"
)

// version is set by the linker; without it the module's is used.
var version string

type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Visit   visitCmd   `cmd:"" help:"Make, list and cancel visits of a running server."`
	Token   tokenCmd   `cmd:"" help:"Make staff links and API keys of a running server."`
	Store   storeCmd   `cmd:"" help:"Look after what a server keeps."`
	Drain   drainCmd   `cmd:"" help:"Have a server give its waiting rooms to the other instances, with the visits in them; or take that back."`
	Ready   readyCmd   `cmd:"" help:"Ask the server on this machine whether it takes people: exit code 0 or 1, for health checks of containers."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: it answers the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	code, exited := 0, false
	p, err := newParser(&cli{}, stdout, stderr, func(c int) { code, exited = c, true })
	if err != nil {
		fmt.Fprintln(stderr, "anteroom:", err)
		return 1
	}
	parsed, err := p.Parse(args)
	if exited { // --help
		return code
	}
	if err == nil {
		parsed.BindTo(ctx, (*context.Context)(nil))
		parsed.Bind(output{stdout, stderr})
		err = parsed.Run()
	}
	if err != nil {
		fmt.Fprintln(stderr, "anteroom:", err)
		return 1
	}
	return 0
}

func newParser(grammar *cli, stdout, stderr io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(grammar,
		kong.Name("anteroom"),
		kong.Description("A virtual waiting room and video visits for clinics."),
		kong.DefaultEnvars(config.EnvPrefix),
		kong.Writers(stdout, stderr),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{FlagsLast: true, WrapUpperBound: 100}),
	)
}

// output is where commands write: results to out, everything else to err.
type output struct{ out, err io.Writer }

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(o output) error {
	_, err := fmt.Fprintln(o.out, "anteroom", versionText())
	return err
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
