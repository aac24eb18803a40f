// Finding the route of a request in a table of three and of a thousand routes.
#include "bench/micro/timing.hpp"
#include "request/route_table.hpp"

#include <string>
#include <vector>

using namespace gw;

namespace {

Route route(std::string id, std::string host, std::string path, std::vector<http1::Method> methods,
            std::vector<std::string> names)
{
    Route made;
    made.id = std::move(id);
    made.host = std::move(host);
    made.path = std::move(path);
    made.methods = std::move(methods);
    made.method_names = std::move(names);
    return made;
}

void time_match(const char* name, const RouteTable& table, std::string_view host, std::string_view path)
{
    bench::time_operation(name, [&](std::size_t) {
        const RouteMatch match = table.match(host, path, http1::Method::get, "GET");
        bench::require(match.route != nullptr, "no route was found");
        bench::keep(match);
    });
}

} // namespace

int main()
{
    using http1::Method;
    std::vector<Route> few;
    few.push_back(route("orders-read", "api.example.com", "/v1/orders/**", {Method::get, Method::head}, {"GET", "HEAD"}));
    few.push_back(route("orders-write", "api.example.com", "/v1/orders/**", {Method::post}, {"POST"}));
    few.push_back(route("rest", "", "/**", {}, {}));
    time_match("route match: 3 routes, literal then **", RouteTable::compile(std::move(few)), "api.example.com",
               "/v1/orders/42");

    std::vector<Route> many;
    for (int i = 0; i < 1000; ++i) {
        const std::string n = std::to_string(i);
        many.push_back(route("r" + n, "api.example.com", "/v1/service" + n + "/items/{id}/parts/{part}", {Method::get}, {"GET"}));
    }
    time_match("route match: 1000 routes, 6 segments", RouteTable::compile(std::move(many)), "api.example.com",
               "/v1/service777/items/4711/parts/a");
}
