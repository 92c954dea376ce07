// Package redis keeps a server's data in Redis, for several instances: one server, a master with replicas under
// Sentinel, or a Cluster.
//
// It owns the layout of the keys (lua/lease.lua, keys.go), the scripts, and the connections: each call has a deadline, and a
// connection that is open but silent is cut. Every write of a waiting room is one script on the keys of one hash tag,
// which checks the writer's fence. It knows visits as JSON with an ID, a room, a version and a time of erasure, and no rules
// of theirs.
package redis
