-- swap_visit puts a visit in the place of one that is exactly as said. It says the same, so no version and no fence is needed.
-- KEYS  visits
-- ARGV  id, the next record, then the one before in each form that it may have
-- Answers 1, or 0 if another is there.
local stored = redis.call('HGET', KEYS[1], ARGV[1])
for i = 3, #ARGV do
  if stored == ARGV[i] then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    return 1
  end
end
return 0
