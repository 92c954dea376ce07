-- schema says which schema the data has, and writes it: a store that is empty gets the caller's, and that it can be written is known.
-- KEYS  schema
-- ARGV  the caller's
-- Answers the schema that is stored.
local stored = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], stored)
return stored
