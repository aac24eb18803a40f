// What known versions say about a presented secret, and what a verified one means. Pure.
#pragma once

#include "verification/digest_cache.hpp"
#include "verification/ladder.hpp"

namespace gw {

struct Judgement {
    enum class Kind : std::uint8_t {
        matched,   // the secret of live version `version`, verified
        ended,     // the secret of a version that has ended
        candidate, // has the digest of live version `version`; not verified yet
        open,      // of some live version nothing is known
        mismatch,  // all live versions are known, and it is none of them
    };
    Kind kind = Kind::open;
    std::uint32_t version = 0;
};

// By SHA-256 alone: `candidate` is reported as `open`. No allocation.
Judgement judge_by_hash(const KnownVersions& versions, const Sha256& presented, WallTime now) noexcept;
// By SHA-256, then by digest.
Judgement judge(const KnownVersions& versions, const Sha256& presented, std::string_view secret, const KeyRecord& record,
                WallTime now);

// Verified, expired or disabled: what possession of the secret of `version` is worth by this record.
Verification answer_of(std::shared_ptr<const Principal> principal, std::uint32_t version, WallTime now) noexcept;

inline Verification answer_of(Verification::Outcome outcome) noexcept
{
    Verification answer;
    answer.outcome = outcome;
    return answer;
}

} // namespace gw
