// Which API key the next request carries: none, one after another from a file, or well-formed random ones
// (right shape, right CRC-32, unknown to every store), which is what a flood of strangers looks like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace load {

class KeySource {
public:
    KeySource() = default;
    // One key a line, used round-robin; throws std::runtime_error if the file has none.
    static KeySource from_file(const std::string& path);
    // `<brand>_live_<key_id><secret><crc>` with random key_id and secret. Not for issuing keys: not secret.
    static KeySource random(std::string brand, std::uint64_t seed);

    bool empty() const noexcept { return keys_.empty() && brand_.empty(); }
    // Valid until the next call.
    std::string_view next();

private:
    std::vector<std::string> keys_;
    std::size_t position_ = 0;
    std::string brand_;
    std::uint64_t state_ = 0;
    std::string made_;
};

} // namespace load
