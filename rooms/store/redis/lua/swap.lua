-- swap puts a record in the place of one that is exactly as said. It says the same, so no version and no fence is needed.
-- KEYS  visits, or the record of a member of staff
-- ARGV  a visit's id, or empty, the next record, then the one before in each form that it may have
-- Answers 1, or 0 if another is there.
local key, id = KEYS[1], ARGV[1]
local stored
if id == '' then
  stored = redis.call('GET', key)
else
  stored = redis.call('HGET', key, id)
end
for i = 3, #ARGV do
  if stored == ARGV[i] then
    if id == '' then
      redis.call('SET', key, ARGV[2])
    else
      redis.call('HSET', key, id, ARGV[2])
    end
    return 1
  end
end
return 0
