// See management_key.hpp.
#include "app/management_key.hpp"

#include "domain/api_key.hpp"
#include "domain/finally.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace gw {

namespace {

constexpr std::size_t k_length = 48; // of base62: 285 bits

[[noreturn]] void fail(const std::filesystem::path& file, const char* what)
{
    throw std::system_error(errno, std::system_category(), std::string{what} + " " + file.string());
}

Secret read(const std::filesystem::path& file)
{
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail(file, "cannot read");
    const Finally closed{[fd] { ::close(fd); }};
    std::string text(256, '\0');
    const ssize_t size = ::read(fd, text.data(), text.size());
    if (size < 0)
        fail(file, "cannot read");
    text.resize(static_cast<std::size_t>(size));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    if (text.size() < 32)
        throw std::runtime_error(file.string() + ": a management key has at least 32 characters; delete the file to get a new one");
    return Secret{std::move(text)};
}

} // namespace

std::filesystem::path management_key_file(const Settings& settings)
{
    return std::filesystem::path{settings.stores.sqlite}.parent_path() / "management.key";
}

Secret management_key(const Settings& settings)
{
    if (settings.admin.bootstrap_key)
        return settings.admin.bootstrap_key->clone();
    const std::filesystem::path file = management_key_file(settings);
    if (std::filesystem::exists(file))
        return read(file);
    // Written aside and linked into place: nobody ever sees half of it, and of two starts one wins.
    const std::filesystem::path aside = file.string() + "." + random_base62(8);
    const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        fail(aside, "cannot create");
    const Finally removed{[&aside] { ::unlink(aside.c_str()); }};
    std::string text = "pcm_" + random_base62(k_length) + "\n";
    const ssize_t written = ::write(fd, text.data(), text.size());
    ::fsync(fd);
    ::close(fd);
    wipe(text.data(), text.size());
    if (written != static_cast<ssize_t>(k_length + 5))
        fail(aside, "cannot write");
    if (::link(aside.c_str(), file.c_str()) != 0 && errno != EEXIST)
        fail(file, "cannot create");
    return read(file);
}

} // namespace gw
