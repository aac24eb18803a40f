// One SQLite connection, its prepared statements and its transactions: the only place that touches sqlite3.h.
// What goes wrong is thrown as SqliteError (or, by a row that does not decode, as its base) inside this
// adapter; DatabaseFile catches it, logs it once and returns it as errc.
//
// A connection is used by one thread at a time.
#pragma once

#include "adapters/sql/store_error.hpp"
#include "domain/errors.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

struct sqlite3;
struct sqlite3_stmt;

namespace gw::sqlite {

using Deadline = std::chrono::steady_clock::time_point;

class SqliteError : public sql::StoreError {
public:
    using StoreError::StoreError;
};

// A prepared statement, borrowed from its connection until the end of the scope. Text columns are valid until
// the next step.
class Statement {
public:
    Statement(sqlite3* database, sqlite3_stmt* statement) noexcept
        : database_(database), statement_(statement)
    {
    }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement(); // resets it and forgets what was bound

    // Parameters from left to right, from the first: integers, enums, booleans, text, blobs, and optionals of
    // them. Text and blobs must outlive the steps.
    template <class... Values>
    Statement& bind(const Values&... values)
    {
        (bind_next(values), ...);
        return *this;
    }

    bool step(); // true: a row is there
    // Steps to the end; the number of rows that were changed.
    std::int64_t run();

    std::int64_t integer(int column) const noexcept;
    std::uint64_t unsigned_integer(int column) const noexcept;
    std::string_view text(int column) const noexcept;
    std::string_view blob(int column) const noexcept;
    bool is_null(int column) const noexcept;

private:
    void bind_next(std::int64_t value);
    void bind_next(std::string_view text);
    void bind_next(const std::string& text) { bind_next(std::string_view{text}); }
    void bind_next(const char* text) { bind_next(std::string_view{text}); }
    void bind_next(std::span<const unsigned char> blob);
    void bind_next(std::nullopt_t);
    template <class T>
    requires std::is_integral_v<T>
    void bind_next(T value) { bind_next(static_cast<std::int64_t>(value)); }
    template <class Rep, class Period>
    void bind_next(std::chrono::sys_time<std::chrono::duration<Rep, Period>> time)
    {
        bind_next(static_cast<std::int64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count()));
    }
    template <class T>
    void bind_next(const std::optional<T>& value)
    {
        if (value)
            bind_next(*value);
        else
            bind_next(std::nullopt);
    }

    sqlite3* database_;
    sqlite3_stmt* statement_;
    int bound_ = 0;
};

class Connection {
public:
    enum class Durability : std::uint8_t {
        full,   // a commit has reached the disk: kill -9 and power failure lose nothing
        normal, // kill -9 loses nothing, power failure may lose the last commits
    };

    // Opens an existing file for reading and writing, in WAL mode. Throws SqliteError.
    Connection(const std::filesystem::path& file, Durability durability);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // Prepared once and kept under its text, so texts must be few. A statement may be borrowed once at a
    // time.
    Statement prepare(std::string_view sql);
    // Runs a script of statements without parameters or rows.
    void execute(const char* sql);
    // Until when locks are waited for and statements may run; what is not done by then throws `unavailable`.
    void set_deadline(Deadline deadline) noexcept;
    // Copies the whole database, as one snapshot, into the empty file `target`.
    void copy_to(const std::filesystem::path& target);

private:
    void enter_wal_mode();
    static int out_of_time(void* self) noexcept;

    sqlite3* database_ = nullptr;
    std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
    Deadline deadline_ = Deadline::max();
};

// Everything until commit(), or nothing.
class Transaction {
public:
    enum class Kind : std::uint8_t {
        snapshot,  // reads only, all of one state
        immediate, // writes; waits for the writer before it
    };
    Transaction(Connection& connection, Kind kind);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    void commit();

private:
    Connection* connection_;
};

} // namespace gw::sqlite
