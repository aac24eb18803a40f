// Key texts as DESIGN.md section 5 spells them.
#include "key_source.hpp"

#include <array>
#include <fstream>
#include <stdexcept>

namespace load {

namespace {

constexpr std::string_view k_base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

constexpr std::array<std::uint32_t, 256> k_crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit)
            c = (c & 1) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
    return table;
}();

std::uint32_t crc32(std::string_view text)
{
    std::uint32_t c = 0xFFFFFFFFu;
    for (const char ch : text)
        c = k_crc_table[(c ^ static_cast<unsigned char>(ch)) & 0xFF] ^ (c >> 8);
    return c ^ 0xFFFFFFFFu;
}

std::uint64_t next_random(std::uint64_t& state) // splitmix64
{
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

} // namespace

KeySource KeySource::from_file(const std::string& path)
{
    KeySource source;
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);)
        if (!line.empty())
            source.keys_.push_back(line);
    if (source.keys_.empty())
        throw std::runtime_error{"no keys in " + path};
    return source;
}

KeySource KeySource::random(std::string brand, std::uint64_t seed)
{
    KeySource source;
    source.brand_ = std::move(brand);
    source.state_ = seed;
    return source;
}

std::string_view KeySource::next()
{
    if (!keys_.empty())
        return keys_[position_++ % keys_.size()];
    made_ = brand_ + "_live_";
    for (int i = 0; i < 48; ++i) // 16 of the id, 32 of the secret
        made_ += k_base62[next_random(state_) % k_base62.size()];
    std::array<char, 6> digits{};
    std::uint32_t crc = crc32(made_);
    for (auto it = digits.rbegin(); it != digits.rend(); ++it, crc /= 62)
        *it = k_base62[crc % 62];
    made_.append(digits.data(), digits.size());
    return made_;
}

} // namespace load
