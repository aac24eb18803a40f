#include "http1/body_framing.hpp"

#include "http1/field_name.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace gw::http1 {
namespace {

// Extensions carry nothing that we pass on; they must not be a way to make us read for ever.
constexpr std::uint32_t k_max_line_extension_bytes = 256;
constexpr std::uint32_t k_max_all_extension_bytes = 64 * 1024;
constexpr int k_max_size_digits = 16;
constexpr std::uint64_t k_max_chunk_bytes = INT64_MAX;

} // namespace

BodyReader::BodyReader(BodyKind kind, std::uint64_t content_length, std::size_t max_trailer_bytes) noexcept
    : kind_(kind), complete_(kind == BodyKind::none || (kind == BodyKind::length && content_length == 0)),
      remaining_(kind == BodyKind::length ? content_length : 0), max_trailer_bytes_(max_trailer_bytes)
{
}

BodyReader::BodyReader(const BodyReader& other) noexcept
{
    *this = other;
}

BodyReader& BodyReader::operator=(const BodyReader& other) noexcept
{
    kind_ = other.kind_;
    complete_ = other.complete_;
    state_ = other.state_;
    size_digits_ = other.size_digits_;
    remaining_ = other.remaining_;
    payload_bytes_ = other.payload_bytes_;
    line_extension_bytes_ = other.line_extension_bytes_;
    all_extension_bytes_ = other.all_extension_bytes_;
    trailer_section_bytes_ = other.trailer_section_bytes_;
    max_trailer_bytes_ = other.max_trailer_bytes_;
    trailer_size_ = other.trailer_size_;
    trailer_line_size_ = other.trailer_line_size_;
    std::memmove(trailers_, other.trailers_, trailer_size_ + trailer_line_size_);
    return *this;
}

BodyReader::Step BodyReader::next(std::string_view input) noexcept
{
    using State = Step::State;
    if (complete_)
        return {0, {}, State::complete};
    if (kind_ == BodyKind::until_close) {
        payload_bytes_ += input.size();
        return {input.size(), input, State::more};
    }
    std::size_t at = 0;
    if (kind_ == BodyKind::chunked) {
        for (; at < input.size() && state_ != ChunkState::data && !complete_; ++at) {
            if (!frame(input[at])) {
                state_ = ChunkState::broken;
                return {at, {}, State::broken};
            }
        }
        if (complete_ || state_ != ChunkState::data)
            return {at, {}, complete_ ? State::complete : State::more};
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
    const std::string_view payload = input.substr(at, size);
    remaining_ -= size;
    payload_bytes_ += size;
    if (remaining_ == 0) {
        complete_ = kind_ == BodyKind::length;
        state_ = ChunkState::data_cr;
    }
    return {at + size, payload, complete_ ? State::complete : State::more};
}

bool BodyReader::end_of_stream() noexcept
{
    if (kind_ == BodyKind::until_close)
        complete_ = true;
    return complete_;
}

// One byte that is not payload; false if it cannot stand here.
bool BodyReader::frame(char c) noexcept
{
    switch (state_) {
    case ChunkState::size_start:
    case ChunkState::size:
        return frame_size(c);
    case ChunkState::before_extension:
    case ChunkState::extension:
        return frame_extension(c);
    case ChunkState::size_lf:
        state_ = remaining_ == 0 ? ChunkState::trailer_start : ChunkState::data;
        return c == '\n';
    case ChunkState::data_cr:
        state_ = ChunkState::data_lf;
        return c == '\r';
    case ChunkState::data_lf:
        state_ = ChunkState::size_start;
        size_digits_ = 0;
        return c == '\n';
    case ChunkState::trailer_start:
    case ChunkState::trailer:
    case ChunkState::trailer_lf:
        return frame_trailer(c);
    case ChunkState::end_lf:
        complete_ = c == '\n';
        return complete_;
    case ChunkState::data:
    case ChunkState::broken:
        return false;
    }
    return false;
}

bool BodyReader::frame_size(char c) noexcept
{
    if (const int digit = hex_value(c); digit >= 0) {
        if (++size_digits_ > k_max_size_digits || remaining_ > (k_max_chunk_bytes >> 4))
            return false;
        remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(digit);
        state_ = ChunkState::size;
        return true;
    }
    if (state_ == ChunkState::size_start)
        return false;
    line_extension_bytes_ = 0;
    if (c == '\r')
        state_ = ChunkState::size_lf;
    else if (c == ';')
        state_ = ChunkState::extension;
    else if (c == ' ' || c == '\t')
        state_ = ChunkState::before_extension;
    else
        return false;
    return true;
}

bool BodyReader::frame_extension(char c) noexcept
{
    if (state_ == ChunkState::extension && c == '\r') {
        state_ = ChunkState::size_lf;
        return true;
    }
    // White space may only stand before a ';' (RFC 9112 section 7.1.1), not before the line's end.
    if (state_ == ChunkState::before_extension && c != ' ' && c != '\t') {
        state_ = ChunkState::extension;
        return c == ';';
    }
    return !is_control(c) && ++line_extension_bytes_ <= k_max_line_extension_bytes &&
           ++all_extension_bytes_ <= k_max_all_extension_bytes;
}

bool BodyReader::frame_trailer(char c) noexcept
{
    if (++trailer_section_bytes_ > max_trailer_bytes_)
        return false;
    if (state_ == ChunkState::trailer_lf) {
        state_ = ChunkState::trailer_start;
        return c == '\n' && end_trailer_line();
    }
    if (c == '\r') {
        state_ = state_ == ChunkState::trailer_start ? ChunkState::end_lf : ChunkState::trailer_lf;
        return true;
    }
    if (state_ == ChunkState::trailer_start && !is_in(c, k_token)) // an empty name, or a folded line
        return false;
    state_ = ChunkState::trailer;
    return !is_control(c) && keep_trailer_byte(c);
}

bool BodyReader::keep_trailer_byte(char c) noexcept
{
    if (trailer_size_ + trailer_line_size_ == k_trailer_capacity)
        return false;
    trailers_[trailer_size_ + trailer_line_size_++] = c;
    return true;
}

bool BodyReader::end_trailer_line() noexcept
{
    const std::string_view line{trailers_ + trailer_size_, trailer_line_size_};
    const std::size_t colon = line.find(':');
    if (colon == line.npos)
        return false;
    const std::string_view name = line.substr(0, colon);
    if (!std::all_of(name.begin(), name.end(), [](char c) { return is_in(c, k_token); }))
        return false;
    if (may_be_trailer(name)) {
        if (!keep_trailer_byte('\r') || !keep_trailer_byte('\n'))
            return false;
        trailer_size_ += trailer_line_size_;
    }
    trailer_line_size_ = 0;
    return true;
}

std::size_t write_chunk_header(char* out, std::uint64_t size) noexcept
{
    char* end = std::to_chars(out, out + 16, size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    return static_cast<std::size_t>(end - out);
}

} // namespace gw::http1
