package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// BeforeResolve reads the YAML file, if one is named, before flags get their values.
func (s *Serve) BeforeResolve(ctx *kong.Context) error {
	flags := make(map[string]*kong.Flag)
	for _, f := range ctx.Selected().Flags {
		flags[f.Name] = f
	}
	path, _ := ctx.FlagValue(flags["config"]).(string)
	if path == "" {
		return nil
	}
	settings, err := readFile(path)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if flags[name] == nil || name == "config" || name == "help" {
			return fmt.Errorf("--config: %s: %q is no setting; see anteroom serve --help", path, name)
		}
	}
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		return asWritten(settings[f.Name]), nil
	}))
	// The last resolver wins: with a file, the environment has to be asked again after it.
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		for _, name := range f.Envs {
			if v, ok := os.LookupEnv(name); ok {
				return v, nil
			}
		}
		return nil, nil
	}))
	return nil
}

// asWritten is a setting as a flag would give it, so that a number where text is wanted is refused in the flag's words.
func asWritten(v any) any {
	switch v.(type) {
	case int, uint64, float64:
		return fmt.Sprint(v)
	}
	return v
}

func readFile(path string) (map[string]any, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var settings map[string]any
	if err := yaml.NewDecoder(f).Decode(&settings); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is not YAML of names and values: %w", path, err)
	}
	return settings, nil
}
