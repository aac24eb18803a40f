// See body_batch.hpp.
#include "request/body_batch.hpp"

namespace gw {

void BodyBatch::add(std::string_view bytes) noexcept
{
    iovecs_[parts_].iov_base = const_cast<char*>(bytes.data()); // sendmsg does not write
    iovecs_[parts_].iov_len = bytes.size();
    ++parts_;
}

void BodyBatch::gather(http1::BodyReader& reader, std::string_view unread, bool rechunk) noexcept
{
    using Step = http1::BodyReader::Step;
    while (chunks_ < k_chunks) {
        const Step step = reader.next(unread.substr(consumed_));
        consumed_ += step.consumed;
        if (!step.payload.empty()) {
            payload_ += step.payload.size();
            if (rechunk) {
                const std::size_t size = http1::write_chunk_header(headers_[chunks_].data(), step.payload.size());
                add({headers_[chunks_].data(), size});
                add(step.payload);
                add("\r\n");
            } else {
                add(step.payload);
            }
            ++chunks_;
        }
        if (step.state == Step::State::broken) {
            state_ = State::broken;
            return;
        }
        if (step.state == Step::State::complete) {
            state_ = State::complete;
            if (rechunk) {
                add("0\r\n");
                if (!reader.trailers().empty())
                    add(reader.trailers());
                add("\r\n");
            }
            return;
        }
        if (step.consumed == 0)
            return; // nothing more to be had from these bytes
    }
}

} // namespace gw
