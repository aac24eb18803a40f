#include "adapters/sqlite/connection.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace gw::sqlite {

namespace {

errc to_errc(int code) noexcept
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return errc::conflict;
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return errc::corrupt;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return errc::invalid;
    default: // busy, locked, interrupted at the deadline, disk full, input/output
        return errc::unavailable;
    }
}

[[noreturn]] void fail(sqlite3* database, int code)
{
    std::string what = sqlite3_errstr(code);
    if (database != nullptr && (sqlite3_errcode(database) & 0xff) == (code & 0xff))
        what += std::string{": "} + sqlite3_errmsg(database);
    throw SqliteError{to_errc(code), what};
}

void check(sqlite3* database, int code)
{
    if (code != SQLITE_OK)
        fail(database, code);
}

} // namespace

Statement::~Statement()
{
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

bool Statement::step()
{
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        fail(database_, code);
    return false;
}

std::int64_t Statement::run()
{
    while (step()) {
    }
    return sqlite3_changes64(database_);
}

std::int64_t Statement::integer(int column) const noexcept
{
    return sqlite3_column_int64(statement_, column);
}

std::uint64_t Statement::unsigned_integer(int column) const noexcept
{
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, integer(column)));
}

std::string_view Statement::text(int column) const noexcept
{
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return data == nullptr
               ? std::string_view{}
               : std::string_view{data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::blob(int column) const noexcept
{
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return data == nullptr
               ? std::string_view{}
               : std::string_view{data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::is_null(int column) const noexcept
{
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Statement::bind_next(std::int64_t value)
{
    check(database_, sqlite3_bind_int64(statement_, ++bound_, value));
}

void Statement::bind_next(std::string_view text)
{
    // A null pointer would bind NULL.
    const char* data = text.data() == nullptr ? "" : text.data();
    check(database_,
          sqlite3_bind_text64(statement_, ++bound_, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_next(std::span<const unsigned char> blob)
{
    const void* data = blob.data() == nullptr ? static_cast<const void*>("") : blob.data();
    check(database_, sqlite3_bind_blob64(statement_, ++bound_, data, blob.size(), SQLITE_STATIC));
}

void Statement::bind_next(std::nullopt_t)
{
    check(database_, sqlite3_bind_null(statement_, ++bound_));
}

Connection::Connection(const std::filesystem::path& file, Durability durability)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int opened = sqlite3_open_v2(file.c_str(), &database_, flags, nullptr);
    try {
        check(database_, opened);
        sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        sqlite3_db_config(database_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
        sqlite3_db_config(database_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
        sqlite3_progress_handler(database_, 10'000, &Connection::out_of_time, this);
        check(database_, sqlite3_busy_timeout(database_, 5'000));
        enter_wal_mode();
        execute(durability == Durability::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
        execute(
            "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
            "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192; PRAGMA journal_size_limit = 67108864");
    } catch (...) {
        sqlite3_close_v2(database_);
        throw;
    }
}

void Connection::enter_wal_mode()
{
    using namespace std::chrono;
    const auto until = steady_clock::now() + seconds{5};
    while (true) {
        try {
            auto mode = prepare("PRAGMA journal_mode = WAL");
            if (!mode.step() || mode.text(0) != "wal")
                throw SqliteError{errc::unavailable,
                                  "this file system cannot hold the database: it has no shared "
                                  "memory for a write-ahead log; use a local disk"};
            return;
        } catch (const SqliteError&) {
            // Changing the mode does not wait for locks: two processes opening a new file meet here.
            if (sqlite3_errcode(database_) % 256 != SQLITE_BUSY || steady_clock::now() >= until)
                throw;
        }
        sqlite3_sleep(20);
    }
}

Connection::~Connection()
{
    for (const auto& [sql, statement] : statements_)
        sqlite3_finalize(statement);
    sqlite3_close_v2(database_);
}

Statement Connection::prepare(std::string_view sql)
{
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        sqlite3_stmt* statement = nullptr;
        check(database_, sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                            SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
        found = statements_.emplace(std::string{sql}, statement).first;
    }
    if (sqlite3_stmt_busy(found->second) != 0)
        throw std::logic_error("a statement was borrowed twice: " + std::string{sql});
    return {database_, found->second};
}

void Connection::execute(const char* sql)
{
    check(database_, sqlite3_exec(database_, sql, nullptr, nullptr, nullptr));
}

void Connection::set_deadline(Deadline deadline) noexcept
{
    using namespace std::chrono;
    deadline_ = deadline;
    constexpr long k_longest_ms = 60'000;
    const long left_ms = deadline == Deadline::max()
                             ? k_longest_ms
                             : duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    sqlite3_busy_timeout(database_, static_cast<int>(std::clamp(left_ms, 1L, k_longest_ms)));
}

void Connection::copy_to(const std::filesystem::path& target)
{
    sqlite3* copy = nullptr;
    int code = sqlite3_open_v2(target.c_str(), &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code == SQLITE_OK) {
        sqlite3_backup* backup = sqlite3_backup_init(copy, "main", database_, "main");
        while (backup != nullptr) {
            code = sqlite3_backup_step(backup, -1);
            if (code != SQLITE_BUSY && code != SQLITE_LOCKED)
                break;
            sqlite3_sleep(20);
        }
        code = sqlite3_backup_finish(backup);
        if (backup == nullptr || code != SQLITE_OK)
            code = sqlite3_extended_errcode(copy);
        // The copy is one file, complete without a write-ahead log beside it.
        if (code == SQLITE_OK)
            code = sqlite3_exec(copy, "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
    }
    const std::string what = code == SQLITE_OK ? "" : sqlite3_errmsg(copy);
    sqlite3_close_v2(copy);
    if (code != SQLITE_OK)
        throw SqliteError{to_errc(code), "copying the database to " + target.string() + ": " + what};
}

int Connection::out_of_time(void* self) noexcept
{
    return std::chrono::steady_clock::now() >= static_cast<Connection*>(self)->deadline_ ? 1 : 0;
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(&connection)
{
    connection.prepare(kind == Kind::snapshot ? "BEGIN" : "BEGIN IMMEDIATE").run();
}

Transaction::~Transaction()
{
    if (connection_ == nullptr)
        return;
    try {
        // Out of time or not, what was begun must end.
        connection_->set_deadline(Deadline::max());
        connection_->prepare("ROLLBACK").run();
    } catch (const SqliteError&) {
        // SQLite has rolled back by itself (disk full, input/output error).
    }
}

void Transaction::commit()
{
    connection_->prepare("COMMIT").run();
    connection_ = nullptr;
}

} // namespace gw::sqlite
