// The strict head parser. Order: the line and control rules of head_scan, then Beast's basic_parser for the
// fields, then the framing rules; the first refusal counts, and is the same however the bytes arrive.
#include "http1/head_parser.hpp"

#include "http1/field_name.hpp"
#include "http1/framing_rules.hpp"
#include "http1/head_scan.hpp"
#include "http1/target.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <cstdint>

namespace gw::http1 {
namespace {

using enum ParseResult::Status;
using boost::beast::http::error;
using boost::system::error_code;
using BeastText = boost::beast::string_view;

constexpr ParseResult k_fine{complete, HeadError::none, ""};

constexpr ParseResult refuse(HeadError why, const char* detail) noexcept
{
    return {refused, why, detail};
}

// Keeps views of what Beast's parser finds. Bodies are never given to it.
template <bool is_request>
class HeadCollector final : public boost::beast::http::basic_parser<is_request> {
public:
    HeadCollector(std::span<Field> storage, std::size_t max_fields) noexcept
        : storage_(storage.first(std::min(storage.size(), max_fields)))
    {
        this->header_limit(UINT32_MAX); // head_scan has bounded the head
        this->body_limit(boost::none);
    }

    ParseResult collect(std::string_view head)
    {
        error_code ec;
        const std::size_t used = this->put(boost::asio::const_buffer{head.data(), head.size()}, ec);
        if (overflow_)
            return refuse(HeadError::too_many_fields, "the head has more fields than this gateway accepts");
        if (ec)
            return describe(ec);
        if (used != head.size() || !this->is_header_done())
            return refuse(HeadError::malformed, "the head is malformed");
        list_.fields = storage_.first(count_);
        return k_fine;
    }
    const FieldList& list() const noexcept { return list_; }
    BeastText reason() const noexcept { return reason_; }
    int status() const noexcept { return status_; }

private:
    static ParseResult describe(const error_code& ec) noexcept
    {
        if (ec == error::bad_content_length || ec == error::multiple_content_length)
            return refuse(HeadError::ambiguous_framing,
                          "Content-Length is not one decimal number, or contradicts another framing field");
        if (ec == error::bad_transfer_encoding)
            return refuse(HeadError::ambiguous_framing,
                          "Transfer-Encoding is repeated or stands beside Content-Length");
        if (ec == error::bad_field)
            return refuse(HeadError::malformed, "a field name is not a token directly followed by a colon");
        if (ec == error::bad_value)
            return refuse(HeadError::malformed, "a field value is malformed");
        if (ec == error::bad_version || ec == error::bad_status || ec == error::bad_reason)
            return refuse(HeadError::malformed, "the status line is malformed");
        return refuse(HeadError::malformed, "the head is malformed");
    }

    void on_request_impl(boost::beast::http::verb, BeastText, BeastText, int, error_code&) override {}
    void on_response_impl(int code, BeastText reason, int, error_code&) override
    {
        status_ = code;
        reason_ = reason;
    }
    void on_field_impl(boost::beast::http::field, BeastText name, BeastText value, error_code& ec) override
    {
        if (count_ == storage_.size()) {
            overflow_ = true;
            ec = error::header_limit;
            return;
        }
        const FieldName id = classify_field(name);
        storage_[count_++] = Field{name, value, id, false};
        const std::uint64_t bit = FieldList::bit(id);
        list_.repeated |= list_.seen & bit;
        list_.seen |= bit;
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(BeastText, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, BeastText, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, BeastText, error_code&) override { return 0; }
    void on_finish_impl(error_code&) override {}

    std::span<Field> storage_;
    std::size_t count_ = 0;
    FieldList list_;
    BeastText reason_;
    int status_ = 0;
    bool overflow_ = false;
};

// need_more is only true while the head may still become small enough.
ParseResult within_limit(ParseResult result, std::size_t received, const HeadLimits& limits) noexcept
{
    if (result.status == need_more && received >= limits.head_bytes)
        return refuse(HeadError::head_too_large, "the head is larger than this gateway accepts");
    return result;
}

ParseResult check_request_line(const RequestLine& line, RequestHead& head) noexcept
{
    if (line.major_version != 1 || line.minor_version > 1)
        return refuse(HeadError::unsupported_version, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    head.method_text = line.method;
    head.method = classify_method(line.method);
    if (head.method == Method::other || head.method == Method::connect || head.method == Method::trace)
        return refuse(HeadError::unknown_method, "this method is not forwarded");
    head.target = line.target;
    head.minor_version = line.minor_version;
    if (line.target.front() == '/' || (line.target == "*" && head.method == Method::options))
        return k_fine;
    std::string_view authority, rest;
    if (!split_absolute_form(line.target, authority, rest))
        return refuse(HeadError::malformed, "the request target is neither a path nor an http URL");
    if (!is_valid_host(authority))
        return refuse(HeadError::bad_host, "the authority of the request target is not a valid host");
    head.host = authority;
    return k_fine;
}

ParseResult read_host(const FieldList& list, RequestHead& head) noexcept
{
    if (!list.has(FieldName::host))
        return refuse(HeadError::bad_host, "Host is missing");
    if (list.has_several(FieldName::host))
        return refuse(HeadError::bad_host, "Host is given more than once");
    const std::string_view host = list.get(FieldName::host).value;
    if (!is_valid_host(host))
        return refuse(HeadError::bad_host, "Host is not a valid host name or address with an optional port");
    if (head.host.empty()) // an absolute-form target's authority takes its place (RFC 9112 section 3.2.2)
        head.host = host;
    return k_fine;
}

ParseResult read_expectation(const FieldList& list, RequestHead& head) noexcept
{
    // HTTP/1.0 clients cannot expect anything (RFC 9110 section 10.1.1).
    if (!list.has(FieldName::expect) || head.minor_version == 0)
        return k_fine;
    for (const Field& field : list.fields) {
        if (field.id == FieldName::expect && !equals_without_case(field.value, "100-continue"))
            return refuse(HeadError::unknown_expectation,
                          "the only expectation that can be met is 100-continue");
    }
    head.expect_continue = true;
    return k_fine;
}

ParseResult interpret_request(const FieldList& list, RequestHead& head) noexcept
{
    Framing framing;
    if (const auto result = read_framing(list, head.minor_version, framing); result.status != complete)
        return result;
    head.body = framing.chunked ? BodyKind::chunked : framing.has_length ? BodyKind::length : BodyKind::none;
    head.content_length = framing.length;
    if (const auto result = read_host(list, head); result.status != complete)
        return result;
    ConnectionOptions options;
    if (const auto result = read_connection(list, options); result.status != complete)
        return result;
    head.keep_alive = !options.close && (head.minor_version == 1 || options.keep_alive);
    if (options.upgrade && list.has(FieldName::upgrade) && head.minor_version == 1)
        head.upgrade = list.get(FieldName::upgrade).value;
    if (list.has(FieldName::te))
        head.has_trailer_te = has_list_member(list, FieldName::te, "trailers");
    return read_expectation(list, head);
}

ParseResult interpret_response(const FieldList& list, bool to_head_request, ResponseHead& head) noexcept
{
    Framing framing;
    if (const auto result = read_framing(list, head.minor_version, framing); result.status != complete)
        return result;
    const bool interim = head.status < 200;
    const bool announces_body = framing.chunked || framing.length != 0;
    if (interim && announces_body)
        return refuse(HeadError::ambiguous_framing, "an interim response announces a body");
    head.has_content_length = framing.has_length;
    head.content_length = framing.length;
    if (interim || to_head_request || head.status == 204 || head.status == 304)
        head.body = BodyKind::none;
    else
        head.body = framing.chunked      ? BodyKind::chunked
                    : framing.has_length ? BodyKind::length
                                         : BodyKind::until_close;
    ConnectionOptions options;
    if (const auto result = read_connection(list, options); result.status != complete)
        return result;
    // A 204 that announces a body may well send one: nothing more is read from that connection.
    head.keep_alive = !options.close && (head.minor_version == 1 || options.keep_alive) &&
                      head.body != BodyKind::until_close && !(head.status == 204 && announces_body);
    return k_fine;
}

} // namespace

ParseResult parse_request_head(std::string_view input, std::span<Field> storage, const HeadLimits& limits,
                               RequestHead& head) noexcept
{
    const std::string_view bounded = input.substr(0, limits.head_bytes);
    // One empty line may precede a request (RFC 9112 section 2.2).
    const std::size_t skipped = bounded.starts_with("\r\n") ? 2 : 0;
    const std::string_view rest = bounded.substr(skipped);
    if (rest.empty() || bounded == "\r")
        return within_limit({}, input.size(), limits);

    RequestLine line;
    ParseResult result = scan_request_line(rest, limits.target_bytes, line);
    if (result.status != complete)
        return within_limit(result, input.size(), limits);
    head = {};
    result = check_request_line(line, head);
    if (result.status != complete)
        return result;

    std::size_t field_bytes = 0;
    result = scan_lines(rest.substr(line.size), true, field_bytes);
    if (result.status != complete)
        return within_limit(result, input.size(), limits);

    HeadCollector<true> collector{storage, limits.fields};
    result = collector.collect(rest.substr(0, line.size + field_bytes));
    if (result.status != complete)
        return result;
    head.fields = collector.list().fields;
    head.head_bytes = skipped + line.size + field_bytes;
    return interpret_request(collector.list(), head);
}

ParseResult parse_response_head(std::string_view input, std::span<Field> storage, const HeadLimits& limits,
                                bool to_head_request, ResponseHead& head) noexcept
{
    const std::string_view bounded = input.substr(0, limits.head_bytes);
    constexpr std::string_view protocol = "HTTP/1.";
    const std::size_t known = std::min(bounded.size(), protocol.size());
    if (bounded.substr(0, known) != protocol.substr(0, known))
        return refuse(HeadError::malformed, "the response does not begin with HTTP/1");
    if (bounded.size() > protocol.size() && bounded[protocol.size()] != '0' &&
        bounded[protocol.size()] != '1')
        return refuse(HeadError::unsupported_version, "the response is neither HTTP/1.0 nor HTTP/1.1");

    std::size_t size = 0;
    ParseResult result = scan_lines(bounded, false, size);
    if (result.status != complete)
        return within_limit(result, input.size(), limits);

    HeadCollector<false> collector{storage, limits.fields};
    result = collector.collect(bounded.substr(0, size));
    if (result.status != complete)
        return result;
    head = {};
    head.status = collector.status();
    if (head.status < 100 || head.status > 599)
        return refuse(HeadError::malformed, "the status code is not between 100 and 599");
    head.reason = collector.reason();
    head.minor_version = bounded[protocol.size()] - '0';
    head.fields = collector.list().fields;
    head.head_bytes = size;
    return interpret_response(collector.list(), to_head_request, head);
}

} // namespace gw::http1
