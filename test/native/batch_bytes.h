// Builds v2 batches byte by byte, right or with one thing wrong.
#ifndef HELIOSTAT_TEST_BATCH_BYTES_H_
#define HELIOSTAT_TEST_BATCH_BYTES_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "batch_header.h"
#include "big_endian.h"
#include "crc32c_patch.h"

namespace heliostat::testing {

using Bytes = std::vector<uint8_t>;

struct BatchSpec {
    int64_t base_offset = 0;
    // Offset deltas of the records; the header claims what follows from them unless told otherwise.
    std::vector<int32_t> deltas = {0};
    int32_t last_offset_delta = -1;  // -1: that of the last record
    int32_t record_count = -1;       // -1: as many as there are
    int16_t attributes = 0;
    int8_t magic = 2;
    int64_t max_timestamp = 1'000;
    int64_t producer_id = -1;
    int16_t producer_epoch = -1;
    int32_t base_sequence = -1;
    // Instead of records: a compressed block, say, which nobody looks into.
    std::string_view payload = {};
    // A control batch's one record: 0 abort, 1 commit; -1 for none.
    int marker = -1;
    size_t padding = 0;
};

inline void PutVarint(Bytes& to, int64_t value) {
    auto zigzag = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
    for (; zigzag >= 0x80; zigzag >>= 7) to.push_back(static_cast<uint8_t>(zigzag | 0x80));
    to.push_back(static_cast<uint8_t>(zigzag));
}

inline void PutRecord(Bytes& to, int32_t offset_delta, const Bytes& key, size_t padding) {
    Bytes record{0};
    PutVarint(record, offset_delta);  // timestamp delta: any
    PutVarint(record, offset_delta);
    PutVarint(record, static_cast<int64_t>(key.size()));
    record.insert(record.end(), key.begin(), key.end());
    PutVarint(record, static_cast<int64_t>(padding));
    record.insert(record.end(), padding, 'v');
    PutVarint(record, 0);
    PutVarint(to, static_cast<int64_t>(record.size()));
    to.insert(to.end(), record.begin(), record.end());
}

// Writes the CRC that the bytes have.
inline void Seal(Bytes& batch) {
    StoreBigEndian<uint32_t>(batch.data() + 17, Crc32c(batch.data() + 21, batch.size() - 21));
}

inline Bytes MakeBatch(const BatchSpec& spec) {
    Bytes batch(kBatchHeaderSize);
    if (spec.marker >= 0) {
        PutRecord(batch, 0, {0, 0, 0, static_cast<uint8_t>(spec.marker)}, 6);
    } else if (!spec.payload.empty()) {
        batch.insert(batch.end(), spec.payload.begin(), spec.payload.end());
    } else {
        for (const int32_t delta : spec.deltas) PutRecord(batch, delta, {'k'}, spec.padding);
    }
    const int32_t last = spec.deltas.empty() ? 0 : spec.deltas.back();
    uint8_t* at = batch.data();
    StoreBigEndian<int64_t>(at, spec.base_offset);
    StoreBigEndian<int32_t>(at + 8, static_cast<int32_t>(batch.size()) - 12);
    StoreBigEndian<int32_t>(at + 12, 7);
    at[16] = static_cast<uint8_t>(spec.magic);
    StoreBigEndian<int16_t>(at + 21, spec.attributes);
    StoreBigEndian<int32_t>(at + 23, spec.last_offset_delta < 0 ? last : spec.last_offset_delta);
    StoreBigEndian<int64_t>(at + 27, 1'000);
    StoreBigEndian<int64_t>(at + 35, spec.max_timestamp);
    StoreBigEndian<int64_t>(at + 43, spec.producer_id);
    StoreBigEndian<int16_t>(at + 51, spec.producer_epoch);
    StoreBigEndian<int32_t>(at + 53, spec.base_sequence);
    StoreBigEndian<int32_t>(at + 57, spec.record_count < 0
                                         ? static_cast<int32_t>(spec.deltas.size())
                                         : spec.record_count);
    Seal(batch);
    return batch;
}

inline void Append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

}  // namespace heliostat::testing

#endif  // HELIOSTAT_TEST_BATCH_BYTES_H_
