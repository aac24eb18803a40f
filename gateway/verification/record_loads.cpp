#include "verification/record_loads.hpp"

#include "domain/finally.hpp"
#include "ports/key_store.hpp"

namespace gw {

struct RecordLoads::Shared : RecordLoad {
    explicit Shared(const Executor& executor) : done_signal(executor, MonoTime::max()) {}
    bool done = false;
    Timer done_signal; // never fires; cancelling it wakes all who joined
};

awaitable<std::shared_ptr<const RecordLoad>> RecordLoads::load(KeyStore& keys, KeyId id, DigestCache::Reading reading)
{
    if (const auto found = under_way_.find(id);
        found != under_way_.end() && found->second->reading.epoch == reading.epoch) {
        const std::shared_ptr<Shared> joined = found->second;
        co_await joined->done_signal.async_wait(no_throw);
        if (joined->done)
            co_return joined;
        auto given_up = std::make_shared<RecordLoad>(); // we were cancelled, the read was not
        given_up->reading = reading;
        given_up->fault = errc::unavailable;
        co_return given_up;
    }

    const auto own = std::make_shared<Shared>(co_await asio::this_coro::executor);
    own->reading = reading;
    own->fault = errc::unavailable; // unless we get further
    under_way_[id] = own;
    const Finally wake_all{[&] {
        own->done = true;
        own->done_signal.cancel();
        if (const auto found = under_way_.find(id); found != under_way_.end() && found->second == own)
            under_way_.erase(found);
    }};
    auto record = co_await keys.find(id);
    own->fault = record ? error_code{} : record.error();
    if (record && *record)
        own->principal = std::make_shared<const Principal>(std::move(**record));
    co_return own;
}

} // namespace gw
