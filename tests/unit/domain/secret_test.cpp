// Secrets leave nothing behind; comparisons look at everything.
#include "domain/secret.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

using namespace gw;

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string_view> &&
              !std::is_convertible_v<std::string, Secret>);

namespace {

// The bytes of a destroyed Secret. A short text lies within the object, so it can be looked at afterwards.
template <class F>
std::string bytes_after_destruction(F use)
{
    alignas(Secret) std::array<char, sizeof(Secret)> storage;
    storage.fill('\1');
    auto* secret = new (storage.data()) Secret{std::string{"hunter2hunter2"}};
    use(*secret);
    secret->~Secret();
    std::string bytes(storage.size(), '\0');
    std::memcpy(bytes.data(), storage.data(), storage.size());
    return bytes;
}

} // namespace

TEST_CASE("Secret: destruction overwrites the text", "[domain]")
{
    CHECK(bytes_after_destruction([](Secret&) {}).find("hunter2") == std::string::npos);
}

TEST_CASE("Secret: moving leaves nothing in the source", "[domain]")
{
    Secret source{std::string{"hunter2hunter2"}};
    const Secret target{std::move(source)};

    CHECK(target.reveal() == "hunter2hunter2");
    CHECK(source.empty());
    const std::string left{reinterpret_cast<const char*>(&source), sizeof source};
    CHECK(left.find("hunter2") == std::string::npos);
}

TEST_CASE("Secret: taking a string over leaves nothing in the string", "[domain]")
{
    std::string text = "hunter2hunter2";
    const Secret secret{std::move(text)};

    CHECK(secret.reveal() == "hunter2hunter2");
    const std::string left{reinterpret_cast<const char*>(&text), sizeof text};
    CHECK(left.find("hunter2") == std::string::npos);
}

TEST_CASE("Secret: assignment replaces the text, also by itself and by a clone", "[domain]")
{
    Secret secret{std::string{"first"}};
    secret = Secret{std::string(100, 'x')};
    CHECK(secret.reveal() == std::string(100, 'x'));
    Secret& same = secret;
    secret = std::move(same);
    CHECK(secret.reveal() == std::string(100, 'x'));
    const Secret copy = secret.clone();
    secret = Secret{};
    CHECK(secret.empty());
    CHECK(copy.reveal() == std::string(100, 'x'));
}

TEST_CASE("wipe: overwrites exactly what it is given", "[domain]")
{
    char buffer[] = "abcdef";
    wipe(buffer + 1, 3);
    CHECK(std::string_view{buffer, 6} == std::string_view{"a\0\0\0ef", 6});
    wipe(nullptr, 0);
}

TEST_CASE("equal_constant_time: same size and same bytes", "[domain]")
{
    CHECK(equal_constant_time(std::string_view{"abc"}, std::string_view{"abc"}));
    CHECK(equal_constant_time(std::string_view{}, std::string_view{}));
    CHECK_FALSE(equal_constant_time(std::string_view{"abc"}, std::string_view{"abd"}));
    CHECK_FALSE(equal_constant_time(std::string_view{"xbc"}, std::string_view{"abc"}));
    CHECK_FALSE(equal_constant_time(std::string_view{"abc"}, std::string_view{"abcd"}));
    const std::array<unsigned char, 3> a{1, 2, 3}, b{1, 2, 4};
    CHECK(equal_constant_time(a, a));
    CHECK_FALSE(equal_constant_time(a, b));
}
