// Package bolt keeps a server's data in one file, for a server that runs alone.
//
// It owns the file: its schema and migrations, one goroutine that writes, and the readers. Writers that
// come while the disk is busy share the next transaction, and a lone one does not wait for others.
// It knows visits as JSON with an ID, a room, a version and a time of erasure, and no rules of theirs.
package bolt
