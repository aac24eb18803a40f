// `stores.limits.redis`: where Redis is and who the gateway is to it.
#pragma once

#include "settings/reader.hpp"

namespace gw {

RedisSettings read_redis(const Mapping& redis);

} // namespace gw
