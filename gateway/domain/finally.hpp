// Runs a callable at scope end, also when the scope is left by an exception.
#pragma once

#include <utility>

namespace gw {

template <class F>
class [[nodiscard]] Finally {
public:
    explicit Finally(F f) noexcept : f_(std::move(f)) {}
    Finally(const Finally&) = delete;
    Finally& operator=(const Finally&) = delete;
    ~Finally() { f_(); }

private:
    F f_;
};

} // namespace gw
