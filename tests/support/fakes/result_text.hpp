// Lets Catch2 show a result<T> of any T: whether there is a value, else the error.
#pragma once

#include <boost/system/result.hpp>
#include <catch2/catch.hpp>

#include <string>

template <class T, class E>
struct Catch::StringMaker<boost::system::result<T, E>> {
    static std::string convert(const boost::system::result<T, E>& result)
    {
        if (result)
            return "value";
        if constexpr (requires { result.error().message(); })
            return "error: " + result.error().message();
        else if constexpr (requires { result.error().detail; })
            return "error: " + result.error().detail;
        else
            return "error";
    }
};
