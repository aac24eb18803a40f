-- A limit per key in Redis: one call per request, over connections that are kept.
local redis = require "nginx.redis"

local function charge(id)
    local connection = redis:new()
    connection:set_timeout(1000)
    if not connection:connect("127.0.0.1", @redis@) then return nil end
    local key = "limit:" .. ngx.encode_base64(id) .. math.floor(ngx.now())
    local used = connection:incr(key)
    if used == 1 then connection:expire(key, 2) end
    connection:set_keepalive(60000, 256)
    return used
end
