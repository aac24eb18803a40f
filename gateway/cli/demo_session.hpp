// One connection to the demo API: reads requests one after another, answers each, in constant memory however
// large a body is in either direction. What it answers is listed in demo_session.cpp.
#pragma once

#include "net/asio.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gw::cli {

class DemoReply;

class DemoSession {
public:
    explicit DemoSession(Socket socket);

    // Serves until the peer goes, breaks the protocol or asks to close.
    awaitable<void> run();

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
    using BodySink = std::function<void(std::string_view)>;

    // False: close the connection.
    awaitable<bool> serve_one();
    awaitable<bool> answer(DemoReply& reply);
    awaitable<bool> answer_echo(DemoReply& reply);
    awaitable<bool> answer_hash(DemoReply& reply);
    awaitable<bool> answer_bytes(DemoReply& reply, std::string_view count);
    awaitable<bool> answer_drip(DemoReply& reply);
    awaitable<bool> answer_slow(DemoReply& reply);
    awaitable<bool> answer_trailers(DemoReply& reply);
    awaitable<bool> answer_events(DemoReply& reply);
    awaitable<bool> wait(std::uint64_t milliseconds);
    // Reads the request's body to its end, handing each part to `sink`; false if the peer broke off.
    awaitable<bool> read_body(DemoReply& reply, BodySink sink);
    awaitable<bool> discard_body(DemoReply& reply);

    std::string_view path() const;
    std::string_view query() const;
    // The value of a query parameter, or empty.
    std::string_view parameter(std::string_view name) const;
    std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;

    Socket socket_;
    boost::beast::flat_buffer buffer_;
    std::unique_ptr<Parser> parser_; // of the current request
    std::array<char, 65536> body_part_;
    std::uint64_t body_bytes_ = 0;
    std::size_t head_fields_ = 0; // the fields behind these came as trailers
    bool continued_ = false;      // 100 Continue was sent, or was not asked for
};

} // namespace gw::cli
