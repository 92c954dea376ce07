-- swap_record puts a record of the directory in the place of one that is exactly as said.
-- KEYS  the record
-- ARGV  JSON before, JSON
-- Answers 1, or 0 if another is there.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
