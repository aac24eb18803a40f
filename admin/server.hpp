// The operators' listener: an HTTP/1.1 server of its own, apart from the data path, on the control
// io_context. Sockets, timeouts and framing are here; what is answered is admin/endpoints.
//
// One thread: construct, start, stop and destroy on the thread that runs `context`, or while it does not run.
#pragma once

#include "admin/endpoints.hpp"
#include "net/asio.hpp"

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace gw {

struct AdminListen {
    std::string host;       // an IP literal
    std::uint16_t port = 0; // 0: any free one
};

struct AdminOptions {
    std::vector<AdminListen> listen;
    std::string public_url; // "http://localhost:8081"; https adds Strict-Transport-Security
    bool with_api = true;   // false: only /metrics, /livez, /readyz
    std::uint64_t body_bytes = 1024 * 1024;
    std::uint32_t head_bytes = 16 * 1024;
    std::size_t connections = 256;
    std::chrono::milliseconds read_timeout{15'000}; // from the first wait for a request to its last byte
    std::chrono::milliseconds write_timeout{30'000};
    std::chrono::milliseconds idle_timeout{60'000}; // between two requests
};

class AdminServer {
public:
    // All that `services` refers to, and `context`, must outlive the server.
    AdminServer(asio::io_context& context, AdminOptions options, AdminServices services, ManagementAuth auth);
    // All sessions must have ended: await stop() first, or never run `context` again.
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    // Binds every address and begins to accept. Throws boost::system::system_error that names the address.
    void start();
    // The bound ports, in the order of `listen`.
    std::vector<std::uint16_t> ports() const;
    // Accepts no more, closes idle connections at once and the others after their answer, or hard after
    // `grace`. Returns when every session has ended.
    awaitable<void> stop(std::chrono::milliseconds grace);

private:
    struct Session;
    awaitable<void> accept_connections(Acceptor& acceptor);
    awaitable<void> serve(Session& session);
    awaitable<bool> serve_one(Session& session);
    awaitable<bool> read_request(Session& session, ApiRequest& request);
    awaitable<bool> write_response(Session& session, const ApiRequest& request, ApiResponse response,
                                   const std::string& request_id, bool keep_alive);
    void begin(Socket socket);

    asio::io_context& context_;
    AdminOptions options_;
    AdminApi api_;
    std::list<Acceptor> acceptors_;
    std::list<std::unique_ptr<Session>> sessions_;
    std::size_t accepting_ = 0; // accept loops that have not ended
    bool stopping_ = false;
    Timer ended_; // cancelled whenever a session or an accept loop ends
};

} // namespace gw
