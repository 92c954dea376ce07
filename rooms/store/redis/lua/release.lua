-- release ends an ownership. The epoch stays, so that the next one is above it.
-- KEYS  room
-- ARGV  epoch, nonce
-- Answers  ok                 also if nobody had it
--          fenced, lease...   another has it
local l = lease(KEYS[1])
if l.nonce == '' then
  return {'ok'}
end
if not holds(l, tonumber(ARGV[1]), ARGV[2]) then
  return answer('fenced', l)
end
redis.call('HDEL', KEYS[1], 'nonce', 'owner', 'until', 'seq')
return {'ok'}
