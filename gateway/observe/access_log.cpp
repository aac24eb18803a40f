// The access log's way out: never a torn line, never a blocked worker.
#include "observe/log.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace gw {

namespace {

constexpr std::size_t k_write_at_bytes = 64 * 1024;
constexpr std::size_t k_keep_bytes = 256 * 1024; // kept while the reader is slow; what exceeds it is dropped

} // namespace

AccessLog::AccessLog(const std::string& where)
{
    if (where == "off")
        return;
    if (where == "stdout") {
        open_stdout();
    } else {
        fd_ = ::open(where.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
        if (fd_ < 0)
            throw std::system_error(errno, std::generic_category(), "access log " + where);
        owned_ = true;
    }
    struct stat status {};
    if (::fstat(fd_, &status) == 0) {
        is_pipe_ = S_ISFIFO(status.st_mode);
        is_socket_ = S_ISSOCK(status.st_mode);
    }
    buffer_.reserve(k_write_at_bytes + 16 * 1024);
}

// Standard output's O_NONBLOCK is shared with whoever else holds it (a shell, standard error), so a pipe or
// terminal is opened a second time instead of being changed. A file must keep the shared offset.
void AccessLog::open_stdout()
{
    struct stat status {};
    if (::fstat(STDOUT_FILENO, &status) < 0)
        throw std::system_error(errno, std::generic_category(), "access log: standard output");
    fd_ = STDOUT_FILENO;
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
        return;
    const int again = ::open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (again >= 0) {
        fd_ = again;
        owned_ = true;
    } else {
        may_block_ = true; // it belongs to another user: asked before every write instead
    }
}

AccessLog::~AccessLog()
{
    flush();
    if (owned_)
        ::close(fd_);
}

void AccessLog::wrote() noexcept
{
    if (buffer_.size() >= write_at_)
        flush();
}

void AccessLog::flush() noexcept
{
    if (fd_ < 0) {
        buffer_.clear();
        return;
    }
    std::size_t done = 0;
    ssize_t n = 0;
    while (done < buffer_.size() && (n = write_some(next_chunk(done))) > 0) {
        done += static_cast<std::size_t>(n);
        torn_ = buffer_[done - 1] != '\n';
    }
    buffer_.erase(0, done);
    if (n < 0 || buffer_.size() >= k_keep_bytes)
        drop_lines();
    write_at_ = buffer_.size() + k_write_at_bytes; // a full pipe is not tried again at every line
}

// A pipe takes at most PIPE_BUF bytes whole or not at all, so that lines of several workers do not mix: as
// many whole lines as fit, or one longer line.
std::string_view AccessLog::next_chunk(std::size_t from) const noexcept
{
    const std::string_view rest = std::string_view{buffer_}.substr(from);
    if ((!is_pipe_ && !may_block_) || rest.size() <= PIPE_BUF)
        return rest;
    const std::size_t fits = rest.rfind('\n', PIPE_BUF - 1);
    if (fits != std::string_view::npos)
        return rest.substr(0, fits + 1);
    if (may_block_)
        return rest.substr(0, PIPE_BUF); // poll promises no more room than that
    return rest.substr(0, std::min(rest.find('\n', PIPE_BUF), rest.size() - 1) + 1);
}

// Bytes taken; 0 if none can be taken now; -1 for an error that waiting does not heal (a closed pipe, a full disk).
ssize_t AccessLog::write_some(std::string_view chunk) noexcept
{
    for (;;) {
        if (may_block_) {
            pollfd ready{fd_, POLLOUT, 0};
            if (::poll(&ready, 1, 0) <= 0)
                return 0;
        }
        const ssize_t n = is_socket_ ? ::send(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                     : ::write(fd_, chunk.data(), chunk.size());
        if (n >= 0)
            return n;
        if (errno != EINTR)
            return errno == EAGAIN ? 0 : -1;
    }
}

// Forgets all lines but the rest of one that is half out, and counts them.
void AccessLog::drop_lines() noexcept
{
    const std::size_t end_of_torn = torn_ ? std::min(buffer_.find('\n'), buffer_.size()) : 0;
    const std::size_t keep = torn_ ? std::min(end_of_torn + 1, buffer_.size()) : 0;
    dropped_ += static_cast<std::uint64_t>(std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(keep), buffer_.end(), '\n'));
    buffer_.resize(keep);
}

} // namespace gw
