-- What the other scripts begin with.
--
-- A waiting room is three keys with one hash tag, so that they are in one slot and one script can change them together:
--   room    hash    about    what is known of the room, a record (records.go); a room that is not here is not known
--                   epoch    of the newest lease; it only grows
--                   nonce    of the lease; empty or absent: released, or there was never one
--                   owner    how others reach the owner
--                   until    when the lease ends, in ms since 1970 by this server's clock
--                   seq      the owner's number of its newest batch that is here
--                   rev      grows with each batch, so that a reader of several pages notices
--                   v:VISIT  the version of a visit, decimal
--   visits  hash    VISIT -> record; and a field without a name, so that the key exists
--   index   zset    of equal scores, read by name: 'a' VISIT for each visit, 'l' VISIT for each that is not erased, and '#'
-- All keys exist from put_room on: while a slot is being moved, Redis refuses a script of whose keys some are missing.
--
-- Answers are arrays whose first element says what happened.

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Whole numbers below 2^53, without an exponent.
local function text(n)
  return string.format('%.0f', n)
end

-- Nothing lasts longer, in ms (store.MaxTTL). What seems to is of a clock that was set back since: it is over, unless whoever has it says
-- otherwise.
local longest = 60000

local function over(ends)
  local t = now()
  return ends <= t or ends > t + longest
end

local function lease(room)
  local f = redis.call('HMGET', room, 'epoch', 'nonce', 'owner', 'until', 'seq', 'about')
  return {
    known = f[6] and true or false,
    ever = f[1] and true or false,
    epoch = tonumber(f[1] or 0),
    nonce = f[2] or '',
    owner = f[3] or '',
    ends = tonumber(f[4] or 0),
    seq = tonumber(f[5] or 0),
  }
end

local function answer(what, l)
  local left = 0
  if l.nonce ~= '' and not over(l.ends) then
    left = l.ends - now()
  end
  return {what, text(l.epoch), l.nonce, l.owner, text(left), text(l.seq)}
end

-- Fences are compared for equality. A room that nobody owns takes writes without one.
local function holds(l, epoch, nonce)
  if nonce == '' then
    return epoch == 0 and l.nonce == ''
  end
  return l.epoch == epoch and l.nonce == nonce
end
