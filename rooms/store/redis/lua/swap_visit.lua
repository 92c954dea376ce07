-- swap_visit puts a visit in the place of one that is exactly as said. It says the same, so no version and no fence is needed.
-- KEYS  visits
-- ARGV  id, JSON before, JSON
-- Answers 1, or 0 if another is there.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
