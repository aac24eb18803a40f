// See limit_script.hpp.
#include "adapters/redis/limit_script.hpp"

namespace gw::redis {

namespace {

// Formats of the values, by the last part of the key's name. Numbers are whole and below 2^53.
//   b  "<unit> <debt> <at> <ticket> <debt before> <at before> [<lease> <tokens> <ends>]..."
//      A token is worth `unit`, and the debt of `unit` x burst is an empty bucket; it shrinks by `a` a microsecond.
//   q  "<window's start> <used>"
//   c  "[<holder> <sequence> <slots> <ends>]..."
constexpr const char* k_source = R"lua(
local FIELDS = 14
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local seconds = tonumber(time[1])

local function int(x) return string.format('%.0f', x) end
local function text(i, k) return ARGV[(i - 1) * FIELDS + k] end
local function number(i, k) return tonumber(text(i, k)) end
local function words(i)
  local list, value = {}, redis.call('GET', KEYS[i])
  if value then
    for word in string.gmatch(value, '%S+') do list[#list + 1] = word end
  end
  return list
end
local function keep(i, value, milliseconds)
  redis.call('SET', KEYS[i], value, 'PX', int(math.max(1, math.ceil(milliseconds))))
end

-- Never fuller than the burst less what is lent.
local function refill(s, to)
  if to > s.at then
    s.debt = math.max(s.out * s.unit, s.debt - (to - s.at) * s.a)
    s.at = to
  end
end

local function open_bucket(i, s)
  s.a, s.unit, s.burst = number(i, 11), number(i, 12), number(i, 13)
  s.debt, s.at, s.out, s.leases = 0, now, 0, {}
  s.ticket, s.debt_before, s.at_before = '-', 0, 0
  local w = words(i)
  if #w >= 6 then
    local unit = tonumber(w[1])
    s.debt, s.at = tonumber(w[2]), tonumber(w[3])
    s.ticket, s.debt_before, s.at_before = w[4], tonumber(w[5]), tonumber(w[6])
    if unit ~= s.unit then
      s.debt, s.ticket = math.ceil(s.debt / unit * s.unit), '-'
    end
    for k = 7, #w - 2, 3 do
      local lease = {id = w[k], tokens = tonumber(w[k + 1]), ends = tonumber(w[k + 2])}
      s.leases[#s.leases + 1] = lease
      s.out = s.out + lease.tokens
    end
  end
  if text(i, 10) ~= '-' and text(i, 10) == s.ticket then
    s.debt, s.at, s.ticket = s.debt_before, s.at_before, '-'
  end
  -- Leases end in the order in which they stand, and until then each kept the bucket from filling.
  local live, old = {}, text(i, 6)
  for _, lease in ipairs(s.leases) do
    if lease.ends <= now then
      refill(s, lease.ends)
      s.out = s.out - lease.tokens
    else
      live[#live + 1] = lease
    end
  end
  refill(s, now)
  s.leases, s.kept = {}, 0
  for _, lease in ipairs(live) do
    if lease.id == old then
      local given = math.min(number(i, 8), lease.tokens)
      s.kept = math.min(number(i, 7), lease.tokens - given)
      s.debt = s.debt - given * s.unit
      s.out = s.out - lease.tokens + s.kept
      s.found = 1
      if given > 0 then s.ticket = '-' end
    else
      s.leases[#s.leases + 1] = lease
    end
  end
  local backlog = number(i, 5)
  if backlog > 0 then
    s.debt = math.max(s.debt, math.min(s.debt + backlog * s.unit, 2 * s.burst * s.unit))
    s.ticket = '-'
  end
  s.missing = s.debt + s.need * s.unit - s.burst * s.unit
  s.fits = s.need == 0 or s.missing <= 0
end

local function level_of(s) return math.floor((s.burst * s.unit - s.debt) / s.unit) end

local function close_bucket(i, s, admitted)
  local lent, want, more = 0, number(i, 4), 0
  local charges = admitted and s.fits and s.need > 0
  if charges then
    s.ticket, s.debt_before, s.at_before = text(i, 9), s.debt, s.at
    s.debt = s.debt + s.need * s.unit
    more = math.max(0, math.min(number(i, 14), level_of(s)))
    if more > 0 then
      s.debt, s.ticket = s.debt + more * s.unit, '-'
    end
  end
  if admitted and want > 0 and s.fits then
    local room = math.floor(s.burst / 10) - s.out
    lent = math.max(0, math.min(want, math.ceil(room / 2), level_of(s)))
  end
  if lent > 0 then
    s.debt, s.ticket = s.debt + lent * s.unit, '-'
  end
  if lent + s.kept > 0 then
    s.leases[#s.leases + 1] = {id = text(i, 9), tokens = lent + s.kept, ends = now + 1000000}
  end
  local list = {int(s.unit), int(s.debt), int(s.at), s.ticket, int(s.debt_before), int(s.at_before)}
  local lasts = s.debt / s.a
  for _, lease in ipairs(s.leases) do
    list[#list + 1] = lease.id
    list[#list + 1] = int(lease.tokens)
    list[#list + 1] = int(lease.ends)
    lasts = math.max(lasts, lease.ends - now)
  end
  keep(i, table.concat(list, ' '), lasts / 1000 + 1000)
  local level, wait = level_of(s), s.missing
  if s.fits then wait = (level + 1) * s.unit - (s.burst * s.unit - s.debt) end
  return level, math.ceil(math.max(0, wait) / s.a), lent, s.found or 0, #s.leases, more
end

-- The first day of the month that holds the day (days from 1970), and of the next: proleptic Gregorian.
local function month_of(day)
  local z = day + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local first = day - (doy - math.floor((153 * mp + 2) / 5))
  local year, month = yoe + era * 400, mp < 10 and mp + 3 or mp - 9
  if month <= 2 then year = year + 1 end
  local days = ({31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31})[month]
  if month == 2 and (year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)) then days = 29 end
  return first, first + days
end

local function open_quota(i, s)
  s.quota = number(i, 13)
  local period = text(i, 11)
  if period == 'm' then
    local first, next = month_of(math.floor(seconds / 86400))
    s.start, s.ends = first * 86400, next * 86400
  else
    local length = period == 'h' and 3600 or 86400
    s.start = seconds - seconds % length
    s.ends = s.start + length
  end
  local w = words(i)
  s.used = tonumber(w[1]) == s.start and tonumber(w[2]) or 0
  if text(i, 6) == int(s.start) then
    s.used = math.max(0, s.used - number(i, 8)) + number(i, 5)
  end
  s.fits = s.need == 0 or s.used + s.need <= s.quota
end

local function close_quota(i, s, admitted)
  local lent, more = 0, 0
  if admitted and s.fits then
    s.used = s.used + s.need
    more = math.max(0, math.min(number(i, 14), s.quota - s.used))
    s.used = s.used + more
    lent = math.max(0, math.min(number(i, 4), math.floor((s.quota - s.used) / 10)))
    s.used = s.used + lent
  end
  local left = s.ends * 1000000 - now
  keep(i, int(s.start) .. ' ' .. int(s.used), left / 1000 + 1000)
  return s.quota - s.used, left, lent, s.start, 0, more
end

local function open_slots(i, s)
  s.limit, s.me = number(i, 13), text(i, 9)
  s.others, s.list = 0, {}
  local w = words(i)
  for k = 1, #w - 3, 4 do
    local entry = {id = w[k], seq = tonumber(w[k + 1]), count = tonumber(w[k + 2]), ends = tonumber(w[k + 3])}
    if entry.ends > now then
      s.list[#s.list + 1] = entry
      if entry.id == s.me then s.mine = entry else s.others = s.others + entry.count end
    end
  end
  local stale = s.mine and s.mine.seq >= number(i, 12)
  s.fits = not stale and (number(i, 4) == 1 or s.others + s.need <= s.limit)
end

local function close_slots(i, s, admitted)
  if admitted and s.fits then
    if not s.mine then
      s.mine = {id = s.me}
      s.list[#s.list + 1] = s.mine
    end
    s.mine.seq, s.mine.count, s.mine.ends = number(i, 12), s.need, now + number(i, 11)
  end
  local list, lasts = {}, 0
  for _, entry in ipairs(s.list) do
    list[#list + 1] = entry.id
    list[#list + 1] = int(entry.seq)
    list[#list + 1] = int(entry.count)
    list[#list + 1] = int(entry.ends)
    lasts = math.max(lasts, entry.ends - now)
  end
  if #list > 0 then keep(i, table.concat(list, ' '), lasts / 1000) end
  return s.limit - s.others - (s.mine and s.mine.count or 0), 0, 0, s.others, 0, 0
end

local open = {b = open_bucket, q = open_quota, c = open_slots}
local close = {b = close_bucket, q = close_quota, c = close_slots}
local states, admitted = {}, true
for i = 1, #KEYS do
  local s = {need = number(i, 2)}
  states[i] = s
  open[text(i, 1)](i, s)
  if not s.fits and text(i, 3) == '1' then admitted = false end
end
local reply = {admitted and 1 or 0}
for i = 1, #KEYS do
  local s = states[i]
  local level, wait, lent, extra, holders, more = close[text(i, 1)](i, s, admitted)
  reply[#reply + 1] = s.fits and 1 or 0
  reply[#reply + 1] = level
  reply[#reply + 1] = wait
  reply[#reply + 1] = lent
  reply[#reply + 1] = extra
  reply[#reply + 1] = holders
  reply[#reply + 1] = more
end
return reply
)lua";

constexpr std::size_t k_figures = 7; // a counter, in the reply

std::string period_letter(QuotaPeriod period)
{
    switch (period) {
    case QuotaPeriod::hour:
        return "h";
    case QuotaPeriod::day:
        return "d";
    case QuotaPeriod::month:
        break;
    }
    return "m";
}

std::string or_dash(const std::string& text)
{
    return text.empty() ? "-" : text;
}

} // namespace

const Script& limit_script()
{
    static const Script script{k_source};
    return script;
}

void append_arguments(std::vector<std::string>& out, const CounterAsk& ask)
{
    const LimitPolicy& policy = *ask.policy;
    const auto number = [&](auto value) { out.push_back(std::to_string(value)); };
    out.push_back(policy.kind == LimitPolicy::Kind::bucket  ? "b"
                  : policy.kind == LimitPolicy::Kind::quota ? "q"
                                                            : "c");
    number(ask.need);
    out.push_back(policy.enforce ? "1" : "0");
    number(ask.want);
    number(ask.backlog);
    out.push_back(or_dash(ask.lease));
    number(ask.keep);
    number(ask.give);
    out.push_back(or_dash(ask.id));
    out.push_back(or_dash(ask.undo));
    switch (policy.kind) {
    case LimitPolicy::Kind::bucket: {
        const BucketUnits units = BucketUnits::of(policy);
        number(units.per_us);
        number(units.token);
        number(units.burst);
        break;
    }
    case LimitPolicy::Kind::quota:
        out.push_back(period_letter(policy.quota_period));
        out.emplace_back("0");
        number(policy.quota);
        break;
    case LimitPolicy::Kind::concurrency:
        number(std::chrono::duration_cast<std::chrono::microseconds>(k_slots_last).count());
        number(ask.sequence);
        number(policy.concurrency);
        break;
    }
    number(ask.more);
}

std::optional<CallReply> parse_reply(const Reply& reply, std::size_t counters)
{
    if (reply.kind != Reply::Kind::array || reply.items.size() != 1 + counters * k_figures)
        return std::nullopt;
    for (const Reply& item : reply.items)
        if (item.kind != Reply::Kind::integer)
            return std::nullopt;
    CallReply out;
    out.admitted = reply.items[0].integer == 1;
    for (std::size_t i = 0; i < counters; ++i) {
        const Reply* figures = &reply.items[1 + i * k_figures];
        CounterReply& counter = out.counters.emplace_back();
        counter.fits = figures[0].integer == 1;
        counter.level = figures[1].integer;
        counter.wait = std::chrono::microseconds{figures[2].integer};
        counter.lent = static_cast<std::uint64_t>(std::max<std::int64_t>(0, figures[3].integer));
        counter.extra = figures[4].integer;
        counter.holders = static_cast<unsigned>(figures[5].integer);
        counter.more = static_cast<std::uint64_t>(std::max<std::int64_t>(0, figures[6].integer));
    }
    return out;
}

} // namespace gw::redis
