// Package client is the second client of the signaling protocol anteroom.v1, written from
// docs/protocol.md: what a page does, in Go, for tests and for the load tool.
//
// A Client is one page: one tab of one device of one person. It owns that page's WebSocket, the
// commands that have no answer yet, the newest state the server told, and one WebRTC connection (Peer).
// It shares nothing with other clients, so a process can hold many. It knows the messages from
// package wire and nothing else of the server; it applies no rule of the waiting room, so that tests
// can use it to break them.
package client
