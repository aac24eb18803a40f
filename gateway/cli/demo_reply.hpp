// One response of the demo API: whole, or begun and sent piece by piece in constant memory. Knows what HTTP/1
// asks of a response's framing: HEAD and 204 have no body, HTTP/1.0 has no chunks.
#pragma once

#include "net/asio.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gw::cli {

class DemoReply {
public:
    // `socket` must outlive the reply. `head_only`: the request was HEAD.
    DemoReply(Socket& socket, bool head_only, int minor_version, bool keep_alive)
        : socket_(socket), head_only_(head_only), minor_version_(minor_version), keep_alive_(keep_alive)
    {
    }

    // Each returns false once the peer is gone; nothing more can be sent then.
    // `fields`: further whole field lines, each ending in CRLF.
    awaitable<bool> whole(int status, std::string_view type, std::string body, std::string_view fields = {});
    // An interim response (1xx), for clients of HTTP/1.1 only.
    awaitable<bool> interim(int status, std::string_view fields = {});
    // Begins a body of `length` bytes, or of unknown length: chunked, or until close for HTTP/1.0.
    awaitable<bool> begin(int status, std::string_view type, std::optional<std::uint64_t> length,
                          std::string_view fields = {});
    awaitable<bool> piece(std::string_view bytes);
    // `trailers`: whole field lines; sent only with chunks.
    awaitable<bool> end(std::string_view trailers = {});

    bool keep_alive() const noexcept { return keep_alive_; }

private:
    awaitable<bool> send(std::string_view first, std::string_view second = {}, std::string_view third = {});
    std::string head(int status, std::string_view type, std::string_view framing,
                     std::string_view fields) const;

    Socket& socket_;
    bool head_only_;
    int minor_version_;
    bool keep_alive_;
    bool chunked_ = false;
};

} // namespace gw::cli
