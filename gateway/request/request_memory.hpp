// What a request in flight needs to remember, allocated once and used again and again: a connection takes a
// block when the first byte of a request arrives and returns it when it goes idle, so that idle connections
// hold no buffers and a warm request allocates nothing. One pool per worker.
#pragma once

#include "http1/head.hpp"
#include "http1/head_buffer.hpp"
#include "request/body_batch.hpp"
#include "request/exchange.hpp"

#include <memory>
#include <vector>

namespace gw {

struct RequestMemory {
    RequestMemory(std::size_t buffer_bytes, std::size_t fields, std::size_t scratch_bytes);

    std::size_t capacity;
    std::unique_ptr<char[]> buffer;               // the head, then body bytes on their way
    std::vector<http1::Field> request_fields, response_fields;
    std::size_t scratch_capacity;
    std::unique_ptr<char[]> scratch;              // the normalised target, rewritten query and cookies
    std::size_t scratch_used = 0;
    std::array<char, 32> request_id_text{};
    std::array<char, 55> traceparent_text{};
    std::array<char, 48> client_text{};
    http1::HeadBuffer upstream_head{2048};
    http1::HeadBuffer client_head{2048};
    http1::BodyReader request_body, response_body;
    BodyBatch upstream_batch, client_batch;
    Exchange exchange;

    std::span<char> free_scratch() noexcept { return {scratch.get() + scratch_used, scratch_capacity - scratch_used}; }
};

class RequestMemoryPool {
public:
    RequestMemoryPool(std::size_t head_bytes, std::size_t fields);

    std::unique_ptr<RequestMemory> take();
    void give_back(std::unique_ptr<RequestMemory> memory) noexcept;
    // Frees half of what has lain unused since the last call.
    void trim() noexcept;

private:
    std::size_t head_bytes_, fields_;
    std::vector<std::unique_ptr<RequestMemory>> free_;
    std::size_t least_free_ = 0;
};

} // namespace gw
