-- claim gets a room for an instance.
-- KEYS  room
-- ARGV  owner, nonce, ttl in ms, epoch and nonce of an ownership that is over (0 and empty: none), epoch to be above of
-- Answers  ok, lease...
--          fenced, lease...   another has it
--          unknown            there is no such room, and the claimant never had it
local room, owner, nonce, ttl = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local dead, deadNonce, above = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])

local l = lease(room)
if not l.known and dead == 0 and deadNonce == '' then
  return {'unknown'}
end
local t = now()
if l.nonce ~= nonce then
  local known = (l.epoch == dead and l.nonce == deadNonce) or l.epoch < dead
  if l.nonce ~= '' and not over(l.ends) and not known then
    return answer('fenced', l)
  end
  l.epoch = math.max(l.epoch + 1, dead + 1, above + 1, t)
  l.nonce, l.owner, l.seq = nonce, owner, 0
end
l.ends = t + ttl
redis.call('HSET', room, 'epoch', text(l.epoch), 'nonce', l.nonce, 'owner', l.owner, 'until', text(l.ends), 'seq', text(l.seq))
return answer('ok', l)
