// One request to the server and what its answer means, before anybody looks into the body. Knows the fields that
// every request carries, keeps the circuit and says in the log when the server goes and comes back.
// One executor, that of the HttpClient.
#pragma once

#include "adapters/hashicorp/circuit.hpp"
#include "adapters/hashicorp/options.hpp"
#include "net/http_client.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gw::hashicorp {

using Deadline = HttpClient::Deadline;

struct Answer {
    unsigned status = 0; // 0: none came
    bool in_doubt = false; // none came, and the request may have been carried out
    bool timed_out = false;
    WipedString body;
};

class Server {
public:
    // `options` must outlive the server. Throws std::runtime_error if the TLS settings cannot be used.
    Server(Executor executor, const VaultOptions& options);

    // Nothing is sent while this is so.
    bool is_known_dead() const noexcept { return circuit_.is_open(); }

    // `path` is what follows /v1/. `token` may be empty. All must outlive the await.
    awaitable<Answer> ask(std::string_view method, const std::string& path, std::string_view token, const WipedString& body,
                          Deadline deadline);
    // Asks for the server's health; standbys that serve requests are fine.
    awaitable<void> probe(Deadline deadline);

    // Probes while the server is dead, and now and then while nothing else is asked. Ends by cancellation.
    awaitable<void> watch();

    // Called when the server answers again after it was known dead.
    std::function<void()> on_return;

    // At most one line for each event in ten seconds: a misconfigured server would write one for every request.
    void complain(std::string_view event, std::string_view what, const Answer& answer);

private:
    void judge(const HttpReply& reply, bool is_probe);
    void note_failure(std::string_view detail);
    void note_success();

    Executor executor_;
    const VaultOptions& options_;
    HttpClient http_;
    Circuit circuit_;
    Timer pause_;
    bool watch_paused_ = false;
    Deadline heard_from_{};
    std::string last_complaint_;
    Deadline complained_at_{};
};

// The server's own words: the `errors` of its answer, at most 200 bytes.
std::string errors_in(const Answer& answer);

} // namespace gw::hashicorp
