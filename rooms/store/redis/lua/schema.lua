-- schema says which schema is written, and lets it be a newer one.
-- KEYS  schema
-- ARGV  the least that it is, and 1 to write it in any case, so that it is known whether that can be done, or 0
-- Answers the schema afterwards. One that is not understood stays.
local stored = redis.call('GET', KEYS[1])
local n = tonumber(stored)
if not stored or n and n >= 1 and n < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
  return ARGV[1]
end
if ARGV[2] == '1' then
  redis.call('SET', KEYS[1], stored)
end
return stored
