#include "adapters/postgres/change_listener.hpp"

#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/journal.hpp"
#include "observe/log.hpp"

#include <algorithm>
#include <random>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace gw::postgres {

namespace {

using namespace std::chrono_literals;

constexpr auto k_connect = 2s;
constexpr std::chrono::milliseconds k_first_pause{50}, k_longest_pause{1'000};

int make_event()
{
    const int event = ::eventfd(0, EFD_CLOEXEC);
    if (event < 0)
        throw std::system_error{errno, std::generic_category(), "eventfd"};
    return event;
}

} // namespace

ChangeListener::ChangeListener(ConnectOptions options, std::function<void()> wake)
    : options_(std::move(options)), wake_(std::move(wake)), stop_(make_event()), thread_([this] { run(); })
{
}

ChangeListener::~ChangeListener()
{
    ::eventfd_write(stop_, 1);
    thread_.join();
    ::close(stop_);
}

bool ChangeListener::wait(int socket, std::chrono::milliseconds pause) const
{
    pollfd waiting[] = {{stop_, POLLIN, 0}, {socket, POLLIN, 0}}; // a negative one is passed over
    ::poll(waiting, 2, static_cast<int>(pause.count()));
    return waiting[0].revents != 0;
}

void ChangeListener::run()
{
    std::minstd_rand random{std::random_device{}()};
    auto longest = k_first_pause;
    bool told = false;
    while (true) {
        try {
            listen();
            return;
        } catch (const sql::StoreError& error) {
            if (connected_.exchange(false)) {
                longest = k_first_pause;
                told = false;
            }
            if (!std::exchange(told, true))
                log(LogLevel::warn, "postgres.not_listening", {{"error", error.what()}});
        }
        std::uniform_int_distribution<std::int64_t> pick{longest.count() / 2, longest.count()};
        if (wait(-1, std::chrono::milliseconds{pick(random)}))
            return;
        longest = std::min(2 * longest, k_longest_pause);
    }
}

void ChangeListener::listen()
{
    Connection connection{options_, std::chrono::steady_clock::now() + k_connect, dog_};
    connection.listen(k_change_channel);
    connection.set_deadline(Deadline::max()); // from here on it only reads what is there
    connected_ = true;
    log(LogLevel::info, "postgres.listening");
    wake_();
    while (!wait(connection.socket(), 60s))
        if (connection.take_notifications() != 0)
            wake_();
}

} // namespace gw::postgres
