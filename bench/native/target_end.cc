#include "target_end.h"

#include <cstdio>
#include <fstream>
#include <mutex>

#include "crc32c.h"

namespace bench {

namespace {

constexpr int16_t kNone = 0;
constexpr int16_t kCorruptMessage = 2;
constexpr int16_t kUnknownTopic = 3;
constexpr int16_t kOutOfOrderSequence = 45;

}  // namespace

bool TargetEnd::SwallowProduce(int16_t version, int32_t correlation_id, size_t size) {
    Traffic& traffic = broker_.traffic;
    traffic.SawFirst(MonotonicNs());
    size_t left = size;
    // Takes fixed fields; what the lengths inside promise must fit the request's own length.
    const auto take = [&](size_t bytes) -> const char* {
        if (bytes > left || bytes > Input::kCapacity) return nullptr;
        left -= bytes;
        return input_.Take(bytes);
    };
    const char* at = take(2);
    if (at == nullptr) return false;
    const int16_t transactional_id = LoadI16(at);
    if (transactional_id > 0 && take(static_cast<size_t>(transactional_id)) == nullptr)
        return false;
    if ((at = take(2 + 4 + 4)) == nullptr) return false;
    const bool wants_answer = LoadI16(at) != 0;
    const int32_t topics = LoadI32(at + 6);

    response_.Begin(correlation_id);
    response_.I32(topics);
    for (int32_t topic = 0; topic < topics; ++topic) {
        if ((at = take(2)) == nullptr) return false;
        const size_t name = static_cast<size_t>(LoadI16(at));
        if ((at = take(name)) == nullptr) return false;
        topic_.assign(at, name);
        if ((at = take(4)) == nullptr) return false;
        swallowed_.clear();
        for (int32_t partitions = LoadI32(at); partitions > 0; --partitions) {
            if ((at = take(4 + 4)) == nullptr) return false;
            const int32_t partition = LoadI32(at);
            const size_t batch = static_cast<size_t>(LoadI32(at + 4));
            if (batch < kBatchHeaderBytes || batch > left) return false;
            left -= batch;
            if (!SwallowBatch(partition, batch)) return false;
        }
        Acknowledge(version, topic_);
    }
    response_.I32(0);  // throttle
    traffic.requests.fetch_add(1, std::memory_order_relaxed);
    traffic.SawLast(MonotonicNs());
    if (!wants_answer) return true;
    response_.SetLength(0);
    return SendAll(socket_, response_.data(), response_.size());
}

bool TargetEnd::SwallowBatch(int32_t partition, size_t size) {
    const char* at = input_.Take(kBatchHeaderBytes);
    if (at == nullptr) return false;
    Swallowed swallowed{partition, BatchHeader(at), true};
    const bool is_checked = broker_.check == Check::kCrc;
    const size_t rest = size - kBatchHeaderBytes;
    if (!is_checked && broker_.capture_file.empty()) {
        swallowed_.push_back(swallowed);
        return Skip(rest);
    }
    std::string batch(at, kBatchHeaderBytes);
    batch.resize(size);
    if (!input_.Copy(batch.data() + kBatchHeaderBytes, rest)) return false;
    if (is_checked) {
        const uint32_t crc = Crc32c(batch.data() + kCrcCoversFrom, size - kCrcCoversFrom);
        swallowed.whole = crc == swallowed.header.crc;
    }
    if (!broker_.capture_file.empty()) Capture(batch);
    swallowed_.push_back(swallowed);
    return true;
}

bool TargetEnd::Skip(size_t size) {
    while (size > 0) {
        const Input::Piece piece = input_.TakeSome(size);
        if (piece.size == 0) return false;
        size -= piece.size;
    }
    return true;
}

void TargetEnd::Acknowledge(int16_t version, std::string_view topic) {
    response_.String(topic);
    response_.I32(static_cast<int32_t>(swallowed_.size()));
    int64_t records = 0;
    int64_t bytes = 0;
    broker_.topics.With(topic, [&](Partitions& partitions) {
        for (const Swallowed& swallowed : swallowed_) {
            int64_t base_offset = -1;
            const int16_t error = Store(partitions, swallowed, base_offset);
            if (error == kNone) {
                records += swallowed.header.record_count;
                bytes += swallowed.header.size;
            }
            response_.I32(swallowed.partition);
            response_.I16(error);
            response_.I64(base_offset);
            response_.I64(-1);                   // append time
            if (version >= 5) response_.I64(0);  // log start
            if (version >= 8) {
                response_.I32(0);        // errors of single records
                response_.NullString();  // error message
            }
        }
    });
    Traffic& traffic = broker_.traffic;
    traffic.batches.fetch_add(static_cast<int64_t>(swallowed_.size()), std::memory_order_relaxed);
    traffic.records.fetch_add(records, std::memory_order_relaxed);
    traffic.bytes.fetch_add(bytes, std::memory_order_relaxed);
}

// A producer's first batch may have any sequence, as on a broker that has forgotten it.
int16_t TargetEnd::Store(Partitions& partitions, const Swallowed& swallowed, int64_t& base_offset) {
    const BatchHeader& header = swallowed.header;
    if (static_cast<size_t>(swallowed.partition) >= partitions.size()) return kUnknownTopic;
    if (!swallowed.whole) {
        broker_.traffic.bad_crc.fetch_add(1, std::memory_order_relaxed);
        return kCorruptMessage;
    }
    SwallowedPartition& partition = partitions[static_cast<size_t>(swallowed.partition)];
    if (broker_.check != Check::kNone && header.producer_id >= 0) {
        const bool is_known = partition.producer_id == header.producer_id &&
                              partition.producer_epoch == header.producer_epoch;
        if (is_known && header.base_sequence != partition.next_sequence) {
            broker_.traffic.out_of_order.fetch_add(1, std::memory_order_relaxed);
            return kOutOfOrderSequence;
        }
        partition.producer_id = header.producer_id;
        partition.producer_epoch = header.producer_epoch;
        // Sequences wrap to zero after 2^31 - 1.
        partition.next_sequence = static_cast<int32_t>(
            (int64_t{header.base_sequence} + header.last_offset_delta + 1) & INT32_MAX);
    }
    base_offset = partition.end_offset;
    partition.end_offset += header.last_offset_delta + 1;
    return kNone;
}

// Keeps the batch if it is the largest so far; a whole file appears at once.
void TargetEnd::Capture(const std::string& batch) const {
    static std::mutex mutex;
    static size_t largest = 0;
    const std::lock_guard lock(mutex);
    if (batch.size() <= largest) return;
    largest = batch.size();
    const std::string partial = broker_.capture_file + ".partial";
    std::ofstream(partial, std::ios::binary).write(batch.data(), static_cast<long>(batch.size()));
    std::rename(partial.c_str(), broker_.capture_file.c_str());
}

void TargetEnd::SwallowRaw() {
    Traffic& traffic = broker_.traffic;
    for (;;) {
        const Input::Piece piece = input_.TakeSome(Input::kCapacity);
        if (piece.size == 0) return;
        const int64_t now = MonotonicNs();
        traffic.SawFirst(now);
        traffic.SawLast(now);
        traffic.bytes.fetch_add(static_cast<int64_t>(piece.size), std::memory_order_relaxed);
    }
}

}  // namespace bench
