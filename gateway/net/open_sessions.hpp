// The open client connections of one worker, so that a drain can reach them: idle ones are woken at once, busy
// ones finish their request first, and the deadline ends what is left.
#pragma once

#include "net/stream.hpp"

#include <vector>

namespace gw {

class OpenSessions {
public:
    // A session's place in the list, for as long as it lives.
    class Entry {
    public:
        Entry(Stream& stream, OpenSessions& sessions) : stream_(stream), sessions_(sessions)
        {
            index_ = sessions_.entries_.size();
            sessions_.entries_.push_back(this);
        }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        ~Entry()
        {
            sessions_.entries_[index_] = sessions_.entries_.back();
            sessions_.entries_[index_]->index_ = index_;
            sessions_.entries_.pop_back();
        }
        // Idle: between two requests, so that waking it costs nobody an answer.
        void set_idle(bool idle) noexcept { idle_ = idle; }

    private:
        friend class OpenSessions;
        Stream& stream_;
        OpenSessions& sessions_;
        std::size_t index_ = 0;
        bool idle_ = false;
    };

    std::size_t size() const noexcept { return entries_.size(); }
    // Ends the wait of idle sessions; they then look whether the worker is draining.
    void wake_idle() noexcept
    {
        for (Entry* entry : entries_)
            if (entry->idle_)
                entry->stream_.cancel();
    }
    // Closes every connection, in the middle of whatever it does.
    void close_all() noexcept
    {
        for (Entry* entry : entries_)
            entry->stream_.close();
    }

private:
    std::vector<Entry*> entries_;
};

} // namespace gw
