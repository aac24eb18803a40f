// System calls with their errno as an error_code, restarted where a signal interrupts them.
#include "adapters/local/private_file.hpp"

#include "domain/api_key.hpp"
#include "domain/finally.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <utility>

namespace gw::local {
namespace {

error_code code_of(int number) noexcept
{
    return {number, boost::system::system_category()};
}

error_code last_error() noexcept
{
    return code_of(errno);
}

// Calls until it is not interrupted. -1 with errno on failure.
template <class Call>
auto restarted(Call call) noexcept
{
    auto value = call();
    while (value < 0 && errno == EINTR)
        value = call();
    return value;
}

} // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept
{
    std::swap(fd_, other.fd_);
    return *this;
}

FileDescriptor::~FileDescriptor()
{
    if (fd_ >= 0)
        ::close(fd_);
}

result<FileDescriptor> open_file(const std::filesystem::path& file, int flags)
{
    const int fd = restarted([&] { return ::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600); });
    if (fd < 0)
        return last_error();
    return FileDescriptor{fd};
}

result<std::string> read_all(const FileDescriptor& file, std::size_t max_bytes)
{
    std::string bytes;
    std::array<char, 4096> chunk;
    const Finally wiped{[&] { wipe(chunk.data(), chunk.size()); }}; // a key file comes through here too
    for (;;) {
        const ssize_t count = restarted([&] { return ::read(file.get(), chunk.data(), chunk.size()); });
        if (count < 0)
            return last_error();
        if (count == 0)
            return bytes;
        bytes.append(chunk.data(), static_cast<std::size_t>(count));
        if (bytes.size() > max_bytes)
            return code_of(EFBIG);
    }
}

error_code write_all(const FileDescriptor& file, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t count = restarted([&] { return ::write(file.get(), bytes.data(), bytes.size()); });
        if (count < 0)
            return last_error();
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

error_code sync_file(const FileDescriptor& file)
{
    return restarted([&] { return ::fsync(file.get()); }) < 0 ? last_error() : error_code{};
}

error_code sync_folder(const std::filesystem::path& folder)
{
    // The store's own folder may well be a symbolic link.
    const FileDescriptor opened{
        restarted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); })};
    return opened.get() < 0 ? last_error() : sync_file(opened);
}

error_code overwrite(const FileDescriptor& file)
{
    struct stat about {};
    if (::fstat(file.get(), &about) < 0 || ::lseek(file.get(), 0, SEEK_SET) < 0)
        return last_error();
    const std::string zeros(static_cast<std::size_t>(about.st_size), '\0');
    const error_code failed = write_all(file, zeros);
    return failed ? failed : sync_file(file);
}

error_code make_private_folders(const std::filesystem::path& folder, bool durable)
{
    if (folder.empty() || std::filesystem::is_directory(folder))
        return {};
    if (const auto failed = make_private_folders(folder.parent_path(), durable))
        return failed;
    if (::mkdir(folder.c_str(), 0700) < 0)
        return errno == EEXIST ? error_code{} : last_error(); // another process was quicker
    if (!durable)
        return {};
    const auto parent = folder.parent_path();
    return sync_folder(parent.empty() ? "." : parent);
}

result<FileDescriptor> lock_file(const std::filesystem::path& file, std::chrono::milliseconds patience)
{
    auto opened = open_file(file, O_RDWR | O_CREAT);
    if (!opened)
        return opened;
    // Polled rather than waited for: a stopped process that holds the lock must not hold this one for ever.
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (restarted([&] { return ::flock(opened->get(), LOCK_EX | LOCK_NB); }) < 0) {
        if (errno != EWOULDBLOCK)
            return last_error();
        if (std::chrono::steady_clock::now() >= deadline)
            return code_of(ETIMEDOUT);
        std::this_thread::sleep_for(std::chrono::microseconds{500});
    }
    return opened;
}

std::string unused_name()
{
    return random_base62(16);
}

} // namespace gw::local
