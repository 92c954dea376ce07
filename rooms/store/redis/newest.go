//go:build !schema2

package redis

// newest is the schema that this version writes when nobody is left who does not know it. It reads all up to it.
const newest = 1
