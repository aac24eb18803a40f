// See background_work.hpp.
#include "app/background_work.hpp"

#include "observe/log.hpp"

#include <cstdlib>

namespace gw {

void BackgroundWork::spawn(awaitable<void> work, const char* name)
{
    asio::co_spawn(context_, std::move(work), [this, name](std::exception_ptr error) {
        if (!error)
            return;
        log(LogLevel::error, "serve.failed", {{"part", name}});
        if (started_)
            std::_Exit(1);
        failure_ = error;
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
