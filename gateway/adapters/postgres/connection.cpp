#include "adapters/postgres/connection.hpp"

#include <pqxx/pqxx>

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gw::postgres {

using std::chrono::steady_clock;
using Kind = PostgresError::Kind;

namespace {

// Connects once, within the deadline. libpqxx would connect again by itself, with neither deadline nor
// session settings: here a session that has ended stays so.
class ConnectOnce final : public pqxx::connectionpolicy {
public:
    ConnectOnce(const ConnectOptions& options, Deadline deadline)
        : connectionpolicy(std::string{}), options_(options), deadline_(deadline)
    {
    }
    handle do_startconnect(handle existing) override
    {
        if (existing != nullptr)
            return existing;
        if (done_)
            throw pqxx::broken_connection{"the session has ended"};
        done_ = true;
        return connect(options_, deadline_);
    }

private:
    const ConnectOptions& options_; // used by the constructor only
    Deadline deadline_;
    bool done_ = false;
};

std::string one_line(std::string_view text)
{
    std::string out{text};
    while (!out.empty() && out.back() == '\n')
        out.pop_back();
    std::replace(out.begin(), out.end(), '\n', ' ');
    return out;
}

struct Meaning {
    errc code;
    Kind kind;
    bool session_goes_on = true;
};

// By SQLSTATE (PostgreSQL's appendix A).
Meaning meaning_of(std::string_view state) noexcept
{
    if (state == "23505")
        return {errc::conflict, Kind::refused};
    if (state == "23503")
        return {errc::not_found, Kind::refused};
    // A plan or a statement of before a migration (0A000, 26000): a new session knows the new tables.
    // Read-only (25006): what was the primary is none any more.
    if (state == "0A000" || state == "26000" || state == "25006")
        return {errc::unavailable, Kind::lost, false};
    const auto of_class = state.substr(0, 2);
    if (of_class == "22" || of_class == "23" || state == "P0001")
        return {errc::invalid, Kind::refused};
    if (of_class == "57" && state != "57014") // the server is stopping
        return {errc::unavailable, Kind::lost, false};
    if (state == "XX001" || state == "XX002")
        return {errc::corrupt, Kind::refused};
    return {errc::unavailable, Kind::refused}; // out of time, space, connections or rights; another schema
}

} // namespace

class Connection::Session final : public pqxx::connection_base {
public:
    Session(const ConnectOptions& options, Deadline deadline)
        : connection_base(policy_), policy_(options, deadline)
    {
        init();
    }
    ~Session()
    {
        transaction_.reset();
        close();
    }

    pqxx::transaction_base* transaction() noexcept { return transaction_.get(); }
    void begin() { transaction_ = std::make_unique<pqxx::work>(*this); }
    void end() noexcept { transaction_.reset(); }

private:
    ConnectOnce policy_;
    pqxx::quiet_errorhandler quiet_{*this};
    std::unique_ptr<pqxx::work> transaction_;
};

class Connection::Receiver final : public pqxx::notification_receiver {
public:
    using notification_receiver::notification_receiver;
    void operator()(const std::string&, int) override { ++received; }
    int received = 0;
};

struct Rows::Answer {
    pqxx::result result;
};

void Parameters::add_text(std::string_view text)
{
    if (text.find('\0') != std::string_view::npos)
        throw PostgresError{errc::invalid, Kind::refused, "text with a NUL cannot be stored"};
    values_.emplace_back(text);
}

int Rows::size() const noexcept
{
    return static_cast<int>(answer_->result.size());
}

std::int64_t Rows::changed() const
{
    return static_cast<std::int64_t>(answer_->result.affected_rows());
}

std::string_view Row::text(int column) const noexcept
{
    const auto& result = rows_.answer_->result;
    const pqxx::field field{result[static_cast<pqxx::result::size_type>(number_)],
                            static_cast<pqxx::row::size_type>(column)};
    return {field.c_str(), field.size()};
}

bool Row::is_null(int column) const noexcept
{
    const auto& result = rows_.answer_->result;
    return pqxx::field{result[static_cast<pqxx::result::size_type>(number_)],
                       static_cast<pqxx::row::size_type>(column)}
        .is_null();
}

std::int64_t Row::integer(int column) const
{
    const auto digits = text(column);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size())
        throw PostgresError{errc::corrupt, Kind::refused,
                            "not an integer: " + std::string{digits.substr(0, 100)}};
    return value;
}

std::uint64_t Row::unsigned_integer(int column) const
{
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, integer(column)));
}

Connection::Connection(const ConnectOptions& options, Deadline deadline, Watchdog& dog)
    : dog_(dog), statement_timeout_(options.statement_timeout), deadline_(deadline)
{
    try {
        session_ = std::make_unique<Session>(options, deadline);
    } catch (const pqxx::failure& error) {
        throw PostgresError{errc::unavailable, Kind::lost, one_line(error.what())};
    }
    socket_ = ::fcntl(session_->sock(), F_DUPFD_CLOEXEC, 0);
    if (socket_ < 0)
        throw PostgresError{errc::unavailable, Kind::lost, "out of descriptors"};
    const std::string timeout = std::to_string(options.statement_timeout.count());
    try {
        // The server's own limits also let go of what a node holds that was stopped in the middle of a
        // transaction.
        execute("SET search_path = portcullis; SET client_min_messages = warning; SET timezone = 'UTC';"
                "SET default_transaction_isolation = 'read committed'; SET statement_timeout = " +
                timeout + "; SET idle_in_transaction_session_timeout = " + timeout);
    } catch (...) {
        ::close(socket_);
        throw;
    }
}

Connection::~Connection()
{
    if (receiver_) // or it would wait for an UNLISTEN
        ::shutdown(socket_, SHUT_RDWR);
    receiver_.reset();
    // Closing sends a farewell, which must not wait either.
    const Watchdog::Watch watch{dog_, socket_, steady_clock::now() + std::chrono::milliseconds{100}};
    session_.reset();
    ::close(socket_);
}

template <class Call>
auto Connection::asked(Call&& call)
{
    const auto since = steady_clock::now();
    const Watchdog::Watch watch{dog_, socket_, deadline_};
    try {
        return call();
    } catch (const std::exception&) {
        rethrow(since);
    }
}

// What libpqxx threw, in this adapter's words.
void Connection::rethrow(steady_clock::time_point since)
{
    const auto ended = [&](const std::exception& error) {
        usable_ = false;
        if (const auto now = steady_clock::now(); now >= deadline_) {
            const bool had_its_time = statement_timeout_.count() != 0 && now - since >= statement_timeout_;
            throw PostgresError{errc::unavailable, had_its_time ? Kind::silent : Kind::refused,
                                "no answer within the deadline"};
        }
        throw PostgresError{errc::unavailable, Kind::lost,
                            "the connection was lost: " + one_line(error.what())};
    };
    try {
        throw;
    } catch (const PostgresError&) {
        throw;
    } catch (const pqxx::in_doubt_error&) {
        usable_ = false;
        throw PostgresError{errc::in_doubt, Kind::refused, "the connection was lost during a commit"};
    } catch (const pqxx::broken_connection& error) {
        ended(error);
    } catch (const pqxx::transaction_rollback& error) { // deadlock, serialization
        throw PostgresError{errc::unavailable, Kind::transient, one_line(error.what())};
    } catch (const pqxx::sql_error& error) {
        if (error.sqlstate().empty() || !session_->is_open())
            ended(error);
        const Meaning meaning = meaning_of(error.sqlstate());
        usable_ = usable_ && meaning.session_goes_on;
        throw PostgresError{meaning.code, meaning.kind, error.sqlstate() + ": " + one_line(error.what())};
    } catch (const std::exception& error) {
        if (!session_->is_open())
            ended(error);
        usable_ = false; // whatever it was, the session is not where it should be
        throw PostgresError{errc::unavailable, Kind::refused, one_line(error.what())};
    }
    std::abort(); // not reached
}

Rows Connection::run(std::string_view statement, const Parameters& parameters)
{
    auto found = statements_.find(statement);
    if (found == statements_.end()) {
        const std::string name = "s" + std::to_string(statements_.size());
        found = statements_.emplace(std::string{statement}, name).first;
        session_->prepare(name, std::string{statement}); // the server hears of it at the first use
    }
    std::vector<const char*> texts;
    for (const auto& value : parameters.values())
        texts.push_back(value ? value->c_str() : nullptr);
    const auto values = pqxx::prepare::make_dynamic_params(texts);
    auto answer = std::make_shared<Rows::Answer>();
    asked([&] {
        if (auto* transaction = session_->transaction()) {
            answer->result = transaction->exec_prepared(found->second, values);
            return;
        }
        pqxx::nontransaction alone{*session_};
        answer->result = alone.exec_prepared(found->second, values);
    });
    return Rows{std::move(answer)};
}

void Connection::execute(const std::string& script)
{
    asked([&] {
        if (auto* transaction = session_->transaction()) {
            transaction->exec(script);
            return;
        }
        pqxx::nontransaction alone{*session_};
        alone.exec(script);
    });
}

void Connection::begin()
{
    asked([&] { session_->begin(); });
}

void Connection::commit()
{
    asked([&] { session_->transaction()->commit(); });
    session_->end();
}

void Connection::roll_back() noexcept
{
    if (session_->transaction() == nullptr)
        return;
    const Watchdog::Watch watch{dog_, socket_, deadline_};
    session_->end();
    usable_ = usable_ && session_->is_open();
}

bool Connection::is_usable() const noexcept
{
    return usable_ && session_->is_open();
}

bool Connection::has_ended() const noexcept
{
    pollfd quiet{socket_, POLLIN | POLLRDHUP, 0};
    return ::poll(&quiet, 1, 0) != 0;
}

void Connection::listen(const std::string& channel)
{
    asked([&] { receiver_ = std::make_unique<Receiver>(*session_, channel); });
}

int Connection::take_notifications()
{
    asked([&] {
        session_->get_notifs();
        if (!session_->is_open())
            throw pqxx::broken_connection{"the server ended it"};
    });
    return std::exchange(receiver_->received, 0);
}

} // namespace gw::postgres
