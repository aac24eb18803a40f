// The peppers that key digests are made under: a Vault entry of its own (`platform/pepper`), two generations
// live, so that it can be rotated. Read at start and again from time to time; what is found then is swapped in under
// the readers, who take no lock.
#pragma once

#include "domain/errors.hpp"
#include "domain/secret.hpp"
#include "domain/time.hpp"
#include "net/asio.hpp"

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

class SecretVault;

struct Pepper {
    std::string id; // 8 characters of base62
    Secret value;   // 32 random bytes, as 64 hex digits
    WallTime since{}; // digests are made under it from then on; known to every node before that
};

// The entry's JSON, {"format":1,"peppers":[{"id":"...","value":"<64 hex digits>","since":<ms>}]}, newest first.
// `since` may be missing. Empty if the text is not that.
std::vector<Pepper> parse_peppers(const Secret& text);
Secret peppers_to_json(const std::vector<Pepper>& peppers);
Pepper fresh_pepper(WallTime since);

// Where the pepper of the imported keys' index lies. It has one generation: what is in the index cannot be made anew.
inline constexpr const char* k_import_pepper_path = "platform/import-pepper";

class PepperRing {
public:
    static constexpr std::size_t k_generations = 2;
    static constexpr const char* k_path = "platform/pepper";

    explicit PepperRing(std::string path = k_path) : path_(std::move(path)) {}
    PepperRing(const PepperRing&) = delete;
    PepperRing& operator=(const PepperRing&) = delete;

    // Reads the entry, or creates it with one fresh pepper if it is not there (two nodes starting at once agree
    // through check-and-set). Call before anything else uses the ring.
    awaitable<result<void>> load(SecretVault& vault, bool may_create = true);
    // Reads the entry again; an entry that is not there changes nothing. Any thread; so may overlap.
    awaitable<result<void>> refresh(SecretVault& vault);
    // For who met an id that the ring does not know: refreshes, unless that was done ten times within the second.
    awaitable<void> look_again(SecretVault& vault);

    // The rest is lock-free and from any thread. What it returns is valid as long as the ring.
    bool empty() const noexcept { return live_.load(std::memory_order_acquire) == nullptr; }
    // Under which digests are made at `now`: the newest, or, until that one's time has come, the one before it.
    const Pepper& current(WallTime now = wall_now()) const noexcept;
    // Empty if no live generation has this id.
    const Pepper* find(std::string_view id) const noexcept;

private:
    using Live = std::array<const Pepper*, k_generations>; // newest first; null: none

    void install(std::vector<Pepper> peppers);

    std::string path_;
    std::atomic<const Live*> live_{nullptr};
    std::atomic<std::int64_t> looks_second_{0};
    std::atomic<int> looks_{0};
    std::mutex mutex_; // of those who install
    // All that were ever live in this process: readers may still hold them, and rotations are rare.
    std::deque<Pepper> peppers_;
    std::deque<Live> lives_;
};

} // namespace gw
