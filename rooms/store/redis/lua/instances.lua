-- instances reads who is listed and whose time is not over.
-- KEYS  instances
-- Answers  for each: id, ms left, what it says
local t, list = now(), {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local ends, about = string.match(all[i + 1], '^(%d+) (.*)$')
  if not over(tonumber(ends)) then
    list[#list + 1] = all[i]
    list[#list + 1] = text(tonumber(ends) - t)
    list[#list + 1] = about
  end
end
return list
