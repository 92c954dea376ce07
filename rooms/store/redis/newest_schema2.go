//go:build schema2

package redis

// newest is one more than it is, for tests that let a version that does not exist yet replace this one.
const newest = 2
