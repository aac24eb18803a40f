#include "adapters/sqlite/database_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gw::sqlite {

DatabaseFile::DatabaseFile(std::filesystem::path file, Connection::Durability durability, std::size_t readers)
    : file_(std::move(file)), durability_(durability),
      writer_(std::make_unique<Connection>(file_, durability)), unopened_readers_(readers)
{
    // Room for all of them, so that giving one back cannot fail.
    idle_readers_.reserve(readers);
}

std::unique_lock<std::timed_mutex> DatabaseFile::lock_writer(Deadline deadline)
{
    std::unique_lock lock{writer_mutex_, deadline};
    if (!lock.owns_lock())
        throw SqliteError{errc::unavailable, "the writers before this one did not end in time"};
    writer_->set_deadline(deadline);
    return lock;
}

std::unique_ptr<Connection> DatabaseFile::borrow_reader(Deadline deadline)
{
    std::unique_lock lock{readers_mutex_};
    const auto available = [&] { return !idle_readers_.empty() || unopened_readers_ != 0; };
    if (!reader_is_back_.wait_until(lock, deadline, available))
        throw SqliteError{errc::unavailable, "no reader became free in time"};
    if (!idle_readers_.empty()) {
        auto reader = std::move(idle_readers_.back());
        idle_readers_.pop_back();
        lock.unlock();
        reader->set_deadline(deadline);
        return reader;
    }
    --unopened_readers_;
    lock.unlock();
    try {
        auto reader = std::make_unique<Connection>(file_, durability_);
        reader->execute("PRAGMA query_only = ON");
        reader->set_deadline(deadline);
        return reader;
    } catch (...) {
        lock.lock();
        ++unopened_readers_;
        reader_is_back_.notify_one();
        throw;
    }
}

void DatabaseFile::give_back_reader(std::unique_ptr<Connection> reader) noexcept
{
    {
        const std::lock_guard lock{readers_mutex_};
        idle_readers_.push_back(std::move(reader));
    }
    reader_is_back_.notify_one();
}

errc DatabaseFile::report(std::string_view operation, const SqliteError& error) const noexcept
{
    log(LogLevel::error, "sqlite.failed",
        {{"operation", operation}, {"file", file_.native()}, {"error", error.what()}});
    return error.code();
}

bool create_private_file(const std::filesystem::path& file)
{
    const auto fail = [&](const std::string& what) {
        throw SqliteError{errc::unavailable, "cannot create " + file.string() + ": " + what};
    };
    const auto folder = file.parent_path();
    std::error_code error;
    if (!folder.empty() && !std::filesystem::exists(folder, error)) {
        std::filesystem::create_directories(folder, error);
        if (error)
            fail(error.message());
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    }
    // O_EXCL: an existing database is never opened here, since closing it again would drop the locks that
    // SQLite holds on it in this process.
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        ::close(fd);
        return true;
    }
    if (errno != EEXIST)
        fail(std::strerror(errno));
    return false;
}

} // namespace gw::sqlite
