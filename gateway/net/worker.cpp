// See worker.hpp.
#include "net/worker.hpp"

#include "observe/log.hpp"

#include <boost/asio/detail/concurrency_hint.hpp>

#include <pthread.h>

namespace gw {

// The hint says that sockets are used by this thread alone (no locking in the reactor's descriptors), while
// post() stays safe from others.
Worker::Worker(unsigned index)
    : index_(index), context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO), guard_(context_.get_executor()),
      sweep_timer_(context_.get_executor()), coarse_now_(std::chrono::steady_clock::now())
{
    tasks_.on_escape = [](std::exception_ptr error) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            log(LogLevel::error, "worker.task_failed", {{"what", e.what()}});
        } catch (...) {
            log(LogLevel::error, "worker.task_failed");
        }
    };
}

Worker::~Worker() = default;

void Worker::start()
{
    thread_ = std::thread{[this] {
        const std::string name = "gw-worker-" + std::to_string(index_);
        ::pthread_setname_np(::pthread_self(), name.c_str());
        wait_for_tick();
        context_.run();
    }};
}

void Worker::finish()
{
    post([this] {
        finishing_ = true;
        guard_.reset();
        sweep_timer_.cancel();
    });
}

void Worker::join()
{
    if (thread_.joinable())
        thread_.join();
}

struct Worker::Tick {
    using allocator_type = SlotAllocator<char>;
    Worker* worker;

    allocator_type get_allocator() const noexcept { return allocator_type{worker->sweep_slot_}; }
    void operator()(const boost::system::error_code&) const { worker->tick(); }
};

void Worker::wait_for_tick()
{
    sweep_timer_.expires_after(k_sweep_interval);
    sweep_timer_.async_wait(Tick{this});
}

void Worker::tick()
{
    coarse_now_ = std::chrono::steady_clock::now();
    deadlines_.sweep(coarse_now_);
    if (on_sweep)
        on_sweep(coarse_now_);
    if (!finishing_ || tasks_.running() > 0)
        wait_for_tick();
}

} // namespace gw
