// Response framing (RFC 9112 section 6.3) as a client sees it.
#include "response_reader.hpp"

#include <algorithm>
#include <charconv>

namespace load {

namespace {

constexpr std::size_t k_max_head_bytes = 64 * 1024;
constexpr std::size_t k_max_line_bytes = 8 * 1024;

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

bool parse_number(std::string_view text, int base, std::uint64_t& value)
{
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return !text.empty() && ec == std::errc{} && end == text.data() + text.size();
}

} // namespace

void ResponseReader::begin(bool head_request)
{
    state_ = State::head;
    started_ = false;
    head_request_ = head_request;
    interim_heads_ = 0;
    body_bytes_ = 0;
    held_.clear();
}

std::size_t ResponseReader::feed(std::string_view input)
{
    std::size_t used = 0;
    while (used < input.size() && (state_ == State::head || state_ == State::body)) {
        started_ = true;
        const auto rest = input.substr(used);
        used += state_ == State::head ? feed_head(rest) : feed_body(rest);
    }
    return used;
}

std::size_t ResponseReader::feed_head(std::string_view input)
{
    if (held_.empty()) { // the common case: the whole head in one read, looked at in place
        if (const auto end = input.find("\r\n\r\n"); end != std::string_view::npos) {
            if (!parse_head(input.substr(0, end + 2)))
                fail();
            else
                finish_head();
            return end + 4;
        }
    }
    const std::size_t before = held_.size();
    held_.append(input);
    const auto end = held_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
        if (held_.size() > k_max_head_bytes)
            fail();
        return input.size();
    }
    const std::string head = held_.substr(0, end + 2);
    held_.clear();
    if (!parse_head(head))
        fail();
    else
        finish_head();
    return end + 4 - before;
}

bool ResponseReader::parse_head(std::string_view head)
{
    status_ = 0;
    keep_alive_ = true;
    has_length_ = false;
    remaining_ = 0;
    framing_ = Framing::until_close;

    const auto line_end = head.find("\r\n");
    const auto line = head.substr(0, line_end);
    std::uint64_t status = 0;
    if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || line[8] != ' ' || !parse_number(line.substr(9, 3), 10, status) ||
        status < 100 || (line.size() > 12 && line[12] != ' '))
        return false;
    status_ = static_cast<int>(status);
    keep_alive_ = line[7] != '0';
    head.remove_prefix(line_end + 2);
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        if (!parse_field(head.substr(0, end)))
            return false;
        head.remove_prefix(end + 2);
    }
    // Both together is how responses are smuggled: never accepted here.
    return !(has_length_ && framing_ == Framing::chunked);
}

bool ResponseReader::parse_field(std::string_view line)
{
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
        return false;
    const auto name = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    if (same(name, "content-length")) {
        if (has_length_ || !parse_number(value, 10, remaining_))
            return false;
        has_length_ = true;
    } else if (same(name, "transfer-encoding")) {
        if (!same(value, "chunked"))
            return false;
        framing_ = Framing::chunked;
    } else if (same(name, "connection")) {
        if (same(value, "close"))
            keep_alive_ = false;
        else if (same(value, "keep-alive"))
            keep_alive_ = true;
    }
    return true;
}

void ResponseReader::finish_head()
{
    if (status_ < 200 && status_ != 101) {
        ++interim_heads_;
        state_ = State::head;
        return;
    }
    if (framing_ != Framing::chunked && has_length_)
        framing_ = Framing::length;
    if (head_request_ || status_ == 204 || status_ == 304 || (framing_ == Framing::length && remaining_ == 0))
        framing_ = Framing::none;
    chunk_part_ = ChunkPart::size;
    state_ = framing_ == Framing::none ? State::complete : State::body;
    if (framing_ == Framing::until_close)
        keep_alive_ = false;
}

std::size_t ResponseReader::feed_body(std::string_view input)
{
    if (framing_ == Framing::chunked)
        return feed_chunked(input);
    if (framing_ == Framing::until_close) {
        body_bytes_ += input.size();
        return input.size();
    }
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
    remaining_ -= n;
    body_bytes_ += n;
    if (remaining_ == 0)
        state_ = State::complete;
    return n;
}

std::size_t ResponseReader::feed_chunked(std::string_view input)
{
    if (chunk_part_ == ChunkPart::data) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
        remaining_ -= n;
        body_bytes_ += n;
        if (remaining_ == 0)
            chunk_part_ = ChunkPart::data_end;
        return n;
    }
    const auto end = input.find('\n');
    const auto n = end == std::string_view::npos ? input.size() : end + 1;
    held_.append(input.substr(0, n));
    if (held_.size() > k_max_line_bytes)
        fail();
    else if (end != std::string_view::npos)
        finish_chunk_line();
    return n;
}

void ResponseReader::finish_chunk_line()
{
    const std::string line = std::move(held_);
    held_.clear();
    if (line.size() < 2 || line[line.size() - 2] != '\r')
        return fail();
    const std::string_view text{line.data(), line.size() - 2};
    switch (chunk_part_) {
    case ChunkPart::size:
        if (!parse_number(trimmed(text.substr(0, text.find(';'))), 16, remaining_))
            return fail();
        chunk_part_ = remaining_ == 0 ? ChunkPart::trailer : ChunkPart::data;
        break;
    case ChunkPart::data_end:
        if (!text.empty())
            return fail();
        chunk_part_ = ChunkPart::size;
        break;
    case ChunkPart::trailer:
        if (text.empty())
            state_ = State::complete;
        break;
    case ChunkPart::data:
        break;
    }
}

bool ResponseReader::end_of_stream()
{
    if (state_ == State::body && framing_ == Framing::until_close)
        state_ = State::complete;
    return state_ == State::complete;
}

} // namespace load
