// All that is known about the current request. A plain struct that the stages fill in, in their order.
#pragma once

#include "domain/network.hpp"
#include "domain/time.hpp"
#include "http1/head.hpp"
#include "http1/target.hpp"
#include "ports/rate_limiter.hpp"
#include "request/refusal.hpp"
#include "request/route_table.hpp"
#include "verification/ladder.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace gw {

// What a stage, or all of them, came to.
enum class Verdict : std::uint8_t {
    pass,           // this stage has no objection
    ask_the_stores, // memory does not know: the slow path goes on from this stage
    admitted,       // every stage has passed
    refused,        // `refusal` says why
    done,           // an upstream's response was sent, or the client left: nothing is to be answered any more
};

enum class Stage : std::uint8_t { route, authenticate, authorize, limit, forward };

struct Exchange {
    // The connection.
    Address peer;             // who is connected
    bool peer_is_trusted = false;
    Address client;           // who is asking: the peer, or what a trusted proxy says
    std::string_view client_text;
    bool draining = false;

    // The request.
    MonoTime started{};
    WallTime wall{};
    http1::RequestHead head;
    http1::Target target;
    std::string_view request_id;
    std::string_view traceparent;

    // What the stages found.
    Stage stage = Stage::route;
    const Route* route = nullptr;
    const std::string* allow = nullptr;       // of a 405
    std::string_view credential;              // the key's text
    http1::Field* credential_field = nullptr; // where it stood, if in a field
    std::string_view stripped_value;          // what is left of that field without the key (cookies)
    Verification caller;
    std::array<Charge, k_max_charges> charges{};
    std::size_t charge_count = 0;
    LimitAnswer limits;
    bool limited = false; // `limits` holds an answer

    // How it went.
    Refusal refusal = Refusal::none;
    Refusal cut = Refusal::none;              // its key ended meanwhile: set from outside, every pending operation is cancelled
    std::string_view detail;                  // for the client, static text
    std::string_view proxy_status;            // of a 502 or 504, static text
    int status = 0;                           // sent to the client; 0: none
    bool response_begun = false;
    bool broken_off = false;                  // the response is not whole, and must not look so
    bool client_gone = false;
    bool close_client = false;                // the connection cannot serve another request
    std::uint64_t bytes_in = 0, bytes_out = 0; // of bodies
    MonoTime sent_upstream{}, upstream_head{}; // zero: did not happen

    Verdict refuse(Refusal why, std::string_view explanation = {}) noexcept
    {
        refusal = why;
        detail = explanation;
        return Verdict::refused;
    }
    const Principal* principal() const noexcept { return caller.principal.get(); }
    std::span<const Charge> charged() const noexcept { return {charges.data(), charge_count}; }
};

} // namespace gw
