#include "observe/process_figures.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace gw {

namespace {

std::string_view read_small_file(const char* path, std::array<char, 2048>& buffer) noexcept
{
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return {};
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    ::close(fd);
    return {buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

// The `index`th word of space separated text, as a number; 0 if there is none.
std::uint64_t number_at(std::string_view text, int index) noexcept
{
    for (; index > 0; --index) {
        const std::size_t space = text.find(' ');
        if (space == std::string_view::npos)
            return 0;
        text.remove_prefix(space + 1);
    }
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::uint64_t count_open_fds() noexcept
{
    DIR* directory = ::opendir("/proc/self/fd");
    if (directory == nullptr)
        return 0;
    std::uint64_t entries = 0;
    while (::readdir(directory) != nullptr)
        ++entries;
    ::closedir(directory);
    return entries > 3 ? entries - 3 : 0; // ".", ".." and the directory's own
}

} // namespace

std::optional<ProcessFigures> read_process_figures()
{
    std::array<char, 2048> buffer;
    std::string_view stat = read_small_file("/proc/self/stat", buffer);
    // The command may hold spaces and parentheses: fields are counted from behind its last one (proc(5)).
    const std::size_t command_end = stat.rfind(") ");
    if (command_end == std::string_view::npos)
        return std::nullopt;
    stat.remove_prefix(command_end + 2); // now at field 3, the state

    ProcessFigures figures;
    const auto ticks = static_cast<double>(number_at(stat, 14 - 3) + number_at(stat, 15 - 3));
    figures.cpu_seconds = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
    figures.threads = number_at(stat, 20 - 3);
    figures.virtual_bytes = number_at(stat, 23 - 3);
    figures.resident_bytes = number_at(stat, 24 - 3) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    figures.open_fds = count_open_fds();
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
        figures.max_fds = limit.rlim_cur;
    return figures;
}

} // namespace gw
