// Response heads and bodies of the demo API as bytes, with one gathered write for each step.
#include "cli/demo_reply.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>

#include <array>
#include <cstdio>

namespace gw::cli {

namespace http = boost::beast::http;

awaitable<bool> DemoReply::send(std::string_view first, std::string_view second, std::string_view third)
{
    const std::array<asio::const_buffer, 3> buffers{asio::buffer(first), asio::buffer(second),
                                                    asio::buffer(third)};
    auto [failed, sent] = co_await asio::async_write(socket_, buffers, no_throw);
    co_return !failed;
}

std::string DemoReply::head(int status, std::string_view type, std::string_view framing,
                            std::string_view fields) const
{
    std::string out = "HTTP/1.1 " + std::to_string(status) + ' ';
    out += http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
    out += "\r\nServer: demo-api\r\n";
    if (!type.empty())
        out.append("Content-Type: ").append(type).append("\r\n");
    out.append(framing).append(fields);
    if (!keep_alive_)
        out += "Connection: close\r\n";
    else if (minor_version_ == 0)
        out += "Connection: keep-alive\r\n";
    out += "\r\n";
    return out;
}

awaitable<bool> DemoReply::whole(int status, std::string_view type, std::string body, std::string_view fields)
{
    const bool no_body = status == 204 || status == 304; // RFC 9110 section 6.4.1
    const std::string framing =
        no_body ? std::string{} : "Content-Length: " + std::to_string(body.size()) + "\r\n";
    const std::string text = head(status, no_body ? std::string_view{} : type, framing, fields);
    co_return co_await send(text, no_body || head_only_ ? std::string_view{} : std::string_view{body});
}

awaitable<bool> DemoReply::interim(int status, std::string_view fields)
{
    if (minor_version_ == 0)
        co_return true;
    std::string text = "HTTP/1.1 " + std::to_string(status) + ' ';
    text += http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
    text.append("\r\n").append(fields).append("\r\n");
    co_return co_await send(text);
}

awaitable<bool> DemoReply::begin(int status, std::string_view type, std::optional<std::uint64_t> length,
                                 std::string_view fields)
{
    std::string framing;
    if (length) {
        framing = "Content-Length: " + std::to_string(*length) + "\r\n";
    } else if (minor_version_ == 0) {
        keep_alive_ = false; // the end of the body is the end of the connection
    } else {
        chunked_ = true;
        framing = "Transfer-Encoding: chunked\r\n";
    }
    const std::string text = head(status, type, framing, fields);
    co_return co_await send(text);
}

awaitable<bool> DemoReply::piece(std::string_view bytes)
{
    if (head_only_ || bytes.empty())
        co_return true;
    if (!chunked_)
        co_return co_await send(bytes);
    std::array<char, 24> size{};
    const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    const std::string_view size_line{size.data(), static_cast<std::size_t>(length)};
    co_return co_await send(size_line, bytes, "\r\n");
}

awaitable<bool> DemoReply::end(std::string_view trailers)
{
    if (!chunked_ || head_only_)
        co_return true;
    co_return co_await send("0\r\n", trailers, "\r\n");
}

} // namespace gw::cli
