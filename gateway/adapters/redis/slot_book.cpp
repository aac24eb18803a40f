#include "adapters/redis/slot_book.hpp"

#include <algorithm>

namespace gw::redis {

namespace {

using namespace std::chrono_literals;

constexpr auto k_renew_after = 1500ms;
// A slot may be freed at any time, so a refusal holds for a moment only.
constexpr auto k_hold = 10ms;
// Of a large limit, a slot that was freed is kept until the next renewal: the next request may use it.
constexpr std::uint64_t k_kept_part = 20;

} // namespace

SlotBook::Verdict SlotBook::check(MonoTime now) const noexcept
{
    if (used_ + asked_ < granted_)
        return Verdict::yes;
    return now < refused_until_ ? Verdict::no : Verdict::ask;
}

void SlotBook::release(const LimitPolicy& policy) noexcept
{
    used_ -= std::min<std::uint64_t>(used_, 1);
    refused_until_ = {};
    if (granted_ > used_ + asked_ + policy.concurrency / k_kept_part)
        changed_ = true;
}

void SlotBook::ask(CounterAsk& out) noexcept
{
    ++asked_;
    out.need = used_ + asked_;
    out.sequence = ++sequence_;
}

void SlotBook::answered(bool admitted, const CounterAsk& asked, const CounterReply& reply, MonoTime now) noexcept
{
    asked_ -= std::min<std::uint64_t>(asked_, 1);
    others_ = static_cast<std::uint64_t>(std::max<std::int64_t>(0, reply.extra));
    if (admitted && reply.fits) {
        // What was told since, with a higher number, is what Redis holds now.
        granted_ = asked.sequence > told_sequence_ ? asked.need : std::min(asked.need, told_);
        told_at_ = now;
    } else if (!reply.fits) {
        refused_until_ = now + k_hold;
    }
}

void SlotBook::unanswered() noexcept
{
    asked_ -= std::min<std::uint64_t>(asked_, 1);
    changed_ = true;
}

bool SlotBook::wants_telling(MonoTime now) const noexcept
{
    if (changed_ || used_ > granted_)
        return true;
    if (granted_ == 0 && used_ == 0)
        return false;
    return now - told_at_ >= k_renew_after;
}

void SlotBook::tell(CounterAsk& out, MonoTime now) noexcept
{
    out.need = used_ + asked_;
    out.want = 1;
    out.sequence = told_sequence_ = ++sequence_;
    told_ = out.need;
    granted_ = std::min(granted_, told_); // what is given up is not used any more
    changed_ = false;
    told_at_ = now;
}

void SlotBook::told(bool heard, const CounterAsk& asked) noexcept
{
    if (!heard)
        changed_ = true;
    else if (asked.sequence == sequence_)
        granted_ = asked.need;
}

std::uint64_t SlotBook::remaining(const LimitPolicy& policy) const noexcept
{
    const std::uint64_t taken = others_ + used_;
    return policy.concurrency - std::min(policy.concurrency, taken);
}

bool SlotBook::fits_share(const LimitPolicy& policy, unsigned workers) const noexcept
{
    return used_ < std::max<std::uint64_t>(1, policy.concurrency / std::max(1u, workers));
}

} // namespace gw::redis
