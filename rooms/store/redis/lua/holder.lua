-- holder reads the newest lease of a room.
-- KEYS  room
-- Answers  ok, lease...
--          unknown   there was never one
local l = lease(KEYS[1])
if not l.ever then
  return {'unknown'}
end
return answer('ok', l)
