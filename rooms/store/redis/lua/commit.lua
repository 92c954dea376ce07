-- commit writes a batch of visits of one room, all or nothing.
-- KEYS  room, visits, index
-- ARGV  epoch, nonce (the writer's fence; 0 and empty: none), seq, after, repair (1 or 0), pointed (1 or 0), then for each visit
--       id, version, live (1 or 0), a record, as records.go has them
-- Answers  ok
--          fenced, lease...        the writer does not own the room
--          behind, seq             a batch that the owner knows to be durable is not here
--          conflict, id, version   that version or a newer one is here
--          new                     a visit is new here, and pointed is 0: nothing was written; say first where the visits are
local room, visits, index = KEYS[1], KEYS[2], KEYS[3]
local seq, after, repair, pointed = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6] == '1'

local l = lease(room)
if not holds(l, tonumber(ARGV[1]), ARGV[2]) then
  return answer('fenced', l)
end
if not repair and l.nonce ~= '' and l.seq < after then
  return {'behind', text(l.seq)}
end

local write = {}
for i = 7, #ARGV, 4 do
  local stored = redis.call('HGET', room, 'v:' .. ARGV[i])
  if not stored then
    if not pointed then
      return {'new'}
    end
    write[#write + 1] = i
  elseif tonumber(stored) < tonumber(ARGV[i + 1]) then
    write[#write + 1] = i
  elseif not repair or tonumber(stored) > tonumber(ARGV[i + 1]) then
    return {'conflict', ARGV[i], stored}
  end
end

for _, i in ipairs(write) do
  local id = ARGV[i]
  redis.call('HSET', room, 'v:' .. id, ARGV[i + 1])
  redis.call('HSET', visits, id, ARGV[i + 3])
  redis.call('ZADD', index, 0, 'a' .. id)
  if ARGV[i + 2] == '1' then
    redis.call('ZADD', index, 0, 'l' .. id)
  else
    redis.call('ZREM', index, 'l' .. id)
  end
end
if #write > 0 then
  redis.call('HINCRBY', room, 'rev', 1)
end
if seq > 0 and l.nonce ~= '' then
  redis.call('HSET', room, 'seq', ARGV[3])
end
return {'ok'}
