-- swap_record puts a record of the directory in the place of one that is exactly as said.
-- KEYS  the record
-- ARGV  (empty), the next record, then the one before in each form that it may have
-- Answers 1, or 0 if another is there.
local stored = redis.call('GET', KEYS[1])
for i = 3, #ARGV do
  if stored == ARGV[i] then
    redis.call('SET', KEYS[1], ARGV[2])
    return 1
  end
end
return 0
