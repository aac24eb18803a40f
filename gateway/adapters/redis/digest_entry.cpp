// See digest_entry.hpp.
#include "adapters/redis/digest_entry.hpp"

#include <algorithm>

namespace gw::redis {
namespace {

constexpr char k_format = 1;
constexpr std::size_t k_head_bytes = 10, k_version_bytes = 4 + std::tuple_size_v<Sha256>;

void append_number(std::string& out, std::uint64_t number, unsigned bytes)
{
    for (unsigned shift = 8 * bytes; shift > 0; shift -= 8)
        out.push_back(static_cast<char>(number >> (shift - 8)));
}

std::uint64_t number_in(std::string_view bytes)
{
    std::uint64_t number = 0;
    for (const char c : bytes)
        number = number << 8 | static_cast<unsigned char>(c);
    return number;
}

} // namespace

result<std::string> digest_entry_text(const VerifiedDigests& digests)
{
    if (digests.pepper_id.size() > 255)
        return errc::invalid;
    std::string text;
    text.reserve(k_head_bytes + digests.pepper_id.size() + digests.versions.size() * k_version_bytes);
    text.push_back(k_format);
    append_number(text, digests.record_version, 8);
    append_number(text, digests.pepper_id.size(), 1);
    text.append(digests.pepper_id);
    for (const VerifiedDigests::Version& version : digests.versions) {
        append_number(text, version.number, 4);
        text.append(version.digest.begin(), version.digest.end());
    }
    return text;
}

result<VerifiedDigests> digest_entry_in(std::string_view text)
{
    if (text.size() < k_head_bytes || text.front() != k_format)
        return errc::corrupt;
    VerifiedDigests digests;
    digests.record_version = number_in(text.substr(1, 8));
    const auto id_bytes = static_cast<std::size_t>(number_in(text.substr(9, 1)));
    text.remove_prefix(k_head_bytes);
    if (text.size() < id_bytes || (text.size() - id_bytes) % k_version_bytes != 0)
        return errc::corrupt;
    digests.pepper_id = text.substr(0, id_bytes);
    for (text.remove_prefix(id_bytes); !text.empty(); text.remove_prefix(k_version_bytes)) {
        VerifiedDigests::Version& version = digests.versions.emplace_back();
        version.number = static_cast<std::uint32_t>(number_in(text.substr(0, 4)));
        const std::string_view digest = text.substr(4, version.digest.size());
        std::copy(digest.begin(), digest.end(), version.digest.begin());
    }
    return digests;
}

} // namespace gw::redis
