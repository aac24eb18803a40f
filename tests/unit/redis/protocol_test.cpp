#include "adapters/redis/protocol.hpp"

#include <catch2/catch.hpp>

using namespace gw::redis;

namespace {

// A picture of a reply: kinds, texts and structure.
std::string drawn(const Reply& reply)
{
    switch (reply.kind) {
    case Reply::Kind::nil:
        return "nil";
    case Reply::Kind::status:
        return "+" + reply.text;
    case Reply::Kind::error:
        return "-" + reply.text;
    case Reply::Kind::integer:
        return ":" + std::to_string(reply.integer);
    case Reply::Kind::text:
        return "'" + reply.text + "'";
    case Reply::Kind::array:
        break;
    }
    std::string items = "[";
    for (const Reply& item : reply.items)
        items += drawn(item) + " ";
    return items + "]";
}

std::vector<std::string> drawn_replies(ReplyParser& parser)
{
    std::vector<std::string> all;
    for (Reply reply; parser.next(reply);)
        all.push_back(drawn(reply));
    return all;
}

const std::string k_stream =
    "+OK\r\n-WRONGTYPE no\r\n:-9007199254740993\r\n$-1\r\n$0\r\n\r\n$5\r\na\r\nbc\r\n"
    "*-1\r\n*0\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n+y\r\n:7\r\n";
const std::vector<std::string> k_replies{"+OK",
                                         "-WRONGTYPE no",
                                         ":-9007199254740993",
                                         "nil",
                                         "''",
                                         "'a\r\nbc'",
                                         "nil",
                                         "[]",
                                         "[:1 ['x' nil ] +y ]",
                                         ":7"};

} // namespace

TEST_CASE("redis protocol: replies are the same wherever the stream is cut in two", "[redis]")
{
    for (std::size_t cut = 0; cut <= k_stream.size(); ++cut) {
        ReplyParser parser{1024};
        parser.feed(std::string_view{k_stream}.substr(0, cut));
        std::vector<std::string> replies = drawn_replies(parser);
        parser.feed(std::string_view{k_stream}.substr(cut));
        for (std::string& reply : drawn_replies(parser))
            replies.push_back(std::move(reply));
        CAPTURE(cut);
        CHECK(replies == k_replies);
        CHECK_FALSE(parser.is_broken());
    }
}

TEST_CASE("redis protocol: replies are the same byte by byte", "[redis]")
{
    ReplyParser parser{1024};
    std::vector<std::string> replies;
    for (const char byte : k_stream) {
        parser.feed({&byte, 1});
        for (std::string& reply : drawn_replies(parser))
            replies.push_back(std::move(reply));
    }
    CHECK(replies == k_replies);
}

TEST_CASE("redis protocol: what is not Redis's protocol breaks the stream for good", "[redis]")
{
    const std::string garbage = GENERATE(
        as<std::string>{}, "HTTP/1.1 400 Bad Request\r\n", "\r\n", "\x15\x03\x01", "*9999999999\r\n",
        "$-2\r\n", ":12x\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n");
    ReplyParser parser{1024};
    parser.feed(garbage);
    Reply reply;
    CHECK_FALSE(parser.next(reply));
    CHECK(parser.is_broken());
    parser.feed("+OK\r\n");
    CHECK_FALSE(parser.next(reply));
}

TEST_CASE("redis protocol: an answer may be as long as allowed and no longer", "[redis]")
{
    constexpr std::size_t allowed = 256 * 1024;
    const auto bulk = [](std::size_t size) {
        return "$" + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
    };
    Reply reply;

    ReplyParser exact{allowed};
    exact.feed(bulk(allowed));
    CHECK(exact.next(reply));
    CHECK(reply.text.size() == allowed);

    ReplyParser longer{allowed};
    longer.feed(bulk(allowed + 1));
    CHECK_FALSE(longer.next(reply));
    CHECK(longer.fault() == "an answer is too long");
}

TEST_CASE("redis protocol: a long text is refused while it comes, not when all of it is in memory", "[redis]")
{
    ReplyParser parser{1024};
    parser.feed("$1000000000\r\n");
    Reply reply;
    const std::string chunk(16 * 1024, 'x');
    int chunks = 0;
    for (; !parser.is_broken() && chunks < 1000; ++chunks) {
        parser.feed(chunk);
        CHECK_FALSE(parser.next(reply));
    }
    CHECK(chunks < 10);
}

TEST_CASE("redis protocol: an array's size alone allocates no more than allowed", "[redis]")
{
    const std::string head =
        GENERATE(as<std::string>{}, "*2147483647\r\n", "*100000000\r\n", "*2\r\n*15\r\n*100000\r\n");
    ReplyParser parser{64 * 1024};
    parser.feed(head);
    Reply reply;
    CHECK_FALSE(parser.next(reply));
    CHECK(parser.is_broken());
}

TEST_CASE("redis protocol: many short answers in one piece are no long answer", "[redis]")
{
    ReplyParser parser{64};
    std::string many;
    for (int i = 0; i < 5000; ++i)
        many += "$3\r\nabc\r\n";
    parser.feed(many);
    CHECK(drawn_replies(parser).size() == 5000);
    CHECK_FALSE(parser.is_broken());
}

TEST_CASE("redis protocol: a command is an array of binary-safe texts", "[redis]")
{
    const std::vector<std::string> words{"SET", "", std::string{"a\0\r\n", 4}};
    Command command;
    command.words = words;
    std::string out = "before";
    append_command(out, command, false);
    CHECK(out == "before*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n" + std::string{"a\0\r\n", 4} + "\r\n");
}

TEST_CASE("redis protocol: a command may have more words than are usual", "[redis]")
{
    const std::vector<std::string> words(1000, "w");
    Command command;
    command.words = words;
    std::string out;
    append_command(out, command, false);
    CHECK(out.starts_with("*1000\r\n$1\r\nw\r\n"));
    CHECK(out.size() == 7 + 1000 * 7);
}

TEST_CASE("redis protocol: a script goes by its SHA-1, or in full", "[redis]")
{
    const Script script{"return 1"};
    CHECK(script.sha1() == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"); // as redis-cli SCRIPT LOAD says
    const std::vector<std::string> keys{"{t}a", "{t}b"}, arguments{"7"};
    Command command;
    command.script = &script;
    command.keys = keys;
    command.arguments = arguments;
    std::string by_name, in_full;
    append_command(by_name, command, false);
    append_command(in_full, command, true);
    const std::string rest = "$1\r\n2\r\n$4\r\n{t}a\r\n$4\r\n{t}b\r\n$1\r\n7\r\n";
    CHECK(by_name == "*6\r\n$7\r\nEVALSHA\r\n$40\r\n" + script.sha1() + "\r\n" + rest);
    CHECK(in_full == "*6\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n" + rest);
}

TEST_CASE("redis protocol: an error's code is its first word", "[redis]")
{
    Reply reply;
    reply.kind = Reply::Kind::error;
    reply.text = "MOVED 3999 127.0.0.1:6381";
    CHECK(reply.error_code() == "MOVED");
    reply.text = "ERR";
    CHECK(reply.error_code() == "ERR");
    reply.kind = Reply::Kind::text;
    CHECK(reply.error_code().empty());
}
