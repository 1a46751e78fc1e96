// The fields of a record batch (magic 2) that the bench looks at, by their place in its header.
//
// baseOffset i64 · batchLength i32 · partitionLeaderEpoch i32 · magic i8 · crc u32 · attributes i16
// · lastOffsetDelta i32 · baseTimestamp i64 · maxTimestamp i64 · producerId i64 · producerEpoch i16
// · baseSequence i32 · recordCount i32
#pragma once

#include "protocol.h"

namespace bench {

constexpr size_t kBatchHeaderBytes = 61;
constexpr size_t kBaseOffsetBytes = 8;
constexpr size_t kCrcCoversFrom = 21;

struct BatchHeader {
    explicit BatchHeader(const char* at)
        : size(static_cast<int64_t>(LoadI32(at + 8)) + 12),
          magic(static_cast<int8_t>(at[16])),
          crc(static_cast<uint32_t>(LoadI32(at + 17))),
          last_offset_delta(LoadI32(at + 23)),
          producer_id(LoadI64(at + 43)),
          producer_epoch(LoadI16(at + 51)),
          base_sequence(LoadI32(at + 53)),
          record_count(LoadI32(at + 57)) {}

    int64_t size;
    int8_t magic;
    uint32_t crc;
    int32_t last_offset_delta;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t record_count;
};

}  // namespace bench
