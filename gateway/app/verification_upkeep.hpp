// Keeps what all ladders share up to date: the peppers after a rotation, whether any keys were imported, and the digests
// that are to be written anew.
#pragma once

#include "app/background_work.hpp"
#include "app/foundation.hpp"

namespace gw {

// Control thread only.
class VerificationUpkeep {
public:
    // `base` must outlive the upkeep.
    explicit VerificationUpkeep(Foundation& base) : base_(base) {}

    // To be awaited before any key is verified. A store out of reach is asked again later.
    awaitable<void> prepare() { return refresh_foreign(); }
    void start(BackgroundWork& work);

private:
    awaitable<void> refresh_foreign();
    awaitable<void> refresh_peppers();
    awaitable<void> renew_digests();

    Foundation& base_;
};

} // namespace gw
