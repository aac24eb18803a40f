#include "adapters/redis/slot_book.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace gw::redis;
using namespace std::chrono_literals;
using Verdict = SlotBook::Verdict;

namespace {

const MonoTime k_start = MonoTime{} + 1000h;

LimitPolicy slots(std::uint64_t limit)
{
    LimitPolicy policy;
    policy.kind = LimitPolicy::Kind::concurrency;
    policy.concurrency = limit;
    return policy;
}

CounterReply fits(bool yes)
{
    CounterReply reply;
    reply.fits = yes;
    return reply;
}

void take_one(SlotBook& book)
{
    CounterAsk asked;
    book.ask(asked);
    book.answered(true, asked, fits(true), k_start);
    book.take();
}

} // namespace

TEST_CASE("slot book: asks for absolute numbers, each call with a higher sequence", "[redis]")
{
    SlotBook book;
    CounterAsk first, second;
    book.ask(first);
    book.ask(second);
    CHECK(first.need == 1);
    CHECK(second.need == 2);
    CHECK(second.sequence > first.sequence);
}

TEST_CASE("slot book: a released slot is told at once where slots are few, and not lent again meanwhile", "[redis]")
{
    SlotBook book;
    take_one(book);
    take_one(book);
    book.release(slots(5));
    REQUIRE(book.wants_telling(k_start));
    CHECK(book.check(k_start) == Verdict::yes); // still ours, until told
    CounterAsk told;
    book.tell(told, k_start);
    CHECK(told.need == 1);
    CHECK(told.want == 1);
    CHECK(book.check(k_start) == Verdict::ask);
}

TEST_CASE("slot book: of a large limit a freed slot is kept for the next request", "[redis]")
{
    SlotBook book;
    take_one(book);
    book.release(slots(100));
    CHECK_FALSE(book.wants_telling(k_start));
    CHECK(book.check(k_start) == Verdict::yes);
    CHECK(book.wants_telling(k_start + 2s));
}

TEST_CASE("slot book: an answer that a later call has overtaken does not raise what is held", "[redis]")
{
    SlotBook book;
    take_one(book);
    take_one(book);
    CounterAsk asked, told;
    book.ask(asked); // three
    book.release(slots(5));
    book.tell(told, k_start); // one used, one asked for: two
    book.answered(true, asked, fits(true), k_start);
    book.take();
    CHECK(book.used() == 2);
    CHECK(book.check(k_start) == Verdict::ask); // nothing to spare
}

TEST_CASE("slot book: renewed while held, silent when free, told of what an outage let in", "[redis]")
{
    SlotBook book;
    CHECK_FALSE(book.wants_telling(k_start + 1h));
    take_one(book);
    CHECK_FALSE(book.wants_telling(k_start + 1s));
    CHECK(book.wants_telling(k_start + 2s));
    book.take();
    CHECK(book.wants_telling(k_start));
}

TEST_CASE("slot book: a refusal holds for a moment, or until one of ours ends", "[redis]")
{
    SlotBook book;
    take_one(book);
    CounterAsk asked;
    book.ask(asked);
    book.answered(false, asked, fits(false), k_start);
    CHECK(book.check(k_start + 5ms) == Verdict::no);
    CHECK(book.check(k_start + 50ms) == Verdict::ask);
    book.release(slots(1));
    CHECK(book.check(k_start + 5ms) != Verdict::no);
}
