// Bodies followed through their bytes: every kind, cut at every position, and what breaks chunked framing.
#include "http1/body_framing.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace gw::http1;
using State = BodyReader::Step::State;

namespace {

struct Followed {
    std::string payload, trailers;
    std::size_t consumed = 0;
    State state = State::more;
};

// Feeds the input in pieces of the given size, each copied so that ASan sees reads beyond it.
Followed follow(BodyReader& reader, std::string_view input, std::size_t piece)
{
    Followed all;
    while (all.consumed < input.size() && all.state == State::more) {
        const std::string_view next = input.substr(all.consumed, piece);
        std::vector<char> copy(next.begin(), next.end());
        std::string_view rest{copy.data(), copy.size()};
        while (!rest.empty() && all.state == State::more) {
            const auto step = reader.next(rest);
            all.payload += step.payload;
            all.consumed += step.consumed;
            all.state = step.state;
            if (step.state == State::more)
                REQUIRE(step.consumed > 0);
            rest.remove_prefix(step.consumed);
        }
    }
    if (all.state == State::complete)
        all.trailers = std::string{reader.trailers()};
    return all;
}

Followed follow_chunked(const std::string& input, std::size_t piece = SIZE_MAX)
{
    BodyReader reader{BodyKind::chunked, 0};
    return follow(reader, input, piece);
}

} // namespace

TEST_CASE("body_framing: no body and an empty body are complete at once", "[http1]")
{
    BodyReader none{BodyKind::none, 0}, empty{BodyKind::length, 0};
    CHECK(none.is_complete());
    CHECK(empty.is_complete());
    CHECK(none.next("GET /").state == State::complete);
    CHECK(empty.next("GET /").consumed == 0);
    CHECK(empty.end_of_stream());
}

TEST_CASE("body_framing: a length body ends at its length", "[http1]")
{
    BodyReader reader{BodyKind::length, 5};
    auto step = reader.next("hel");
    CHECK(step.payload == "hel");
    CHECK(step.state == State::more);
    CHECK(reader.remaining() == 2);
    CHECK_FALSE(reader.end_of_stream());
    step = reader.next("loGET");
    CHECK(step.payload == "lo");
    CHECK(step.consumed == 2);
    CHECK(step.state == State::complete);
    CHECK(reader.payload_bytes() == 5);
}

TEST_CASE("body_framing: an until-close body ends with the stream only", "[http1]")
{
    BodyReader reader{BodyKind::until_close, 0};
    CHECK(reader.next("abc").payload == "abc");
    CHECK_FALSE(reader.is_complete());
    CHECK(reader.end_of_stream());
    CHECK(reader.payload_bytes() == 3);
}

TEST_CASE("body_framing: a chunked body is decoded, in pieces of any size", "[http1]")
{
    const std::string input =
        "5\r\nhello\r\n0007;name=value;q=\"x y\"\r\n, world\r\nA ;x\r\n0123456789\r\n0\r\n"
        "X-Checksum: abc\r\nServer-Timing:  total;dur=1\r\n\r\n";
    for (std::size_t piece = 1; piece <= input.size() + 6; ++piece) {
        const auto all = follow_chunked(input + "GET / ", piece);
        INFO("pieces of " << piece);
        REQUIRE(all.state == State::complete);
        REQUIRE(all.payload == "hello, world0123456789");
        REQUIRE(all.consumed == input.size());
        REQUIRE(all.trailers == "X-Checksum: abc\r\nServer-Timing:  total;dur=1\r\n");
    }
}

TEST_CASE("body_framing: trailers that may not pass are dropped", "[http1]")
{
    const auto all =
        follow_chunked("0\r\nContent-Length: 5\r\nX-Ok: 1\r\nX-Gateway-Tenant: evil\r\nhost: b\r\n"
                       "x_gateway_owner: evil\r\nAuthorization: Bearer x\r\nX-Ok-2: 2\r\n\r\n");
    REQUIRE(all.state == State::complete);
    CHECK(all.trailers == "X-Ok: 1\r\nX-Ok-2: 2\r\n");
}

TEST_CASE("body_framing: broken chunked framing is found, in pieces of any size", "[http1]")
{
    const auto input = GENERATE(values<std::string>({
        "\r\n",
        "x\r\n",
        "-5\r\nhello",
        "+5\r\nhello",
        " 5\r\nhello",
        "0x5\r\nhello",
        ";a\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\rX",
        "5\rhello",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\t\r\n",
        "5 x\r\n",
        "5;a\nb\r\n",
        "5;a\x01\r\n",
        "5;a\rb",
        "8000000000000000\r\n",
        "FFFFFFFFFFFFFFFF\r\n",
        "10000000000000000\r\n",
        "00000000000000005\r\n",
        "0\r\nA\r\n\r\n",
        "0\r\n: b\r\n\r\n",
        "0\r\n A: b\r\n\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\nA: b\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n",
        "0\r\nA: b\x01\r\n\r\n",
        "0\r\nA: b\rc",
        "0\r\n\rX",
        "0\n\r\n",
        "0\r\n\n",
    }));
    INFO(input);
    CHECK(follow_chunked(input).state == State::broken);
    CHECK(follow_chunked(input, 1).state == State::broken);
}

TEST_CASE("body_framing: a broken body stays broken", "[http1]")
{
    BodyReader reader{BodyKind::chunked, 0};
    REQUIRE(reader.next("x").state == State::broken);
    CHECK(reader.next("5\r\nhello\r\n0\r\n\r\n").state == State::broken);
    CHECK_FALSE(reader.end_of_stream());
}

TEST_CASE("body_framing: a truncated chunked body is not complete", "[http1]")
{
    const std::string input = "3\r\nabc\r\n0\r\n\r\n";
    for (std::size_t cut = 0; cut < input.size(); ++cut) {
        BodyReader reader{BodyKind::chunked, 0};
        CHECK(follow(reader, std::string_view{input}.substr(0, cut), SIZE_MAX).state == State::more);
        CHECK_FALSE(reader.end_of_stream());
    }
}

TEST_CASE("body_framing: extensions and trailers are bounded", "[http1]")
{
    CHECK(follow_chunked("1;" + std::string(256, 'a') + "\r\nx\r\n0\r\n\r\n").state == State::complete);
    CHECK(follow_chunked("1;" + std::string(257, 'a') + "\r\nx\r\n0\r\n\r\n").state == State::broken);
    std::string many;
    for (int i = 0; i < 300; ++i)
        many += "1;" + std::string(250, 'a') + "\r\nx\r\n";
    CHECK(follow_chunked(many + "0\r\n\r\n").state == State::broken);
    CHECK(follow_chunked("0\r\nA: " + std::string(2000, 'a') + "\r\n\r\n").state == State::complete);
    CHECK(follow_chunked("0\r\nA: " + std::string(2045, 'a') + "\r\n\r\n").state == State::broken);
    std::string dropped; // also what is not kept counts
    for (int i = 0; i < 900; ++i)
        dropped += "TE: abcd\r\n";
    CHECK(follow_chunked("0\r\n" + dropped + "\r\n").state == State::broken);
}

TEST_CASE("body_framing: a copy goes on where the original was", "[http1]")
{
    BodyReader reader{BodyKind::chunked, 0};
    follow(reader, "2\r\nab\r\n0\r\nA: 1\r\nB", SIZE_MAX);
    BodyReader copy = reader;
    follow(copy, ": 2\r\n\r\n", SIZE_MAX);
    CHECK(copy.is_complete());
    CHECK(copy.trailers() == "A: 1\r\nB: 2\r\n");
    CHECK_FALSE(reader.is_complete());
}

TEST_CASE("body_framing: chunk headers are written in hexadecimal", "[http1]")
{
    char out[20];
    CHECK(std::string_view(out, write_chunk_header(out, 0)) == "0\r\n");
    CHECK(std::string_view(out, write_chunk_header(out, 16384)) == "4000\r\n");
    CHECK(std::string_view(out, write_chunk_header(out, UINT64_MAX)) == "ffffffffffffffff\r\n");
}
