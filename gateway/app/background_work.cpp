// See background_work.hpp.
#include "app/background_work.hpp"

#include "observe/log.hpp"

namespace gw {

void BackgroundWork::spawn(awaitable<void> work, const char* name)
{
    asio::co_spawn(context_, std::move(work), [this, name](std::exception_ptr error) {
        if (!error)
            return;
        failure_ = error;
        log(LogLevel::error, "serve.failed", {{"part", name}});
        context_.stop();
    });
}

void BackgroundWork::stop()
{
    stopping_ = true;
    for (Timer* timer : pauses_)
        timer->cancel();
}

} // namespace gw
