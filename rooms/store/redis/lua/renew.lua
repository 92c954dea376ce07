-- renew lets a lease last from now. One that has ended is renewed too: had somebody claimed the room, its fence would differ.
-- KEYS  room
-- ARGV  epoch, nonce, ttl in ms
-- Answers  ok, lease...
--          fenced, lease...
local l = lease(KEYS[1])
if ARGV[2] == '' or not holds(l, tonumber(ARGV[1]), ARGV[2]) then
  return answer('fenced', l)
end
l.ends = now() + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'until', text(l.ends))
return answer('ok', l)
