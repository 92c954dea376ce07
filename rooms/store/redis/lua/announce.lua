-- announce lists an instance, and forgets those whose time is over.
-- KEYS  instances, a hash: id -> end in ms since 1970, a space, what the instance says
-- ARGV  id, what it says, ttl in ms
local t = now()
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if over(tonumber(string.match(all[i + 1], '^%d+'))) then
    redis.call('HDEL', KEYS[1], all[i])
  end
end
redis.call('HSET', KEYS[1], ARGV[1], text(t + tonumber(ARGV[3])) .. ' ' .. ARGV[2])
return {'ok'}
