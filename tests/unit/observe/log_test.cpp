// The process log and the access log, read back through pipes and files.
#include "observe/log.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

using namespace gw;

namespace {

// Puts the write end of a pipe in the place of a descriptor for as long as it lives.
class Redirected {
public:
    explicit Redirected(int target) : target_(target), saved_(::dup(target))
    {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        read_end_ = ends[0];
        ::fcntl(read_end_, F_SETFL, O_NONBLOCK);
        ::dup2(ends[1], target_);
        ::close(ends[1]);
    }
    ~Redirected()
    {
        restore();
        ::close(read_end_);
    }
    void restore()
    {
        if (saved_ < 0)
            return;
        ::dup2(saved_, target_);
        ::close(saved_);
        saved_ = -1;
    }
    std::string drain() const
    {
        std::string text;
        char block[8192];
        for (ssize_t n; (n = ::read(read_end_, block, sizeof block)) > 0;)
            text.append(block, static_cast<std::size_t>(n));
        return text;
    }

private:
    int target_, saved_, read_end_ = -1;
};

std::string escaped(std::string_view text)
{
    std::string out;
    append_json_escaped(out, text);
    return out;
}

std::size_t lines_in(std::string_view text)
{
    std::size_t n = 0;
    for (const char c : text)
        n += c == '\n';
    return n;
}

struct TemporaryFile {
    std::string path = "/tmp/gw-access-log-test-XXXXXX";
    TemporaryFile() { ::close(::mkstemp(path.data())); }
    ~TemporaryFile() { ::unlink(path.c_str()); }
};

std::string read_file(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::string text(1 << 20, '\0');
    const ssize_t n = ::read(fd, text.data(), text.size());
    ::close(fd);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
}

} // namespace

TEST_CASE("json escaping: quotes, controls and bad UTF-8 are made safe", "[observe]")
{
    CHECK(escaped("plain") == "plain");
    CHECK(escaped("a\"b\\c") == "a\\\"b\\\\c");
    CHECK(escaped("\n\r\t\x01\x7f") == "\\n\\r\\t\\u0001\\u007f");
    CHECK(escaped(std::string_view{"\0", 1}) == "\\u0000");
    CHECK(escaped("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x8E\x89") == "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x8E\x89");
    CHECK(escaped("a\xFFz") == "a\xEF\xBF\xBDz");
    CHECK(escaped("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");             // overlong
    CHECK(escaped("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); // surrogate
    CHECK(escaped("cut\xE2\x82") == "cut\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("log: a line is one JSON object with time, level, event and fields", "[observe]")
{
    Redirected err{STDERR_FILENO};
    log(LogLevel::warn, "upstream.connect_failed", {{"upstream", "orders"}, {"detail", "say \"no\"\n"}});
    const std::string text = err.drain();
    err.restore();

    // Digits are told apart from the rest, since the time is not ours to choose.
    std::string shape = text;
    std::replace_if(shape.begin(), shape.end(), [](char c) { return c >= '0' && c <= '9'; }, '9');
    CHECK(shape == "{\"time\":\"9999-99-99T99:99:99.999Z\",\"level\":\"warn\",\"event\":\"upstream.connect_failed\","
                   "\"upstream\":\"orders\",\"detail\":\"say \\\"no\\\"\\n\"}\n");
}

TEST_CASE("log: what is below the level is not written", "[observe]")
{
    Redirected err{STDERR_FILENO};
    set_log_level(LogLevel::error);
    log(LogLevel::warn, "quiet");
    set_log_level(LogLevel::debug);
    log(LogLevel::debug, "loud");
    set_log_level(LogLevel::info);
    const std::string text = err.drain();
    err.restore();

    CHECK(text.find("quiet") == std::string::npos);
    CHECK(text.find("loud") != std::string::npos);
}

TEST_CASE("log: a long value is cut so that the line stays whole in a pipe", "[observe]")
{
    const std::string huge(100'000, '\x01'); // six bytes each when escaped
    Redirected err{STDERR_FILENO};
    log(LogLevel::error, "big", {{"a", huge}, {"b", huge}});
    const std::string text = err.drain();
    err.restore();

    CHECK(text.size() <= 4096);
    CHECK(text.ends_with("\"}\n"));
    CHECK(text.find("\"b\":\"") != std::string::npos);
}

TEST_CASE("access log: lines reach the file on flush and are appended", "[observe]")
{
    const TemporaryFile file;
    for (const char* text : {"one\n", "two\n"}) {
        AccessLog log{file.path};
        log.line() += text;
        log.wrote();
        log.flush();
    }
    CHECK(read_file(file.path) == "one\ntwo\n");
}

TEST_CASE("access log: the buffer is written when it passes 64 KiB", "[observe]")
{
    const TemporaryFile file;
    AccessLog log{file.path};
    const std::string line = std::string(1023, 'x') + "\n";
    for (int i = 0; i < 65; ++i) {
        log.line() += line;
        log.wrote();
    }
    CHECK(read_file(file.path).size() >= 64 * 1024);
    CHECK(log.dropped() == 0);
}

TEST_CASE("access log: a new file is readable by owner and group only", "[observe]")
{
    const TemporaryFile file;
    ::unlink(file.path.c_str());
    const mode_t before = ::umask(0);
    const AccessLog log{file.path};
    ::umask(before);
    struct stat status {};
    REQUIRE(::stat(file.path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("access log: off takes lines and keeps none", "[observe]")
{
    AccessLog log{"off"};
    CHECK_FALSE(log.is_on());
    log.line() += "x\n";
    log.flush();
    CHECK(log.line().empty());
}

TEST_CASE("access log: a path that cannot be opened is an error that names it", "[observe]")
{
    CHECK_THROWS_WITH(AccessLog{"/nonexistent/access.log"}, Catch::Contains("/nonexistent/access.log"));
}

TEST_CASE("access log: a full pipe drops and counts lines, and tears none", "[observe]")
{
    Redirected out{STDOUT_FILENO};
    AccessLog log{"stdout"};
    const std::string line = std::string(998, 'x') + "y\n";
    constexpr std::size_t k_lines = 1000; // 1 MB against 64 KiB of pipe and 256 KiB of buffer
    for (std::size_t i = 0; i < k_lines; ++i) {
        log.line() += line;
        log.wrote();
    }
    std::string text;
    for (std::string more = out.drain(); !more.empty(); more = out.drain()) {
        text += more;
        log.flush();
    }
    const std::uint64_t dropped = log.dropped();
    out.restore();

    CHECK(dropped > 0);
    CHECK(lines_in(text) + dropped == k_lines);
    REQUIRE(text.size() % line.size() == 0);
    for (std::size_t i = 0; i < text.size(); i += line.size())
        REQUIRE(text.compare(i, line.size(), line) == 0);
}

TEST_CASE("access log: standard output's own flags are left alone", "[observe]")
{
    Redirected out{STDOUT_FILENO};
    int flags = 0;
    {
        AccessLog log{"stdout"};
        flags = ::fcntl(STDOUT_FILENO, F_GETFL);
    }
    out.restore();
    CHECK((flags & O_NONBLOCK) == 0);
}

TEST_CASE("access log: a line longer than a pipe takes whole still arrives", "[observe]")
{
    Redirected out{STDOUT_FILENO};
    AccessLog log{"stdout"};
    const std::string longer = std::string(10'000, 'z') + "\n";
    log.line() += "short\n" + longer + "short\n";
    log.flush();
    const std::string text = out.drain();
    out.restore();
    CHECK(text == "short\n" + longer + "short\n");
}
