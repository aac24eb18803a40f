#include "adapters/sqlite/serve_lock.hpp"

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/database_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <unistd.h>

namespace gw::sqlite {

namespace {

std::string owner_of(int fd)
{
    std::array<char, 32> text{};
    const auto size = ::pread(fd, text.data(), text.size(), 0);
    std::string owner{text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    owner.erase(std::min(owner.find('\n'), owner.size()));
    return owner.empty() ? "unknown" : owner;
}

} // namespace

ServeLock::ServeLock(const std::filesystem::path& database)
{
    const std::filesystem::path file = database.string() + ".lock";
    create_private_file(file);
    fd_ = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (fd_ < 0)
        throw SqliteError{errc::unavailable, "cannot open " + file.string() + ": " + std::strerror(errno)};
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        const std::string owner = owner_of(fd_);
        ::close(fd_);
        if (error != EWOULDBLOCK)
            throw SqliteError{errc::unavailable,
                              "cannot lock " + file.string() + ": " + std::strerror(error)};
        throw SqliteError{errc::busy, "another portcullis serve (process " + owner + ") is using " +
                                          database.string() +
                                          ": stop it, or give this one a database of its own"};
    }
    const std::string owner = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, owner.data(), owner.size(), 0) < 0) {
        const int error = errno;
        ::close(fd_);
        throw SqliteError{errc::unavailable, "cannot write " + file.string() + ": " + std::strerror(error)};
    }
}

ServeLock::~ServeLock()
{
    ::close(fd_);
}

} // namespace gw::sqlite
