// Random charges of several workers with leases, through the real script in a real Redis under a fake clock: calls
// that are slow, answers that are lost, leases that end unspent. No sliding window ever holds more than it may.
#include "adapters/redis/limit_script.hpp"
#include "adapters/redis/token_lease.hpp"
#include "contract/rate_limiter_contract.hpp"
#include "support/redis/redis_server.hpp"

#include <deque>

using namespace gw;
using namespace gw::test;

namespace {

// The script, with the time of the test's choice.
std::string with_clock(std::string source)
{
    const std::string call = "redis.call('TIME')";
    const std::size_t at = source.find(call);
    REQUIRE(at != std::string::npos);
    source.replace(at, call.size(), "{redis.call('GET', 'clock:s'), redis.call('GET', 'clock:us')}");
    return source;
}

struct Admission {
    MonoTime asked, answered;
};

class Simulation {
public:
    Simulation(RedisConversation& redis, const LimitPolicy& policy, unsigned seed)
        : redis_(redis), policy_(policy), random_(seed), key_("{t}" + std::to_string(seed)), workers_(3)
    {
        const redis::Reply loaded = redis_.ask({"SCRIPT", "LOAD", with_clock(redis::limit_script().source())});
        sha1_ = loaded.text;
    }

    void run(Duration length)
    {
        const MonoTime end = now_ + length;
        while (now_ < end) {
            now_ += std::chrono::microseconds{below(4) == 0 ? below(40'000) : below(800)};
            Worker& worker = workers_[below(workers_.size())];
            if (worker.call && now_ >= worker.call->answered_at)
                receive(worker);
            if (below(400) == 0)
                now_ += std::chrono::milliseconds{below(3000)}; // nobody asks, leases end
            decide(worker, 1 + below(3));
        }
    }

    const std::vector<Admission>& admitted() const noexcept { return admitted_; }
    std::uint64_t cost_admitted() const noexcept { return admitted_.size(); }
    std::uint64_t calls() const noexcept { return calls_; }
    std::uint64_t from_memory() const noexcept { return from_memory_; }

private:
    struct CallUnderWay {
        redis::CounterAsk asked;
        std::optional<redis::CallReply> reply; // what Redis did; empty: the answer is lost on its way
        MonoTime sent_at, done_at, answered_at;
    };
    struct Worker {
        redis::TokenLease lease;
        std::optional<CallUnderWay> call;
    };

    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(random_); }

    void decide(Worker& worker, std::uint64_t cost)
    {
        switch (worker.lease.check(cost, now_)) {
        case redis::TokenLease::Verdict::yes:
            worker.lease.take(cost);
            ++from_memory_;
            admit(cost, now_, now_);
            if (worker.lease.is_low(now_) && !worker.call)
                call(worker, 0);
            break;
        case redis::TokenLease::Verdict::no:
            break;
        case redis::TokenLease::Verdict::ask:
            if (!worker.call)
                call(worker, cost);
            break;
        }
        if (worker.lease.is_ending(policy_, now_) && !worker.call)
            call(worker, 0);
    }

    // Redis acts at once or after a while; calls reach it in the order of the clock, so time moves on with it.
    void call(Worker& worker, std::uint64_t need)
    {
        CallUnderWay& call = worker.call.emplace();
        call.sent_at = now_;
        worker.lease.ask(call.asked, policy_, need, below(6), now_);
        call.asked.policy = &policy_;
        call.asked.id = "h" + std::to_string(++calls_);
        now_ += std::chrono::microseconds{below(5) == 0 ? below(30'000) : below(300)};
        call.done_at = now_;
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now_ - MonoTime{}).count();
        redis_.ask({"MSET", "clock:s", std::to_string(us / 1'000'000), "clock:us", std::to_string(us % 1'000'000)});
        std::vector<std::string> words{"EVALSHA", sha1_, "1", key_};
        redis::append_arguments(words, call.asked);
        const redis::Reply reply = redis_.ask(words);
        const auto parsed = redis::parse_reply(reply, 1);
        INFO(reply.text);
        REQUIRE(parsed);
        if (below(20) != 0)
            call.reply = *parsed;
        call.answered_at = now_ + std::chrono::microseconds{below(5) == 0 ? below(1'500'000) : below(3000)};
    }

    void receive(Worker& worker)
    {
        const CallUnderWay call = *worker.call;
        worker.call.reset();
        if (!call.reply)
            return;
        const redis::CounterReply& heard = call.reply->counters[0];
        worker.lease.answered(policy_, call.asked, heard, call.sent_at, now_);
        if (call.asked.need > 0 && heard.fits) {
            worker.lease.spent(call.asked.need);
            admit(call.asked.need + heard.more, call.done_at, call.done_at); // counted when Redis charged it
        }
    }

    void admit(std::uint64_t cost, MonoTime asked, MonoTime answered)
    {
        for (std::uint64_t i = 0; i < cost; ++i)
            admitted_.push_back({asked, answered});
    }

    RedisConversation& redis_;
    const LimitPolicy& policy_;
    std::mt19937 random_;
    std::string key_, sha1_;
    std::vector<Worker> workers_;
    MonoTime now_ = MonoTime{} + 1'000'000s;
    std::vector<Admission> admitted_;
    std::uint64_t calls_ = 0, from_memory_ = 0;
};

// Over all windows that begin and end with an admission; linear in memory, quadratic in time.
double worst_window(std::vector<Admission> all, double burst, double rate)
{
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.asked < b.asked; });
    double worst = -burst;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = i; j < all.size(); ++j) {
            const double seconds = std::chrono::duration<double>(all[j].asked - all[i].asked).count();
            worst = std::max(worst, static_cast<double>(j - i + 1) - burst - rate * seconds);
        }
    return worst;
}

} // namespace

TEST_CASE("redis leases: no sliding window holds more than it may, whatever is late or lost", "[contract]")
{
    RedisServer server;
    RedisConversation redis{server.port()};
    struct Shape {
        std::uint64_t rate, burst;
    };
    for (const Shape shape : {Shape{500, 500}, Shape{300, 60}, Shape{70, 100}, Shape{2000, 200}}) {
        const LimitPolicy policy = bucket_policy("burst", shape.rate, 1s, shape.burst);
        std::uint64_t calls = 0, from_memory = 0;
        for (unsigned seed = 1; seed <= 4; ++seed) {
            Simulation simulation{redis, policy, static_cast<unsigned>(shape.rate * 100) + seed};
            simulation.run(8s);
            INFO("rate " << shape.rate << ", seed " << seed << ", admitted " << simulation.admitted().size());
            CHECK(simulation.admitted().size() >= shape.burst / 2);
            CHECK(worst_window(simulation.admitted(), static_cast<double>(shape.burst), static_cast<double>(shape.rate)) <= 1e-6);
            calls += simulation.calls();
            from_memory += simulation.from_memory();
        }
        CHECK(from_memory > 0); // leases were at work
        CHECK(calls > 0);
    }
}

TEST_CASE("redis leases: a give-back after the lease has ended does nothing", "[contract]")
{
    RedisServer server;
    RedisConversation redis{server.port()};
    const redis::Reply loaded = redis.ask({"SCRIPT", "LOAD", with_clock(redis::limit_script().source())});
    const LimitPolicy policy = bucket_policy("burst", 10, 1s, 100);
    const auto call = [&](std::int64_t ms, redis::CounterAsk asked) {
        redis.ask({"MSET", "clock:s", std::to_string(1000 + ms / 1000), "clock:us", std::to_string(ms % 1000 * 1000)});
        asked.policy = &policy;
        std::vector<std::string> words{"EVALSHA", loaded.text, "1", "counter"};
        redis::append_arguments(words, asked);
        return redis::parse_reply(redis.ask(words), 1)->counters[0];
    };
    redis::CounterAsk take;
    take.need = 50;
    take.want = 8;
    take.id = "a";
    const redis::CounterReply lent = call(0, take);
    CHECK(lent.lent == 5); // half of the room that 10 % of the burst leave
    CHECK(lent.level == 45);
    redis::CounterAsk back;
    back.lease = "a";
    back.give = 5;
    SECTION("in time: the tokens are there again, once")
    {
        CHECK(call(500, back).level == 55);
        CHECK(call(500, back).level == 55);
    }
    SECTION("too late: they are not")
    {
        CHECK(call(1000, back).level == 55);
        CHECK(call(1000, back).level == 55);
    }
}

TEST_CASE("redis leases: what is lent keeps the bucket from filling until it ends", "[contract]")
{
    RedisServer server;
    RedisConversation redis{server.port()};
    const redis::Reply loaded = redis.ask({"SCRIPT", "LOAD", with_clock(redis::limit_script().source())});
    const LimitPolicy policy = bucket_policy("burst", 1000, 1s, 100);
    const auto call = [&](std::int64_t ms, std::uint64_t want) {
        redis.ask({"MSET", "clock:s", std::to_string(1000 + ms / 1000), "clock:us", std::to_string(ms % 1000 * 1000)});
        redis::CounterAsk asked;
        asked.policy = &policy;
        asked.want = want;
        asked.id = "l" + std::to_string(ms);
        std::vector<std::string> words{"EVALSHA", loaded.text, "1", "counter"};
        redis::append_arguments(words, asked);
        return redis::parse_reply(redis.ask(words), 1)->counters[0];
    };
    CHECK(call(0, 10).lent == 5);
    CHECK(call(0, 10).lent == 3);
    CHECK(call(500, 0).level == 92);
    CHECK(call(999, 0).level == 92);
    CHECK(call(1000, 0).level == 92); // both end now, and only now does it fill again
    CHECK(call(1003, 0).level == 95);
    CHECK(call(2000, 0).level == 100);
}
