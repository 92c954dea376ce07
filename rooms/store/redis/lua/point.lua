-- point says in which room a visit is, unless that is said already.
-- KEYS  the visit's pointer
-- ARGV  room
-- Answers the room that is said.
local said = redis.call('GET', KEYS[1])
if said then
  return said
end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
