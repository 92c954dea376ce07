package redis

import (
	"embed"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var files embed.FS

// script is a file of lua, behind what all have in common.
func script(name string) *redis.Script { return redis.NewScript(source("lease") + source(name)) }

func source(name string) string {
	text, err := files.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic("redis: " + err.Error()) // it is embedded
	}
	return string(text)
}

var (
	commitScript    = script("commit")
	loadScript      = script("load")
	putRoomScript   = script("put_room")
	claimScript     = script("claim")
	renewScript     = script("renew")
	releaseScript   = script("release")
	holderScript    = script("holder")
	announceScript  = script("announce")
	instancesScript = script("instances")
	pointScript     = script("point")
	reserveScript   = script("reserve")
	expireScript    = script("expire")
	swapScript      = script("swap")
	schemaScript    = script("schema")
)
