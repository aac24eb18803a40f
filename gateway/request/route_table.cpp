// The compiled routes. Per host pattern a tree of path segments whose children are found by hash; a node has
// at most one child each for `{x}` and `*`, and an endpoint where a path may end and where `**` takes the
// rest. A node lies at one depth, so that however often the search turns back it visits no node twice.
#include "request/route_table.hpp"

#include "domain/path_pattern.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace gw {
namespace {

constexpr std::int32_t k_none = -1;
constexpr std::size_t k_max_host_bytes = 255;
using http1::Method;
constexpr std::size_t k_methods = static_cast<std::size_t>(Method::other) + 1;
constexpr std::array<std::string_view, k_methods> k_method_names{
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", ""};

Method method_of(std::string_view name) noexcept
{
    const auto found = std::find(k_method_names.begin(), k_method_names.end(), name);
    return found == k_method_names.end() ? Method::other
                                         : static_cast<Method>(found - k_method_names.begin());
}

std::uint64_t load(const char* bytes, std::size_t count) noexcept
{
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, count);
    return word;
}

// Words at a time, since it runs for every segment of every request. Not against floods: the table never
// grows with traffic, so that a collision costs one comparison and no more.
std::uint64_t hash_of(std::string_view text) noexcept
{
    constexpr std::uint64_t k_odd = 0x9E3779B97F4A7C15u;
    const char* bytes = text.data();
    std::size_t left = text.size();
    std::uint64_t hash = left * k_odd;
    for (; left >= 8; bytes += 8, left -= 8) {
        hash = (hash ^ load(bytes, 8)) * k_odd;
        hash ^= hash >> 32;
    }
    if (left >= 4)
        hash ^= load(bytes, 4) | (load(bytes + left - 4, 4) << 32);
    else
        for (std::size_t i = 0; i < left; ++i)
            hash ^= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    hash *= k_odd;
    return hash ^ (hash >> 29);
}

// A fixed map from texts to indices: open addressing, at most half full.
class TextIndex {
public:
    std::int32_t find(std::string_view text) const noexcept
    {
        if (slots_.empty())
            return k_none;
        const std::uint64_t hash = hash_of(text);
        for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
            const Slot& slot = slots_[i];
            if (slot.value == k_none || (slot.hash == hash && slot.text == text))
                return slot.value;
        }
    }

    void insert(std::string_view text, std::int32_t value)
    {
        if (++count_ * 2 > slots_.size()) {
            std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::bit_ceil(count_ * 4)));
            for (Slot& slot : old)
                if (slot.value != k_none)
                    place(std::move(slot));
        }
        place(Slot{hash_of(text), value, std::string{text}});
    }

    bool empty() const noexcept { return count_ == 0; }

private:
    struct Slot {
        std::uint64_t hash = 0;
        std::int32_t value = k_none;
        std::string text;
    };

    void place(Slot slot)
    {
        std::size_t i = slot.hash & (slots_.size() - 1);
        while (slots_[i].value != k_none)
            i = (i + 1) & (slots_.size() - 1);
        slots_[i] = std::move(slot);
    }

    std::vector<Slot> slots_;
    std::size_t count_ = 0;
};

struct Node {
    TextIndex literals;
    std::int32_t parameter = k_none, any = k_none; // nodes
    std::int32_t end = k_none, rest = k_none;      // endpoints
};

// What answers on one path shape: a route per method, or one for all.
struct Endpoint {
    std::array<std::int32_t, k_methods> by_method; // `other` is not used
    std::vector<std::pair<std::string, std::int32_t>> others;
    std::int32_t all_methods = k_none;
    std::string allow; // for the 405

    Endpoint() { by_method.fill(k_none); }

    std::int32_t find(Method method, std::string_view text) const noexcept
    {
        if (all_methods != k_none)
            return all_methods;
        if (method == Method::other) {
            for (const auto& [name, route] : others)
                if (name == text)
                    return route;
            return k_none;
        }
        const std::int32_t route = by_method[static_cast<std::size_t>(method)];
        if (route == k_none && method == Method::head)
            return by_method[static_cast<std::size_t>(Method::get)];
        return route;
    }

    void write_allow()
    {
        const auto add = [this](std::string_view name) {
            if (!allow.empty())
                allow += ", ";
            allow += name;
        };
        for (std::size_t i = 0; i < k_methods; ++i)
            if (i != static_cast<std::size_t>(Method::other) && find(static_cast<Method>(i), {}) != k_none)
                add(k_method_names[i]);
        for (const auto& [name, route] : others)
            add(name);
    }
};

std::string lower_case(std::string_view text)
{
    std::string lower{text};
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lower;
}

// `host` in lower case and without the root's dot, in `out`; empty if it is longer than any host that is
// declared.
std::string_view fold_host(std::string_view host, std::array<char, k_max_host_bytes>& out) noexcept
{
    if (!host.empty() && host.back() == '.')
        host.remove_suffix(1);
    if (host.size() > out.size())
        return {};
    for (std::size_t i = 0; i < host.size(); ++i) {
        const char c = host[i];
        out[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return {out.data(), host.size()};
}

} // namespace

struct RouteTable::Nodes {
    std::vector<Route> routes;
    std::vector<Node> nodes;
    std::vector<Endpoint> endpoints;
    TextIndex exact_hosts;    // "api.example.com" -> its root
    TextIndex wildcard_hosts; // ".example.com" -> its root
    std::int32_t any_host = k_none;

    void add(const Route& route, std::int32_t index);
    const Endpoint* find(std::string_view host, std::string_view path) const noexcept;

private:
    std::int32_t root_of(std::string_view host);
    std::int32_t child_of(std::int32_t parent, const PathPattern::Segment& segment);
    std::int32_t endpoint_of(std::int32_t node, bool rest);
    std::int32_t new_node();
    std::int32_t descend(std::int32_t at, std::string_view rest, bool ended) const noexcept;
};

std::int32_t RouteTable::Nodes::new_node()
{
    nodes.emplace_back();
    return static_cast<std::int32_t>(nodes.size() - 1);
}

std::int32_t RouteTable::Nodes::root_of(std::string_view host)
{
    if (host.empty())
        return any_host == k_none ? any_host = new_node() : any_host;
    std::string name = lower_case(host);
    if (name.back() == '.')
        name.pop_back();
    const bool wildcard = name.starts_with("*.");
    if (wildcard)
        name.erase(0, 1);
    TextIndex& hosts = wildcard ? wildcard_hosts : exact_hosts;
    std::int32_t root = hosts.find(name);
    if (root == k_none)
        hosts.insert(name, root = new_node());
    return root;
}

std::int32_t RouteTable::Nodes::child_of(std::int32_t parent, const PathPattern::Segment& segment)
{
    const auto node = static_cast<std::size_t>(parent);
    std::int32_t child = segment.kind == PathPattern::Kind::literal ? nodes[node].literals.find(segment.text)
                         : segment.kind == PathPattern::Kind::parameter ? nodes[node].parameter
                                                                        : nodes[node].any;
    if (child != k_none)
        return child;
    child = new_node();
    if (segment.kind == PathPattern::Kind::literal)
        nodes[node].literals.insert(segment.text, child);
    else if (segment.kind == PathPattern::Kind::parameter)
        nodes[node].parameter = child;
    else
        nodes[node].any = child;
    return child;
}

std::int32_t RouteTable::Nodes::endpoint_of(std::int32_t node, bool rest)
{
    Node& owner = nodes[static_cast<std::size_t>(node)];
    std::int32_t& endpoint = rest ? owner.rest : owner.end;
    if (endpoint == k_none) {
        endpoint = static_cast<std::int32_t>(endpoints.size());
        endpoints.emplace_back();
    }
    return endpoint;
}

void RouteTable::Nodes::add(const Route& route, std::int32_t index)
{
    const auto pattern = PathPattern::parse(route.path);
    if (!pattern)
        throw std::logic_error("route " + route.id + ": the path " + pattern.error());

    std::int32_t node = root_of(route.host);
    bool rest = false;
    for (const PathPattern::Segment& segment : pattern->segments()) {
        rest = segment.kind == PathPattern::Kind::rest;
        if (!rest)
            node = child_of(node, segment);
    }

    Endpoint& endpoint = endpoints[static_cast<std::size_t>(endpoint_of(node, rest))];
    const auto tie = [&route] { throw std::logic_error("route " + route.id + " ties with another"); };
    const bool taken =
        !endpoint.others.empty() || std::any_of(endpoint.by_method.begin(), endpoint.by_method.end(),
                                                [](std::int32_t declared) { return declared != k_none; });
    if (endpoint.all_methods != k_none || (route.methods.empty() && taken))
        tie();
    if (route.methods.empty())
        endpoint.all_methods = index;
    for (std::size_t i = 0; i < route.methods.size(); ++i) {
        if (route.methods[i] == Method::other) {
            if (endpoint.find(Method::other, route.method_names[i]) != k_none)
                tie();
            endpoint.others.emplace_back(route.method_names[i], index);
            continue;
        }
        std::int32_t& slot = endpoint.by_method[static_cast<std::size_t>(route.methods[i])];
        if (slot != k_none)
            tie();
        slot = index;
    }
}

// The endpoint that wins what is left of the path below node `at`, or none. The order of the attempts is the
// precedence; DESIGN.md section 3.
std::int32_t RouteTable::Nodes::descend(std::int32_t at, std::string_view rest, bool ended) const noexcept
{
    const Node& node = nodes[static_cast<std::size_t>(at)];
    if (ended)
        return node.end != k_none ? node.end : node.rest;

    const std::size_t slash = rest.find('/');
    const bool last = slash == std::string_view::npos;
    const std::string_view segment = rest.substr(0, slash);
    const std::string_view below = last ? std::string_view{} : rest.substr(slash + 1);

    std::int32_t found = k_none;
    if (const std::int32_t child = node.literals.find(segment); child != k_none)
        found = descend(child, below, last);
    if (found == k_none && node.parameter != k_none && !segment.empty())
        found = descend(node.parameter, below, last);
    if (found == k_none && node.any != k_none && !segment.empty())
        found = descend(node.any, below, last);
    return found != k_none ? found : node.rest;
}

const Endpoint* RouteTable::Nodes::find(std::string_view host, std::string_view path) const noexcept
{
    const auto below = [this, path](std::int32_t root) noexcept -> const Endpoint* {
        const std::int32_t found = root == k_none ? k_none : descend(root, path.substr(1), false);
        return found == k_none ? nullptr : &endpoints[static_cast<std::size_t>(found)];
    };
    if (!exact_hosts.empty() || !wildcard_hosts.empty()) {
        std::array<char, k_max_host_bytes> buffer;
        const std::string_view name = fold_host(host, buffer);
        if (const Endpoint* endpoint = below(exact_hosts.find(name)))
            return endpoint;
        // From the left: the longest suffix that is declared is the most specific one. One label at least
        // stands before it.
        for (std::size_t dot = name.find('.', 1); !wildcard_hosts.empty() && dot < name.size();
             dot = name.find('.', dot + 1))
            if (const Endpoint* endpoint = below(wildcard_hosts.find(name.substr(dot))))
                return endpoint;
    }
    return below(any_host);
}

RouteTable::RouteTable() : nodes_(std::make_unique<Nodes>()) {}
RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

RouteTable RouteTable::compile(std::vector<Route> routes)
{
    RouteTable table;
    Nodes& nodes = *table.nodes_;
    nodes.routes = std::move(routes);
    for (std::size_t i = 0; i < nodes.routes.size(); ++i) {
        Route& route = nodes.routes[i];
        route.index = static_cast<std::uint32_t>(i);
        // Either list may be given; the other is written from it.
        if (route.methods.empty())
            for (const std::string& name : route.method_names)
                route.methods.push_back(method_of(name));
        else if (route.method_names.empty())
            for (const Method method : route.methods)
                route.method_names.emplace_back(k_method_names[static_cast<std::size_t>(method)]);
        if (route.methods.size() != route.method_names.size())
            throw std::logic_error("route " + route.id + ": methods and method_names differ");
        nodes.add(route, static_cast<std::int32_t>(i));
    }
    for (Endpoint& endpoint : nodes.endpoints)
        endpoint.write_allow();
    return table;
}

RouteMatch RouteTable::match(std::string_view host, std::string_view path, Method method,
                             std::string_view method_text) const noexcept
{
    if (path.empty() || path[0] != '/')
        return {};
    const Endpoint* endpoint = nodes_->find(host, path);
    if (endpoint == nullptr)
        return {};
    const std::int32_t route = endpoint->find(method, method_text);
    if (route == k_none)
        return {nullptr, &endpoint->allow};
    return {&nodes_->routes[static_cast<std::size_t>(route)], nullptr};
}

std::span<const Route> RouteTable::routes() const noexcept
{
    return nodes_->routes;
}

} // namespace gw
