/**
 * The live board's atomic commands, in Lua. They are sent with EVAL: after a flush or a restart
 * there is nothing to load again, and Redis caches the compiled text by itself.
 *
 * `slots` is a sorted set of holders by the server's time of taking, in milliseconds; `line` one
 * of parked chunks with equal scores, so that it sorts by name: by the job's creation, then by
 * chunk. `models` holds the models that ever had a line.
 */

const NOW_MS = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** KEYS epoch, slots, line, models · ARGV holder, capacity, model → `unready|taken|parked` */
export const TAKE_SLOT = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 'unready' end
local held = redis.call('ZSCORE', KEYS[2], ARGV[1])
if held or redis.call('ZCARD', KEYS[2]) < tonumber(ARGV[2]) then
  ${NOW_MS}
  redis.call('ZADD', KEYS[2], now, ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  return 'taken'
end
redis.call('ZADD', KEYS[3], 0, ARGV[1])
redis.call('SADD', KEYS[4], ARGV[3])
return 'parked'
`;

/** KEYS slots, line · ARGV holder → the next in line, taken out of it, or nil */
export const FREE_SLOT = `
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('ZPOPMIN', KEYS[2])[1]
`;

/** KEYS slots, line · ARGV holder */
export const RESTORE_SLOT = `
${NOW_MS}
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
`;

/** KEYS slots → holder, milliseconds held, holder, … */
export const HOLDERS = `
${NOW_MS}
local held = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 2, #held, 2 do held[i] = math.max(0, now - held[i]) end
return held
`;

/** KEYS progress of the job, lines of all models … · ARGV first name of the job, end of them */
export const DROP_JOB = `
redis.call('DEL', KEYS[1])
for i = 2, #KEYS do redis.call('ZREMRANGEBYLEX', KEYS[i], '[' .. ARGV[1], '(' .. ARGV[2]) end
return 1
`;
