// Looks into the doubted exchanges of one worker (open_exchanges.hpp): reads the records of their keys again,
// one after another, until there is no doubt left.
#pragma once

#include "net/asio.hpp"
#include "request/open_exchanges.hpp"

namespace gw {

class KeyStore;

class ExchangeReview {
public:
    // The references must outlive the last run of the executor's io_context, as must the review.
    ExchangeReview(OpenExchanges& open, KeyStore& keys, Executor executor) noexcept
        : open_(open), keys_(keys), executor_(executor)
    {
    }

    // Goes to work, unless it is at work already. A store that does not answer is asked again until the doubt
    // is gone; the list's own patience bounds that.
    void begin();

private:
    awaitable<void> run();

    OpenExchanges& open_;
    KeyStore& keys_;
    Executor executor_;
    bool running_ = false;
};

} // namespace gw
