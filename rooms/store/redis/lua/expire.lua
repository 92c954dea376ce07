-- expire forgets reservations that are older than a time.
-- KEYS  held, times
-- ARGV  time in ms since 1970, most
local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, tonumber(ARGV[2]))
for _, hash in ipairs(old) do
  redis.call('HDEL', KEYS[1], hash)
  redis.call('ZREM', KEYS[2], hash)
end
return #old
