-- The checks of DESIGN.md section 11 in Lua: SHA-256 of the key looked up in a table, scope per method and
-- path, a limit per key (charge_memory.lua or charge_redis.lua), three rate-limit headers, key stripped, tenant added.
local ffi = require "ffi"
ffi.cdef [[ unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *md); ]]

local grants = { @grants@ }
local routes = {
    { prefix = "/v1/orders/", read = "orders:read", write = "orders:write" },
    { prefix = "/v1/reports/", read = "reports:read", write = "reports:read" },
}
local limit = 10000000
local digest = ffi.new("unsigned char[32]")
local checks = {}

@charge@
local function route_of(uri)
    for i = 1, #routes do
        local route = routes[i]
        if uri:sub(1, #route.prefix) == route.prefix then return route end
    end
end

function checks.access()
    local key = ngx.var.http_x_api_key
    if not key then return ngx.exit(401) end
    ffi.C.SHA256(key, #key, digest)
    local id = ffi.string(digest, 32)
    local grant = grants[id]
    if not grant then return ngx.exit(401) end
    local route = route_of(ngx.var.uri)
    if not route then return ngx.exit(404) end
    local method = ngx.var.request_method
    local scope = (method == "GET" or method == "HEAD") and route.read or route.write
    if not grant.scopes[scope] then return ngx.exit(403) end
    local used = charge(id)
    if not used then return ngx.exit(503) end
    if used > limit then return ngx.exit(429) end
    ngx.ctx.remaining = limit - used
    ngx.req.clear_header("X-API-Key")
    ngx.req.set_header("X-Gateway-Tenant", grant.tenant)
end

function checks.header_filter()
    local remaining = ngx.ctx.remaining
    if not remaining then return end
    ngx.header["RateLimit-Limit"] = limit
    ngx.header["RateLimit-Remaining"] = remaining
    ngx.header["RateLimit-Reset"] = 1
end

return checks
