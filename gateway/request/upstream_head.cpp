// See upstream_head.hpp.
#include "request/upstream_head.hpp"

#include "domain/principal.hpp"
#include "request/header_rules.hpp"

namespace gw {

void write_upstream_head(const Exchange& x, RequestMemory& memory, const UpstreamPool::Options& upstream)
{
    std::array<char, 48> peer_text;
    UpstreamHeadContext context{x.head, x.target};
    context.client_address = x.client_text;
    if (x.peer_is_trusted)
        context.peer_address = x.peer.write(peer_text);
    context.peer_is_trusted = x.peer_is_trusted;
    context.request_id = x.request_id;
    context.traceparent = x.traceparent;
    if (const Principal* caller = x.principal())
        context.identity_fields = caller->identity_fields;
    if (x.route->strip_credentials) {
        context.strip_credential = x.credential_field;
        context.stripped_value = x.stripped_value;
    } else {
        context.kept_credential = x.credential_field;
    }
    if (x.head.host.empty())
        context.upstream_host = upstream.authority; // HTTP/1.0 without a Host
    context.body = x.head.body;
    memory.upstream_head.clear();
    gw::write_upstream_head(memory.upstream_head, context);
}

} // namespace gw
