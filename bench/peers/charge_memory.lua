-- A limit per key in a dictionary that the workers share.
local limits = ngx.shared.limits

local function charge(id)
    return limits:incr(id .. math.floor(ngx.now()), 1, 0, 2)
end
