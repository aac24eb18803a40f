#include "limiting/rate_limit_fields.hpp"

#include "domain/token_bucket.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace gw {

namespace {

// Appends whole list items to a fixed buffer, or leaves an item out.
class ItemList {
public:
    explicit ItemList(std::span<char> buffer) : buffer_(buffer) {}

    void begin(std::string_view separator) noexcept
    {
        fits_ = true;
        start_ = size_;
        if (size_ > 0)
            append(separator);
    }
    void append(std::string_view text) noexcept
    {
        if (text.size() > buffer_.size() - size_) {
            fits_ = false;
            return;
        }
        std::copy(text.begin(), text.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += text.size();
    }
    // A structured field's string, and JSON's as well: printable ASCII, quote and backslash escaped.
    void append_quoted(std::string_view text) noexcept
    {
        append("\"");
        for (const char c : text) {
            if (c == '"' || c == '\\')
                append("\\");
            const char shown = c >= 0x20 && c <= 0x7E ? c : '?';
            append({&shown, 1});
        }
        append("\"");
    }
    void append_parameter(std::string_view name, std::uint64_t value) noexcept
    {
        // RFC 9651 section 3.3.1: integers have at most 15 digits.
        constexpr std::uint64_t k_largest = 999'999'999'999'999;
        std::array<char, 20> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), std::min(value, k_largest)).ptr;
        append(name);
        append({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    bool end() noexcept
    {
        if (!fits_)
            size_ = start_;
        return fits_;
    }
    void undo_last() noexcept { size_ = start_; }
    std::string_view view() const noexcept { return {buffer_.data(), size_}; }

private:
    std::span<char> buffer_;
    std::size_t size_ = 0, start_ = 0;
    bool fits_ = true;
};

std::uint64_t capacity_of(const LimitPolicy& policy) noexcept
{
    switch (policy.kind) {
    case LimitPolicy::Kind::bucket:
        return policy.burst;
    case LimitPolicy::Kind::quota:
        return policy.quota;
    case LimitPolicy::Kind::concurrency:
        break;
    }
    return policy.concurrency;
}

// Seconds since the epoch at which `t` has passed. A quota's window ends at a whole second, of which `t` is the
// rounded-up distance; a bucket's is rounded up, so that who waits for it does not come too early.
std::int64_t reset_epoch(const LimitPolicy& policy, std::int64_t reset_seconds, WallTime wall) noexcept
{
    const auto now = policy.kind == LimitPolicy::Kind::quota ? std::chrono::floor<std::chrono::seconds>(wall)
                                                             : std::chrono::ceil<std::chrono::seconds>(wall);
    return now.time_since_epoch().count() + reset_seconds;
}

} // namespace

void RateLimitFields::write(std::span<const Charge> charges, const LimitAnswer& answer, WallTime wall) noexcept
{
    ItemList policies{policy_buffer_}, states{item_buffer_};
    const Charge* tightest = nullptr;
    LimitAnswer::State tightest_state;
    for (std::size_t i = 0; i < std::min(charges.size(), k_max_charges); ++i) {
        const LimitPolicy& policy = *charges[i].policy;
        const LimitAnswer::State& state = answer.states[i];
        if (!policy.enforce)
            continue;
        const auto order = [](const LimitAnswer::State& s) { return std::tuple{!s.violated, s.remaining, -s.reset_seconds}; };
        // The trio has no words for requests under way.
        const bool counts = policy.kind != LimitPolicy::Kind::concurrency;
        if (counts && (tightest == nullptr || order(state) < order(tightest_state))) {
            tightest = &charges[i];
            tightest_state = state;
        }
        policies.begin(", ");
        policies.append_quoted(policy.name);
        policies.append_parameter(";q=", capacity_of(policy));
        if (!counts) // a quota unit of the draft; it has neither a window nor a time of reset
            policies.append(";qu=\"concurrent-requests\"");
        else
            policies.append_parameter(";w=", static_cast<std::uint64_t>(window_seconds(policy, wall)));
        if (!policies.end())
            continue;
        states.begin(", ");
        states.append_quoted(policy.name);
        states.append_parameter(";r=", state.remaining);
        if (counts)
            states.append_parameter(";t=", static_cast<std::uint64_t>(std::max<std::int64_t>(0, state.reset_seconds)));
        if (!states.end())
            policies.undo_last();
    }
    policy_items = policies.view();
    items = states.view();
    limit = tightest != nullptr ? capacity_of(*tightest->policy) : 0;
    remaining = tightest_state.remaining;
    reset_epoch_seconds = tightest != nullptr ? reset_epoch(*tightest->policy, tightest_state.reset_seconds, wall) : 0;
}

std::string_view write_violated_policies(std::span<const Charge> charges, const LimitAnswer& answer,
                                         std::span<char> out) noexcept
{
    ItemList names{out};
    for (std::size_t i = 0; i < std::min(charges.size(), k_max_charges); ++i) {
        if (!answer.states[i].violated || !charges[i].policy->enforce)
            continue;
        names.begin(",");
        names.append_quoted(charges[i].policy->name);
        names.end();
    }
    return names.view();
}

} // namespace gw
