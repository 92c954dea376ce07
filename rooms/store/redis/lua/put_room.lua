-- put_room writes what is known of a room and lets all its keys exist. It is the clinic's data and not its visits': no
-- fence is asked for.
-- KEYS  room, visits, index
-- ARGV  JSON
redis.call('HSET', KEYS[1], 'about', ARGV[1])
redis.call('HSETNX', KEYS[2], '', '')
redis.call('ZADD', KEYS[3], 0, '#')
return {'ok'}
