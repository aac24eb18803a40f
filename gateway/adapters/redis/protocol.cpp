// See protocol.hpp.
#include "adapters/redis/protocol.hpp"

#include <hiredis/hiredis.h>

#include <array>
#include <charconv>
#include <new>

namespace gw::redis {
namespace {

constexpr std::size_t k_item_bytes = 64;  // what an item of an array counts for
constexpr std::size_t k_usual_words = 32; // more go through the heap
constexpr std::size_t k_fed_at_once = 64 * 1024;

void append_argv(std::string& out, const char** words, const std::size_t* sizes, std::size_t count)
{
    sds text = nullptr;
    const int size = redisFormatSdsCommandArgv(&text, static_cast<int>(count), words, sizes);
    if (size < 0)
        throw std::bad_alloc{};
    out.append(text, static_cast<std::size_t>(size));
    redisFreeSdsCommand(text);
}

// Gathers words for hiredis without an allocation for as many as a command usually has.
class Words {
public:
    explicit Words(std::size_t count)
    {
        if (count <= k_usual_words)
            return;
        more_words_.resize(count);
        more_sizes_.resize(count);
        words_ = more_words_.data();
        sizes_ = more_sizes_.data();
    }
    Words(const Words&) = delete;
    Words& operator=(const Words&) = delete;
    void add(std::string_view word)
    {
        words_[count_] = word.data();
        sizes_[count_++] = word.size();
    }
    void append_to(std::string& out) { append_argv(out, words_, sizes_, count_); }

private:
    std::array<const char*, k_usual_words> few_words_;
    std::array<std::size_t, k_usual_words> few_sizes_;
    std::vector<const char*> more_words_;
    std::vector<std::size_t> more_sizes_;
    const char** words_ = few_words_.data();
    std::size_t* sizes_ = few_sizes_.data();
    std::size_t count_ = 0;
};

} // namespace

void append_words(std::string& out, std::span<const std::string_view> words)
{
    Words all{words.size()};
    for (const std::string_view word : words)
        all.add(word);
    all.append_to(out);
}

void append_command(std::string& out, const Command& command, bool in_full)
{
    if (command.script == nullptr) {
        Words all{command.words.size()};
        for (const std::string& word : command.words)
            all.add(word);
        all.append_to(out);
        return;
    }
    std::array<char, 20> number;
    const auto end = std::to_chars(number.data(), number.data() + number.size(), command.keys.size()).ptr;
    Words all{3 + command.keys.size() + command.arguments.size()};
    all.add(in_full ? "EVAL" : "EVALSHA");
    all.add(in_full ? command.script->source() : command.script->sha1());
    all.add({number.data(), static_cast<std::size_t>(end - number.data())});
    for (const std::string& key : command.keys)
        all.add(key);
    for (const std::string& argument : command.arguments)
        all.add(argument);
    all.append_to(out);
}

// What hiredis calls as it goes. Replies are built in place in the parser's tree; the pointers that hiredis
// hands around are to Reply objects of it. A null pointer makes hiredis stop with an error.
struct ReplyParser::Builder {
    // The object for this task: the root, or the item of its parent that is next.
    static Reply& place(const redisReadTask* task, ReplyParser& parser)
    {
        if (task->parent == nullptr)
            return parser.root_;
        return static_cast<Reply*>(task->parent->obj)->items[static_cast<std::size_t>(task->idx)];
    }
    // `privdata` is the root task's own, which hiredis copies from the reader; nested tasks inherit it.
    static ReplyParser& of(const redisReadTask* task) { return *static_cast<ReplyParser*>(task->privdata); }

    template <class Fill>
    static void* build(const redisReadTask* task, std::size_t bytes, Fill fill) noexcept
    {
        ReplyParser& parser = of(task);
        try {
            if (!parser.charge(bytes))
                return nullptr;
            Reply& reply = place(task, parser);
            fill(reply);
            return &reply;
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
    }

    static void* text(const redisReadTask* task, char* bytes, std::size_t size)
    {
        return build(task, size, [&](Reply& reply) {
            reply.kind = task->type == REDIS_REPLY_ERROR    ? Reply::Kind::error
                         : task->type == REDIS_REPLY_STATUS ? Reply::Kind::status
                                                            : Reply::Kind::text;
            reply.text.assign(bytes, size);
        });
    }
    static void* array(const redisReadTask* task, int count)
    {
        const auto items = static_cast<std::size_t>(count);
        return build(task, items * k_item_bytes, [&](Reply& reply) {
            reply.kind = Reply::Kind::array;
            reply.items.resize(items);
        });
    }
    static void* integer(const redisReadTask* task, long long number)
    {
        return build(task, 0, [&](Reply& reply) {
            reply.kind = Reply::Kind::integer;
            reply.integer = number;
        });
    }
    static void* nil(const redisReadTask* task)
    {
        return build(task, 0, [](Reply& reply) { reply.kind = Reply::Kind::nil; });
    }
    static void free(void*) {} // the tree is the parser's

    static redisReplyObjectFunctions functions;
};

redisReplyObjectFunctions ReplyParser::Builder::functions{text, array, integer, nil, free};

ReplyParser::ReplyParser(std::size_t max_reply_bytes)
    : reader_(redisReaderCreateWithFunctions(&Builder::functions), redisReaderFree),
      max_bytes_(max_reply_bytes)
{
    if (reader_ == nullptr)
        throw std::bad_alloc{};
    reader_->privdata = this;
}

ReplyParser::~ReplyParser() = default;

bool ReplyParser::charge(std::size_t bytes) noexcept
{
    used_bytes_ += bytes;
    too_long_ = used_bytes_ > max_bytes_;
    return !too_long_;
}

void ReplyParser::feed(std::string_view bytes)
{
    if (is_broken())
        return;
    // What is not parsed yet is at most one reply's beginning and what has just come.
    if (reader_->len - reader_->pos + bytes.size() > max_bytes_ + k_fed_at_once)
        fault_ = "an answer is too long";
    else if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK)
        fault_ = "out of memory";
}

bool ReplyParser::next(Reply& reply)
{
    if (is_broken())
        return false;
    void* done = nullptr;
    if (redisReaderGetReply(reader_.get(), &done) != REDIS_OK) {
        fault_ = too_long_                       ? "an answer is too long"
                 : reader_->err == REDIS_ERR_OOM ? "out of memory"
                                                 : "what came is not Redis's protocol";
        return false;
    }
    if (done == nullptr)
        return false;
    reply = std::move(root_);
    root_ = Reply{};
    used_bytes_ = 0;
    return true;
}

} // namespace gw::redis
