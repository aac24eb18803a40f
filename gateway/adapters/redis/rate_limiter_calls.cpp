// What goes to Redis: charges for requests, leases renewed and given back, slots, and the charges of an outage that
// has ended.
#include "adapters/redis/rate_limiter.hpp"
#include "domain/finally.hpp"
#include "observe/log.hpp"

#include <algorithm>

namespace gw::redis {

namespace {

constexpr int k_max_rounds = 2 * static_cast<int>(k_max_charges) + 16;

void append_hex(std::string& out, std::uint64_t value)
{
    constexpr char k_digits[] = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4)
        out += k_digits[(value >> shift) & 15];
}

char kind_letter(LimitPolicy::Kind kind)
{
    return kind == LimitPolicy::Kind::bucket ? 'b' : kind == LimitPolicy::Kind::quota ? 'q' : 'c';
}

} // namespace

// One call: counters of one hash tag, in order.
struct RateLimiter::Call {
    std::vector<WorkerCounter*> counters;
    std::vector<CounterAsk> asks;
    std::vector<std::uint64_t> owed; // of the backlogs: what the counters' next call must carry if this one fails
    std::uint64_t number = 0;
    MonoTime sent_at{};

    void add(WorkerCounter& counter, CounterAsk ask)
    {
        ++counter.pins;
        counters.push_back(&counter);
        asks.push_back(std::move(ask));
    }
    ~Call()
    {
        for (WorkerCounter* counter : counters)
            --counter->pins;
    }
};

void RateLimiter::prepare(WorkerCounter& counter, const LimitPolicy& policy, const CounterId& id)
{
    counter.policy = policy;
    counter.key = options_.key_prefix + ":l1:{";
    append_hex(counter.key, counter.slot);
    counter.key += "}:";
    for (const std::uint64_t part : {id.policy.high, id.policy.low, id.partition.high, id.partition.low})
        append_hex(counter.key, part);
    counter.key += ':';
    counter.key += kind_letter(policy.kind);
}

std::string RateLimiter::call_id(std::uint64_t number) const
{
    return holder_ + '.' + std::to_string(number);
}

awaitable<std::optional<CallReply>> RateLimiter::send(Call& call)
{
    std::vector<std::string> keys, arguments;
    call.number = ++calls_;
    for (std::size_t i = 0; i < call.asks.size(); ++i) {
        CounterAsk& asked = call.asks[i];
        WorkerCounter& counter = *call.counters[i];
        // Slots are the holder's, whatever the call; all else is named by the call.
        asked.policy = &counter.policy;
        asked.id = counter.policy.kind == LimitPolicy::Kind::concurrency ? holder_ : call_id(call.number);
        call.owed.push_back(std::exchange(counter.backlog, 0));
        asked.backlog += call.owed.back();
        keys.push_back(counter.key);
        append_arguments(arguments, asked);
    }
    metrics_.limiter_calls.add();
    call.sent_at = options_.mono_now();
    awaitable<result<Reply>> running = client_.run(limit_script(), keys, arguments);
    const result<Reply> reply = co_await std::move(running);
    std::optional<CallReply> parsed;
    if (reply)
        parsed = parse_reply(*reply, call.asks.size());
    if (parsed) {
        answered(call.sent_at);
        co_return parsed;
    }
    if (reply && reply->is_error())
        log(LogLevel::warn, "limiter.redis_error", {{"error", reply->text}});
    for (std::size_t i = 0; i < call.owed.size(); ++i)
        call.counters[i]->backlog += call.owed[i];
    failed(reply ? make_error_code(errc::unavailable) : reply.error(), call.counters.front()->key, call.sent_at);
    co_return parsed;
}

awaitable<void> RateLimiter::charge(std::span<const Charge> charges, std::uint64_t cost, LimitAnswer& answer)
{
    Attempt a{charges.first(std::min(charges.size(), k_max_charges)), cost, answer};
    for (int round = 0; round < k_max_rounds; ++round) {
        if (attempt(a, options_.mono_now()))
            co_return;
        const auto flying = std::find_if(a.seats.begin(), a.seats.begin() + a.charges.size(), [](const Seat& seat) {
            return seat.verdict == Verdict::ask && seat.counter->flight;
        });
        if (flying != a.seats.begin() + a.charges.size())
            co_await wait_for(*flying, cost);
        else
            co_await ask(a);
    }
    // Others took whatever was fetched: as if no answer had come.
    for (Seat& seat : a.seats)
        seat.gave_up = true;
    attempt(a, options_.mono_now());
}

// Until the call under way for the counter has been answered: the client's deadline sees to that.
awaitable<void> RateLimiter::wait_for(Seat& seat, std::uint64_t cost)
{
    WorkerCounter& counter = *seat.counter;
    const std::shared_ptr<LimitFlight> flight = counter.flight;
    Timer alarm{executor_, MonoTime::max()};
    flight->waiters.push_back(&alarm);
    flight->waiting += cost;
    ++counter.pins;
    const auto leave = [&] {
        std::erase(flight->waiters, &alarm);
        --counter.pins;
    };
    const Finally left{leave};
    [[maybe_unused]] const auto [ec] = co_await alarm.async_wait(no_throw);
    counter.waiting -= std::min(counter.waiting, cost);
    seat.gave_up = flight->has_failed;
    if (flight->handed < cost)
        co_return;
    flight->handed -= cost;
    seat.is_paid = true;
    seat.charge_number = 0; // cannot be undone: it was charged together with others
    counter.lease.spent(cost);
}

// Asks about the counters that are missing, those of one hash tag; what others share comes before the tenant's.
awaitable<void> RateLimiter::ask(Attempt& a)
{
    Call call;
    std::vector<std::size_t> seats;
    const auto asks = [&](std::size_t i) { return a.seats[i].verdict == Verdict::ask; };
    std::size_t first = a.charges.size();
    for (std::size_t i = 0; i < a.charges.size(); ++i) {
        const CountedPer per = a.charges[i].policy->per;
        if (asks(i) && (first == a.charges.size() || per == CountedPer::route || per == CountedPer::ip))
            first = i;
    }
    const MonoTime now = options_.mono_now();
    for (std::size_t i = 0; i < a.charges.size(); ++i) {
        WorkerCounter& counter = *a.seats[i].counter;
        if (!asks(i) || counter.slot != a.seats[first].counter->slot)
            continue;
        const LimitPolicy& policy = *a.charges[i].policy;
        if (counter.policy.kind != policy.kind) {
            CounterId id = a.charges[i].counter;
            if (a.seats[i].is_shared)
                id.partition = k_overflow;
            prepare(counter, policy, id);
        } else if (counter.policy != policy) {
            counter.policy = policy;
        }
        CounterAsk asked;
        if (policy.kind == LimitPolicy::Kind::concurrency)
            counter.slots.ask(asked);
        else
            counter.lease.ask(asked, policy, a.cost, counter.waiting, now);
        if (is_lendable(policy))
            counter.flight = std::make_shared<LimitFlight>();
        call.add(counter, std::move(asked));
        seats.push_back(i);
    }
    bool landed = false;
    const auto land = [&] {
        if (std::exchange(landed, true))
            return;
        for (WorkerCounter* counter : call.counters) {
            if (!counter->flight)
                continue;
            counter->waiting += counter->flight->waiting;
            std::exchange(counter->flight, nullptr)->land();
        }
    };
    const Finally landing{land};
    awaitable<std::optional<CallReply>> sending = send(call);
    const std::optional<CallReply> reply = co_await std::move(sending);
    const MonoTime answered_at = options_.mono_now();
    for (std::size_t k = 0; k < seats.size(); ++k) {
        WorkerCounter& counter = *call.counters[k];
        Seat& seat = a.seats[seats[k]];
        const LimitPolicy& policy = counter.policy;
        const bool is_slots = policy.kind == LimitPolicy::Kind::concurrency;
        if (!reply) {
            if (is_slots)
                counter.slots.unanswered();
            if (counter.flight)
                counter.flight->has_failed = true;
            seat.gave_up = true;
            continue;
        }
        const CounterReply& heard = reply->counters[k];
        if (is_slots)
            counter.slots.answered(reply->admitted, call.asks[k], heard, answered_at);
        else
            counter.lease.answered(policy, call.asks[k], heard, call.sent_at, answered_at);
        if (!heard.fits) {
            seat.was_refused = true;
            seat.refused_for = heard.wait;
        } else if (reply->admitted) {
            seat.is_paid = true;
            seat.charge_number = call.number;
            if (counter.flight)
                counter.flight->handed = heard.more;
            if (is_slots)
                counter.slots.take();
            else
                counter.lease.spent(a.cost);
        }
        if (counter.holds_anything())
            activate(counter);
    }
    land();
}

// What Redis has charged for a request that is refused all the same.
void RateLimiter::take_back(Attempt& a)
{
    for (std::size_t i = 0; i < a.charges.size(); ++i) {
        Seat& seat = a.seats[i];
        if (!std::exchange(seat.is_paid, false))
            continue;
        WorkerCounter& counter = *seat.counter;
        if (counter.policy.kind == LimitPolicy::Kind::concurrency) {
            counter.slots.release(counter.policy);
            if (!counter.is_telling && !degraded_)
                spawn(tell(counter));
        } else if (!degraded_ && seat.charge_number != 0) {
            spawn(undo(counter, seat.charge_number, a.cost));
        }
    }
}

awaitable<void> RateLimiter::undo(WorkerCounter& counter, std::uint64_t charge_number, std::uint64_t cost)
{
    Call call;
    CounterAsk asked;
    if (counter.policy.kind == LimitPolicy::Kind::quota) {
        asked.lease = std::to_string(counter.lease.window());
        asked.give = cost;
    } else {
        asked.undo = call_id(charge_number);
    }
    call.add(counter, std::move(asked));
    awaitable<std::optional<CallReply>> sending = send(call);
    co_await std::move(sending);
}

// A lease for the moments to come, and back with what this worker will not need.
awaitable<void> RateLimiter::renew(WorkerCounter& counter)
{
    if (counter.flight)
        co_return;
    Call call;
    CounterAsk asked;
    counter.lease.ask(asked, counter.policy, 0, 0, options_.mono_now());
    counter.flight = std::make_shared<LimitFlight>();
    const auto land = [&counter] {
        counter.waiting += counter.flight->waiting;
        std::exchange(counter.flight, nullptr)->land();
    };
    const Finally landing{land};
    call.add(counter, std::move(asked));
    awaitable<std::optional<CallReply>> sending = send(call);
    const std::optional<CallReply> reply = co_await std::move(sending);
    if (reply)
        counter.lease.answered(counter.policy, call.asks[0], reply->counters[0], call.sent_at, options_.mono_now());
    else
        counter.flight->has_failed = true;
}

awaitable<void> RateLimiter::give_up(WorkerCounter& counter)
{
    Call call;
    CounterAsk asked;
    counter.lease.give_up(asked);
    call.add(counter, std::move(asked));
    awaitable<std::optional<CallReply>> sending = send(call);
    co_await std::move(sending);
}

// Redis is back: it is told what was admitted without it, before it is asked anything else.
awaitable<void> RateLimiter::settle(WorkerCounter& counter)
{
    if (counter.pins > 0 || !counter.outage)
        co_return;
    const bool is_quota = counter.policy.kind == LimitPolicy::Kind::quota;
    // What a quota owes belongs to a window: one that was never heard of is asked for first.
    for (int round = is_quota && counter.lease.window() == 0 ? 0 : 1; round < 2; ++round) {
        const MonoTime now = options_.mono_now();
        const std::uint64_t before = counter.outage->taken();
        Call call;
        CounterAsk asked;
        counter.lease.ask(asked, counter.policy, 0, 0, now);
        asked.backlog = round == 1 ? counter.outage->backlog(now) : 0;
        call.add(counter, std::move(asked));
        awaitable<std::optional<CallReply>> sending = send(call);
        const std::optional<CallReply> reply = co_await std::move(sending);
        if (!reply)
            co_return;
        counter.lease.answered(counter.policy, call.asks[0], reply->counters[0], call.sent_at, options_.mono_now());
        if (round == 1) {
            counter.backlog += counter.outage->taken() - before; // meanwhile: with the next call
            counter.outage.reset();
        }
    }
}

awaitable<void> RateLimiter::tell(WorkerCounter& counter)
{
    counter.is_telling = true;
    const auto end = [&counter] { counter.is_telling = false; };
    const Finally ended{end};
    // Once more if something changed while the call was under way.
    for (int round = 0; round < 2 && counter.slots.wants_telling(options_.mono_now()); ++round) {
        Call call;
        CounterAsk asked;
        counter.slots.tell(asked, options_.mono_now());
        call.add(counter, std::move(asked));
        awaitable<std::optional<CallReply>> sending = send(call);
        const std::optional<CallReply> reply = co_await std::move(sending);
        counter.slots.told(reply && reply->counters[0].fits, call.asks[0]);
    }
    activate(counter);
}

} // namespace gw::redis
