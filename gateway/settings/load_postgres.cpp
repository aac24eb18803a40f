#include "settings/load_postgres.hpp"

#include <algorithm>
#include <cctype>

namespace gw {
namespace {

constexpr std::string_view k_schemes[] = {"postgresql://", "postgres://"};
constexpr std::string_view k_shape = "postgresql://USER@HOST:5432/DATABASE";

std::string_view without_scheme(std::string_view url)
{
    for (const std::string_view scheme : k_schemes)
        if (url.starts_with(scheme))
            return url.substr(scheme.size());
    return {};
}

// Is all of it references?
bool is_referred(std::string_view text)
{
    while (text.starts_with("${")) {
        const auto end = text.find('}');
        if (end == std::string_view::npos)
            return false;
        text.remove_prefix(end + 1);
    }
    return text.empty();
}

// Blanks what is inside references, which may hold any character; so that places in it are those of `raw`.
std::string without_references(std::string_view raw)
{
    std::string out{raw};
    for (std::size_t at = out.find("${"); at != std::string::npos; at = out.find("${", at + 1)) {
        const std::size_t end = std::min(out.find('}', at), out.size());
        std::fill(out.begin() + static_cast<std::ptrdiff_t>(at),
                  out.begin() + static_cast<std::ptrdiff_t>(end), '$');
    }
    return out;
}

std::string percent_decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool coded = text[i] == '%' && i + 2 < text.size() &&
                           std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                           std::isxdigit(static_cast<unsigned char>(text[i + 2]));
        out +=
            coded ? static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16)) : text[i];
        i += coded ? 2 : 0;
    }
    return out;
}

// Does a secret stand in the url as it is written?
bool holds_secret(std::string_view raw)
{
    std::string_view rest = without_scheme(raw);
    const std::string plain = without_references(rest);
    const std::size_t authority = std::min(plain.find_first_of("/?"), plain.size());
    // libpq takes a user before the first '@'; whatever looks like a password up to the last one is held to
    // be one.
    if (const auto at = plain.rfind('@', authority); at != std::string::npos && at < authority)
        if (const auto colon = plain.find(':');
            colon < at && !is_referred(rest.substr(colon + 1, at - colon - 1)))
            return true;
    for (std::size_t begin = plain.find('?'); begin < plain.size();) {
        const std::size_t end = std::min(plain.find('&', begin + 1), plain.size());
        const std::size_t equals = plain.find('=', begin);
        if (equals < end) {
            const std::string name =
                percent_decoded(std::string_view{plain}.substr(begin + 1, equals - begin - 1));
            if ((name == "password" || name == "sslpassword") &&
                !is_referred(rest.substr(equals + 1, end - equals - 1)))
                return true;
        }
        begin = end;
    }
    return false;
}

void read_url(const Mapping& postgres, PostgresSettings& out)
{
    const auto url = postgres.require("url", "url: " + std::string{k_shape});
    auto text = url ? read_text(*url) : std::nullopt;
    if (!text)
        return;
    // What stands there is never repeated: it may be a password, in a place where none is expected.
    if (without_scheme(text->value).empty())
        url->error("is not the address of a PostgreSQL database; write " + std::string{k_shape});
    else if (holds_secret(url->node->text))
        url->error("a password must not stand in the file; leave it out, and write `password: ${env:NAME}` "
                   "beside it");
    else {
        if (!text->has_reference)
            out.shown_url = text->value;
        out.url = Secret{std::move(text->value)};
    }
}

} // namespace

PostgresSettings read_postgres(const Value& value)
{
    PostgresSettings out;
    const Mapping postgres{value};
    read_url(postgres, out);
    if (const auto password = postgres.find("password", Mapping::Null::as_absent))
        out.password = read_secret(*password);
    postgres.number("pool", out.pool, 1, 200);
    postgres.duration("deadline", out.deadline, milliseconds{100}, std::chrono::minutes{1});
    return out;
}

} // namespace gw
