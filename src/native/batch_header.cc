#include "batch_header.h"

#include <cstring>

#include "big_endian.h"
#include "crc32c_patch.h"

namespace heliostat {
namespace {

constexpr size_t kCrcAt = 17;
constexpr size_t kCrcCoversFrom = 21;
constexpr size_t kCoveredHeader = kBatchHeaderSize - kCrcCoversFrom;
constexpr int16_t kCodecBits = 0x07;

}  // namespace

BatchHeader ReadBatchHeader(const uint8_t* bytes) {
    return {.base_offset = LoadBigEndian<int64_t>(bytes),
            .batch_length = LoadBigEndian<int32_t>(bytes + 8),
            .leader_epoch = LoadBigEndian<int32_t>(bytes + 12),
            .magic = static_cast<int8_t>(bytes[16]),
            .attributes = LoadBigEndian<int16_t>(bytes + 21),
            .last_offset_delta = LoadBigEndian<int32_t>(bytes + 23),
            .max_timestamp = LoadBigEndian<int64_t>(bytes + 35),
            .producer_id = LoadBigEndian<int64_t>(bytes + 43),
            .record_count = LoadBigEndian<int32_t>(bytes + 57)};
}

void StampBatchHeader(const uint8_t* batch, const ProducerStamp& stamp, uint8_t* to) {
    std::memcpy(to, batch, kBatchHeaderSize);
    StoreBigEndian<int64_t>(to, 0);
    StoreBigEndian<int32_t>(to + 12, -1);
    StoreBigEndian<int16_t>(to + 21, LoadBigEndian<int16_t>(batch + 21) & kCodecBits);
    StoreBigEndian<int64_t>(to + 43, stamp.producer_id);
    StoreBigEndian<int16_t>(to + 51, stamp.epoch);
    StoreBigEndian<int32_t>(to + 53, stamp.base_sequence);

    const uint32_t payload = static_cast<uint32_t>(LoadBigEndian<int32_t>(batch + 8)) -
                             static_cast<uint32_t>(kBatchHeaderSize - kBatchLengthOverhead);
    const uint32_t difference = Crc32c(batch + kCrcCoversFrom, kCoveredHeader) ^
                                Crc32c(to + kCrcCoversFrom, kCoveredHeader);
    const uint32_t crc = LoadBigEndian<uint32_t>(batch + kCrcAt) ^ Crc32cZeros(difference, payload);
    StoreBigEndian<uint32_t>(to + kCrcAt, crc);
}

bool IsCrcRight(const uint8_t* batch, size_t size) {
    return LoadBigEndian<uint32_t>(batch + kCrcAt) ==
           Crc32c(batch + kCrcCoversFrom, size - kCrcCoversFrom);
}

}  // namespace heliostat
