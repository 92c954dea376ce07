-- reserve stores a reservation unless there is one.
-- KEYS  held, a hash: hash of clinic and key -> call, a space, JSON; times, a zset of the hashes by when, of those only that are forgotten one day
-- ARGV  hash, value, when in ms since 1970, or empty for what is not forgotten
-- Answers the value that is stored. Its call, which is random, tells whether it came of this call, or of its repetition after
-- an answer was lost on the way.
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored then
  return stored
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
end
return ARGV[2]
