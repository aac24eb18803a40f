// The category behind gw::errc: what a fault is called in a log.
#include "domain/errors.hpp"

#include <string>

namespace gw {
namespace {

class GatewayCategory final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "gateway"; }

    std::string message(int code) const override
    {
        switch (static_cast<errc>(code)) {
        case errc::unavailable:
            return "the store did not answer";
        case errc::conflict:
            return "the stored version or name does not match";
        case errc::not_found:
            return "the object does not exist";
        case errc::corrupt:
            return "the stored bytes do not decode or do not authenticate";
        case errc::busy:
            return "a queue is full";
        case errc::invalid:
            return "the arguments can never succeed";
        case errc::in_doubt:
            return "the store did not say whether it was done";
        }
        return "unknown gateway error " + std::to_string(code);
    }
};

} // namespace

const boost::system::error_category& gateway_category() noexcept
{
    static const GatewayCategory category;
    return category;
}

} // namespace gw
