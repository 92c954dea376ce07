-- load reads a page of a room's visits, in the order of their ids.
-- KEYS  room, visits, index
-- ARGV  which (l: not erased, a: all), after (an id, or empty), most visits, bytes after which the page ends
-- Answers  rev, about (or false), more (1 or 0), JSON of each visit
local room, visits, index = KEYS[1], KEYS[2], KEYS[3]
local which, after, most, bytes = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

local f = redis.call('HMGET', room, 'rev', 'about')
local page = {f[1] or '0', f[2], '0'}
local beyond = '(' .. string.char(string.byte(which) + 1)
-- One more than asked for tells whether there is more.
local ids = redis.call('ZRANGEBYLEX', index, '(' .. which .. after, beyond, 'LIMIT', 0, most + 1)
for n, entry in ipairs(ids) do
  if n > most or bytes <= 0 then
    page[3] = '1'
    break
  end
  local value = redis.call('HGET', visits, string.sub(entry, 2))
  if value then
    page[#page + 1] = value
    bytes = bytes - #value
  end
end
return page
