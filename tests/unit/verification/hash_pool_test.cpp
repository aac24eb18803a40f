#include "verification/hash_pool.hpp"

#include "support/run_awaitable.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using Verdict = HashPool::Verdict;

namespace {

KeyId id(char c)
{
    return *KeyId::parse(std::string(16, c));
}

struct Asked {
    std::vector<std::pair<int, Verdict>> answers; // in order
    void ask(asio::io_context& context, HashPool& pool, int name, const KeyId& key, std::string_view secret,
             const std::string& hash)
    {
        asio::co_spawn(context, pool.verify(key, 1, secret, hash),
                       [this, name](std::exception_ptr, Verdict verdict) { answers.emplace_back(name, verdict); });
    }
};

} // namespace

TEST_CASE("hash_pool: says whether a secret has a hash", "[verification]")
{
    Metrics metrics{std::vector<std::string>{}};
    HashPool pool{1, 4, metrics};
    const std::string hash = hash_api_key("secret", 4);
    CHECK(run(pool.verify(id('a'), 1, "secret", hash)) == Verdict::matches);
    CHECK(run(pool.verify(id('a'), 1, "other", hash)) == Verdict::differs);
    CHECK(metrics.bcrypt_runs.value() == 2);
}

TEST_CASE("hash_pool: those who ask the same at once share one run", "[verification]")
{
    asio::io_context context{1}; // outlives the pool, whose thread may still be posting to it
    Metrics metrics{std::vector<std::string>{}};
    HashPool pool{2, 4, metrics};
    const std::string hash = hash_api_key("secret", 4);
    Asked asked;
    for (int i = 0; i < 50; ++i)
        asked.ask(context, pool, i, id('a'), "secret", hash);
    context.run();
    REQUIRE(asked.answers.size() == 50);
    for (const auto& [name, verdict] : asked.answers)
        CHECK(verdict == Verdict::matches);
    CHECK(metrics.bcrypt_runs.value() == 1);
}

TEST_CASE("hash_pool: another hash of the same version is another run", "[verification]")
{
    Metrics metrics{std::vector<std::string>{}};
    HashPool pool{1, 4, metrics};
    CHECK(run(pool.verify(id('a'), 1, "secret", hash_api_key("secret", 4))) == Verdict::matches);
    CHECK(run(pool.verify(id('a'), 1, "secret", hash_api_key("other", 4))) == Verdict::differs);
}

TEST_CASE("hash_pool: a full queue refuses at once, counts it, and serves the rest", "[verification]")
{
    asio::io_context context{1}; // outlives the pool, whose thread may still be posting to it
    Metrics metrics{std::vector<std::string>{}};
    HashPool pool{1, 2, metrics};
    const std::string hash = hash_api_key("secret", 8); // slow enough to fill the queue behind it
    Asked asked;
    for (int i = 0; i < 10; ++i)
        asked.ask(context, pool, i, id(static_cast<char>('a' + i)), "secret", hash);
    context.run();
    REQUIRE(asked.answers.size() == 10);
    const auto overloaded = std::count_if(asked.answers.begin(), asked.answers.end(),
                                          [](const auto& answer) { return answer.second == Verdict::overloaded; });
    CHECK(overloaded >= 7); // one runs, two wait
    CHECK(overloaded <= 8); // or the thread had not taken the first yet
    CHECK(metrics.hash_queue_refusals.value() == static_cast<std::uint64_t>(overloaded));
    CHECK(metrics.hash_queue_depth.value() == 0);
}

TEST_CASE("hash_pool: different secrets are run in the order they came", "[verification]")
{
    asio::io_context context{1}; // outlives the pool, whose thread may still be posting to it
    Metrics metrics{std::vector<std::string>{}};
    HashPool pool{1, 16, metrics};
    const std::string hash = hash_api_key("secret", 4);
    Asked asked;
    for (int i = 0; i < 8; ++i)
        asked.ask(context, pool, i, id(static_cast<char>('a' + i)), "secret", hash);
    context.run();
    for (int i = 0; i < 8; ++i)
        CHECK(asked.answers.at(static_cast<std::size_t>(i)).first == i);
}

TEST_CASE("hash_pool: stopping answers those who wait, and later ones too", "[verification]")
{
    asio::io_context context{1}; // outlives the pool, whose thread may still be posting to it
    Metrics metrics{std::vector<std::string>{}};
    HashPool pool{1, 16, metrics};
    const std::string hash = hash_api_key("secret", 8);
    Asked asked;
    for (int i = 0; i < 5; ++i)
        asked.ask(context, pool, i, id(static_cast<char>('a' + i)), "secret", hash);
    context.poll();
    pool.stop();
    context.restart();
    context.run();
    CHECK(asked.answers.size() == 5);
    CHECK(run(pool.verify(id('z'), 1, "secret", hash)) == Verdict::overloaded);
}
