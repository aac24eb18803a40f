// Idempotency-Key: what was created under which key, so that a repeated create neither makes a second object
// nor shows a secret a second time. In memory, bounded, a day; one thread.
#pragma once

#include "domain/api_key.hpp"
#include "domain/time.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>

namespace gw {

class Repeats {
public:
    static constexpr std::size_t k_max_entries = 10'000;
    static constexpr std::chrono::hours k_kept{24};

    enum class Status {
        fresh,       // go on, then call finished or failed
        in_progress, // the first one has not been answered yet
        finished,    // `object` was created then
        other_body,  // the key was used for another request
    };
    struct Found {
        Status status = Status::fresh;
        std::string object;
    };
    // `identity`: actor, tenant, operation and key, unambiguously joined.
    Found begin(const std::string& identity, const Sha256& body, WallTime now);
    void finished(const std::string& identity, std::string object);
    // The operation failed and changed nothing: the key may be used again.
    void failed(const std::string& identity);

private:
    struct Entry {
        Sha256 body{};
        WallTime begun{};
        bool done = false;
        std::string object;
    };
    void forget_old(WallTime now);

    std::map<std::string, Entry> entries_;
    std::deque<std::pair<WallTime, std::string>> by_age_;
};

} // namespace gw
