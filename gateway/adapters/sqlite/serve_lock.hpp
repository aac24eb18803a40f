// At most one `serve` on a database: a lock on `<database>.lock`, which holds the owner's process id. The
// lock ends with the process, however it ends. The command line takes none: it may work beside a running
// `serve`.
#pragma once

#include <filesystem>

namespace gw::sqlite {

class ServeLock {
public:
    // Throws SqliteError with errc::busy, naming the process, if another one serves from this database.
    explicit ServeLock(const std::filesystem::path& database);
    ServeLock(const ServeLock&) = delete;
    ServeLock& operator=(const ServeLock&) = delete;
    ~ServeLock();

private:
    int fd_;
};

} // namespace gw::sqlite
