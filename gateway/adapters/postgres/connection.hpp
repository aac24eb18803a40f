// One PostgreSQL session, its prepared statements and its transactions: the only place that touches libpqxx.
// What goes wrong is thrown as PostgresError (or, by a row that does not decode, as its base) inside this
// adapter; Database catches it, logs it once and returns it as errc.
//
// A connection is used by one thread at a time.
#pragma once

#include "adapters/postgres/connect.hpp"
#include "adapters/postgres/watchdog.hpp"
#include "adapters/sql/store_error.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gw::postgres {

class PostgresError : public sql::StoreError {
public:
    enum class Kind : std::uint8_t {
        refused,     // the server said no; the session goes on
        transient,   // a conflict with others (deadlock, serialization): the same may succeed now
        lost,        // the session has ended and nothing was done
        silent,      // the server did not answer in all the time that it is given
        turned_away, // not tried: the server has just been out of reach
    };
    PostgresError(errc code, Kind kind, const std::string& what) : StoreError(code, what), kind_(kind) {}
    Kind kind() const noexcept { return kind_; }

private:
    Kind kind_;
};

// The values of a statement's $1, $2, ..., as text. Integers, booleans, times, text, and optionals of them.
// Throws PostgresError with errc::invalid for text that holds a NUL, which libpq would cut off there.
class Parameters {
public:
    template <class T>
    void add(const T& value)
    {
        if constexpr (std::is_same_v<T, bool>)
            add_text(value ? "t" : "f");
        else if constexpr (std::is_integral_v<T>)
            add_text(std::to_string(value));
        else
            add_text(std::string_view{value});
    }
    template <class Rep, class Period>
    void add(const std::chrono::sys_time<std::chrono::duration<Rep, Period>>& time)
    {
        add(std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
    }
    template <class T>
    void add(const std::optional<T>& value)
    {
        if (value)
            add(*value);
        else
            values_.emplace_back();
    }
    const std::vector<std::optional<std::string>>& values() const noexcept { return values_; }

private:
    void add_text(std::string_view text);

    std::vector<std::optional<std::string>> values_;
};

class Rows;

// Valid as long as its Rows.
class Row {
public:
    std::int64_t integer(int column) const;
    std::uint64_t unsigned_integer(int column) const;
    bool boolean(int column) const { return text(column) == "t"; }
    std::string_view text(int column) const noexcept; // empty for NULL
    bool is_null(int column) const noexcept;

private:
    friend class Rows;
    Row(const Rows& rows, int number) noexcept : rows_(rows), number_(number) {}

    const Rows& rows_;
    int number_;
};

class Rows {
public:
    struct Answer; // libpqxx's

    explicit Rows(std::shared_ptr<const Answer> answer) : answer_(std::move(answer)) {}
    int size() const noexcept;
    bool empty() const noexcept { return size() == 0; }
    Row operator[](int number) const noexcept { return {*this, number}; }
    // How many rows the statement inserted, updated or deleted.
    std::int64_t changed() const;

private:
    friend class Row;
    std::shared_ptr<const Answer> answer_;
};

class Connection {
public:
    // Connects. Throws StoreError.
    Connection(const ConnectOptions& options, Deadline deadline, Watchdog& dog);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // Runs one statement, with a transaction's others if one has begun, else on its own. Prepared once and
    // kept under its text, so texts must be few.
    template <class... Values>
    Rows query(std::string_view statement, const Values&... values)
    {
        Parameters parameters;
        (parameters.add(values), ...);
        return run(statement, parameters);
    }
    Rows run(std::string_view statement, const Parameters& parameters);
    // Runs a script of statements without parameters.
    void execute(const std::string& script);

    void begin();
    // errc::in_doubt if the answer did not arrive.
    void commit();
    void roll_back() noexcept; // nothing if none has begun

    // Until when the calls that follow must be answered; then the socket is shut down.
    void set_deadline(Deadline deadline) noexcept { deadline_ = deadline; }
    // False once the session has ended, or cannot be relied on.
    bool is_usable() const noexcept;
    // For a connection that nobody uses: has the server ended it, or sent what nobody asked for?
    bool has_ended() const noexcept;

    // Asks for the channel's notifications; then a notification, or the end of the connection, makes
    // `socket()` readable, and take_notifications() says how many have arrived.
    void listen(const std::string& channel);
    int take_notifications();
    int socket() const noexcept { return socket_; } // not libpq's descriptor, but of the same socket

private:
    class Session;
    class Receiver;
    template <class Call>
    auto asked(Call&& call);
    [[noreturn]] void rethrow(std::chrono::steady_clock::time_point since);

    Watchdog& dog_;
    std::chrono::milliseconds statement_timeout_;
    Deadline deadline_ = Deadline::max();
    int socket_ = -1;
    bool usable_ = true;
    std::unique_ptr<Session> session_;
    std::unique_ptr<Receiver> receiver_;
    std::map<std::string, std::string, std::less<>> statements_; // text to name
};

// Everything until commit(), or nothing.
class Transaction {
public:
    explicit Transaction(Connection& connection) : connection_(connection) { connection_.begin(); }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() { connection_.roll_back(); }
    void commit() { connection_.commit(); }

private:
    Connection& connection_;
};

} // namespace gw::postgres
