#include "adapters/sqlite/database_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gw::sqlite {

DatabaseFile::DatabaseFile(std::filesystem::path file, Connection::Durability durability, std::size_t readers)
    : file_(std::move(file)), writer_(file_, durability, ConnectionSet::Use::writing, 1),
      readers_(file_, durability, ConnectionSet::Use::reading, readers)
{
}

errc DatabaseFile::report(std::string_view operation, const sql::StoreError& error) const noexcept
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
