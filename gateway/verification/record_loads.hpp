// Reads of key records that are under way on one worker, so that many first uses of a key read it once.
// One thread.
#pragma once

#include "domain/errors.hpp"
#include "domain/principal.hpp"
#include "net/asio.hpp"
#include "verification/digest_cache.hpp"

#include <memory>
#include <unordered_map>

namespace gw {

class KeyStore;

struct RecordLoad {
    DigestCache::Reading reading; // taken before the store was asked
    error_code fault;             // set if the store did not answer
    std::shared_ptr<const Principal> principal; // null: no such key
};

class RecordLoads {
public:
    // The record as the store has it now. Joins a read under way unless a change was applied since that began.
    // `keys` must outlive the await.
    awaitable<std::shared_ptr<const RecordLoad>> load(KeyStore& keys, KeyId id, DigestCache::Reading reading);

private:
    struct Shared;
    std::unordered_map<KeyId, std::shared_ptr<Shared>> under_way_;
};

} // namespace gw
