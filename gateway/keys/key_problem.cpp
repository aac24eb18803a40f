#include "keys/key_problem.hpp"

namespace gw {

namespace {

KeyProblem problem(KeyProblem::Kind kind, std::string detail)
{
    KeyProblem out;
    out.kind = kind;
    out.detail = std::move(detail);
    return out;
}

} // namespace

KeyProblem problem_of(const error_code& fault)
{
    // A full queue passes by itself; anything else unexpected (corrupt, invalid) was logged where it happened.
    return problem(KeyProblem::Kind::unavailable, "a store or the vault is out of reach (" + fault.message() +
                                                      "); nothing was changed, try again");
}

KeyProblem field_problem(std::string pointer, std::string detail)
{
    KeyProblem out = problem(KeyProblem::Kind::invalid, pointer + ": " + detail);
    out.fields.push_back({std::move(pointer), std::move(detail)});
    return out;
}

KeyProblem not_found()
{
    return problem(KeyProblem::Kind::not_found, "there is no such key");
}

KeyProblem conflict(std::string detail)
{
    return problem(KeyProblem::Kind::conflict, std::move(detail));
}

KeyProblem stale()
{
    return problem(KeyProblem::Kind::stale, "the key was changed since it was read; read it again");
}

} // namespace gw
