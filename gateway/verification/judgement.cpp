#include "verification/judgement.hpp"

#include "keys/pepper_ring.hpp"

namespace gw {

using Proof = KnownVersion::Proof;

Judgement judge_by_hash(const KnownVersions& versions, const Sha256& presented, WallTime now) noexcept
{
    Judgement judgement{Judgement::Kind::mismatch, 0};
    for (const auto& version : versions) {
        const bool is_live = now < version.ends_at;
        if (version.proof == Proof::secret && equal_constant_time(version.value, presented))
            return {is_live ? Judgement::Kind::matched : Judgement::Kind::ended, version.number};
        if (version.proof != Proof::secret && is_live)
            judgement.kind = Judgement::Kind::open;
    }
    return judgement;
}

Judgement judge(const KnownVersions& versions, const Sha256& presented, std::string_view secret, const KeyRecord& record,
                WallTime now)
{
    const Judgement by_hash = judge_by_hash(versions, presented, now);
    if (by_hash.kind != Judgement::Kind::open)
        return by_hash;
    for (const auto& version : versions) {
        if (version.proof != Proof::digest || !version.pepper || version.ends_at <= now)
            continue;
        const Sha256 digest =
            api_key_digest(version.pepper->value.reveal(), record.tenant, record.id, version.number, secret);
        if (equal_constant_time(version.value, digest))
            return {Judgement::Kind::candidate, version.number};
    }
    return {versions.is_complete(now) ? Judgement::Kind::mismatch : Judgement::Kind::open, 0};
}

Verification answer_of(std::shared_ptr<const Principal> principal, std::uint32_t version, WallTime now) noexcept
{
    Verification answer;
    const KeyRecord& record = principal->key;
    if (record.is_expired(now))
        answer.outcome = Verification::Outcome::expired;
    else if (record.status != KeyStatus::active || record.tenant_suspended)
        answer.outcome = Verification::Outcome::disabled;
    else
        answer.outcome = Verification::Outcome::verified;
    answer.principal = std::move(principal);
    answer.version = version;
    return answer;
}

} // namespace gw
