// Verifications in flight, and what happens to the key meanwhile.
#include "unit/verification/ladder_world.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;
using Ending = Verification::Outcome;

namespace {

// Runs `during` once, in the middle of the next verification.
void in_the_middle(Ladder& ladder, std::function<awaitable<void>()> during)
{
    ladder.before_answer = [&ladder, during = std::move(during)]() {
        auto once = during;
        ladder.before_answer = nullptr; // destroys this function: nothing of it is used from here
        return once();
    };
}

awaitable<void> revoke_and_apply(TestWorker& worker, KeyId id)
{
    Actor who = operator_actor();
    const auto revoked = co_await worker.shared.service.revoke(id, std::nullopt, std::nullopt, std::move(who));
    if (revoked)
        worker.catch_up();
}

awaitable<void> suspend_and_apply(TestWorker& worker)
{
    const AuditEntry why;
    const TenantId tenant = tenant_id("acme");
    const auto done = co_await worker.shared.tenants.set_suspended(tenant, true, why);
    if (done)
        worker.catch_up();
}

awaitable<void> rename_and_apply(TestWorker& worker, KeyId id)
{
    Actor who = operator_actor();
    KeyChanges changes;
    changes.name = "name " + std::to_string(worker.applied);
    const auto done =
        co_await worker.shared.service.update(id, std::nullopt, std::move(changes), std::nullopt, std::move(who));
    if (done)
        worker.catch_up();
}

} // namespace

TEST_CASE("ladder: a key revoked while its first use is in flight is neither answered verified nor cached",
          "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    in_the_middle(worker.ladder, [&] { return revoke_and_apply(worker, issued.record.id); });
    CHECK(worker.outcome(issued.key.reveal()) == Ending::revoked);
    CHECK(worker.outcome(issued.key.reveal()) == Ending::revoked);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: a key revoked while its refresh is in flight is not put back", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    worker.pass(5min + 1s);
    in_the_middle(worker.ladder, [&] { return revoke_and_apply(worker, issued.record.id); });
    CHECK(worker.outcome(issued.key.reveal()) == Ending::revoked);
}

TEST_CASE("ladder: a tenant suspended while a key's first use is in flight stops that key", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    in_the_middle(worker.ladder, [&] { return suspend_and_apply(worker); });
    CHECK(worker.outcome(issued.key.reveal()) == Ending::disabled);
    CHECK(worker.from_memory(issued.key.reveal()) == Ending::disabled);
}

TEST_CASE("ladder: a flight overtaken by a change is decided by the newer record, without a second bcrypt",
          "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    in_the_middle(worker.ladder, [&] { return rename_and_apply(worker, issued.record.id); });
    const Verification answer = worker.check(issued.key.reveal());
    REQUIRE(answer.outcome == Ending::verified);
    CHECK(answer.principal->key.name != "billing");
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: a record that never stops changing ends as unavailable", "[verification]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    worker.ladder.before_answer = [&] { return rename_and_apply(worker, issued.record.id); };
    CHECK(worker.outcome(issued.key.reveal()) == Ending::unavailable);
    worker.ladder.before_answer = nullptr;
    CHECK(worker.outcome(issued.key.reveal()) == Ending::verified);
}

TEST_CASE("ladder: a hundred first uses at once run one bcrypt and read the record once", "[verification]")
{
    asio::io_context context{1}; // outlives the pool, whose thread may still be posting to it
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    const auto finds = world.database.faults.calls("find");
    int verified = 0;
    for (int i = 0; i < 100; ++i)
        asio::co_spawn(context, worker.ladder.verify(issued.key.reveal(), Address{}),
                       [&](std::exception_ptr error, Verification answer) {
                           verified += !error && answer.outcome == Ending::verified ? 1 : 0;
                       });
    context.run();
    CHECK(verified == 100);
    CHECK(world.bcrypt_runs() == 1);
    CHECK(world.database.faults.calls("find") == finds + 1);
}

TEST_CASE("ladder: first uses on two workers at once share one bcrypt", "[verification]")
{
    asio::io_context first{1}, second{1}; // outlive the pool, whose thread may still be posting to them
    SharedWorld world;
    TestWorker one{world}, other{world};
    const IssuedKey issued = world.issue();
    const auto serve = [&](TestWorker& worker, asio::io_context& context, int& verified) {
        for (int i = 0; i < 20; ++i)
            asio::co_spawn(context, worker.ladder.verify(issued.key.reveal(), Address{}),
                           [&](std::exception_ptr error, Verification answer) {
                               verified += !error && answer.outcome == Ending::verified ? 1 : 0;
                           });
        context.run();
    };
    int by_one = 0, by_other = 0;
    std::thread thread{[&] { serve(other, second, by_other); }};
    serve(one, first, by_one);
    thread.join();
    CHECK(by_one == 20);
    CHECK(by_other == 20);
    CHECK(world.bcrypt_runs() == 1);
}

TEST_CASE("ladder: right and wrong secrets of one key at once each get their own answer", "[verification]")
{
    asio::io_context context{1}; // outlives the pool, whose thread may still be posting to it
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    worker.catch_up();
    std::vector<std::string> texts;
    for (int i = 0; i < 8; ++i)
        texts.push_back(i % 2 ? wrong_secret(issued.record.id) : std::string{issued.key.reveal()});
    std::vector<Ending> outcomes(texts.size(), Ending::ask);
    for (std::size_t i = 0; i < texts.size(); ++i)
        asio::co_spawn(context, worker.ladder.verify(texts[i], Address{}),
                       [&outcomes, i](std::exception_ptr, Verification answer) { outcomes[i] = answer.outcome; });
    context.run();
    for (std::size_t i = 0; i < texts.size(); ++i)
        CHECK(outcomes[i] == (i % 2 ? Ending::unknown : Ending::verified));
    CHECK(world.bcrypt_runs() == 1);
}
