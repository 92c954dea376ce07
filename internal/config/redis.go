package config

import "fmt"

// Redis says how a Redis is reached. Passwords come from files, for what stands in a command line or an environment is
// seen by others.
type Redis struct {
	RedisAddresses            []Address `name:"redis" placeholder:"HOST:PORT" help:"Address of Redis; of several nodes of a Cluster; or, with --redis-master, of the Sentinels."`
	RedisMaster               string    `name:"redis-master" placeholder:"NAME" help:"The master's name, if --redis are Sentinels."`
	RedisCluster              bool      `name:"redis-cluster" help:"The one address of --redis is that of a Cluster. Several without --redis-master always are."`
	RedisPrefix               string    `name:"redis-prefix" default:"anteroom" placeholder:"TEXT" help:"What all keys begin with, if others use the same Redis. Default: ${default}."`
	RedisSchema               int       `name:"redis-schema" placeholder:"N" help:"Newest schema of records to write, so that a version that knows no newer one can come back. Default: the newest that all instances know."`
	RedisUser                 string    `name:"redis-user" placeholder:"NAME" help:"User of Redis; without it the password is the default user's."`
	RedisPasswordFile         string    `name:"redis-password-file" placeholder:"FILE" help:"File with the password and nothing else."`
	RedisSentinelUser         string    `name:"redis-sentinel-user" placeholder:"NAME" help:"User of the Sentinels, if they ask."`
	RedisSentinelPasswordFile string    `name:"redis-sentinel-password-file" placeholder:"FILE" help:"File with the password for the Sentinels, if they ask."`
	RedisTLS                  bool      `name:"redis-tls" help:"Reach Redis and the Sentinels over TLS."`
	RedisCA                   string    `name:"redis-ca" placeholder:"FILE" help:"Authorities in PEM that have signed Redis' certificate, if not the system's."`
	RedisCert                 string    `name:"redis-cert" placeholder:"FILE" help:"Our own certificate in PEM, if Redis asks for one."`
	RedisKey                  string    `name:"redis-key" placeholder:"FILE" help:"Private key of --redis-cert in PEM."`
}

// Addresses are those of --redis.
func (r *Redis) Addresses() []string {
	list := make([]string, len(r.RedisAddresses))
	for i, a := range r.RedisAddresses {
		list[i] = string(a)
	}
	return list
}

// Check refuses what does not go together, each by its name. It is for commands other than serve.
func (r *Redis) Check() []error { return r.check(true) }

func (r *Redis) check(used bool) []error {
	var errs []error
	wrong := func(name, says string) { errs = append(errs, fmt.Errorf("--%s: %s", name, says)) }
	if used && len(r.RedisAddresses) == 0 {
		wrong("redis", "needed with --store redis: HOST:PORT of Redis")
	}
	for _, a := range r.RedisAddresses {
		if a == "" {
			wrong("redis", "an empty address is not HOST:PORT")
		}
	}
	for _, pair := range []struct{ name, is, needs, has string }{
		{"redis-cert", r.RedisCert, "redis-key", r.RedisKey},
		{"redis-key", r.RedisKey, "redis-cert", r.RedisCert},
		{"redis-user", r.RedisUser, "redis-password-file", r.RedisPasswordFile},
		{"redis-sentinel-user", r.RedisSentinelUser, "redis-sentinel-password-file", r.RedisSentinelPasswordFile},
		{"redis-sentinel-password-file", r.RedisSentinelPasswordFile, "redis-master", r.RedisMaster},
	} {
		if pair.is != "" && pair.has == "" {
			wrong(pair.needs, "needed with --"+pair.name)
		}
	}
	if r.RedisSchema < 0 {
		wrong("redis-schema", "a number from 1, or 0 for the newest")
	}
	if !r.RedisTLS && (r.RedisCA != "" || r.RedisCert != "") {
		wrong("redis-tls", "needed with --redis-ca and --redis-cert")
	}
	if r.RedisCluster && r.RedisMaster != "" {
		wrong("redis-master", "a Cluster has no Sentinels; give it or --redis-cluster")
	}
	return errs
}
