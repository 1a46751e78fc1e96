// The 61-byte header of a v2 record batch: reading it, and writing the one that the target gets.
//
//   0 baseOffset i64 · 8 batchLength i32 · 12 partitionLeaderEpoch i32 · 16 magic i8 · 17 crc u32 ·
//   21 attributes i16 · 23 lastOffsetDelta i32 · 27 baseTimestamp i64 · 35 maxTimestamp i64 ·
//   43 producerId i64 · 51 producerEpoch i16 · 53 baseSequence i32 · 57 recordCount i32 · 61
//   records
//
// All big-endian. The CRC covers byte 21 to the end, compressed as stored.
#ifndef HELIOSTAT_BATCH_HEADER_H_
#define HELIOSTAT_BATCH_HEADER_H_

#include <cstddef>
#include <cstdint>

namespace heliostat {

inline constexpr size_t kBatchHeaderSize = 61;
// Bytes before those that batchLength counts.
inline constexpr size_t kBatchLengthOverhead = 12;

enum class Codec : uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

struct BatchHeader {
    int64_t base_offset;
    int32_t batch_length;
    int32_t leader_epoch;
    int8_t magic;
    int16_t attributes;
    int32_t last_offset_delta;
    int64_t max_timestamp;
    int64_t producer_id;
    int32_t record_count;

    int codec() const { return attributes & 0x07; }
    bool is_append_time() const { return attributes & 0x08; }
    bool is_transactional() const { return attributes & 0x10; }
    bool is_control() const { return attributes & 0x20; }
    int64_t last_offset() const { return base_offset + last_offset_delta; }
    int64_t next_offset() const { return last_offset() + 1; }
    size_t size() const { return static_cast<size_t>(batch_length) + kBatchLengthOverhead; }
};

// `bytes` holds at least kBatchHeaderSize bytes.
BatchHeader ReadBatchHeader(const uint8_t* bytes);

// Whom the target is to take a batch from, and which sequence its first record has.
struct ProducerStamp {
    int64_t producer_id;
    int16_t epoch;
    int32_t base_sequence;
};

// Writes the header the target gets for the batch at `batch` (whole header readable) to `to`
// (kBatchHeaderSize bytes): base offset 0, leader epoch -1, all attribute bits but the codec's
// cleared, the stamp, and the CRC patched linearly, so that damage to the batch is never signed.
void StampBatchHeader(const uint8_t* batch, const ProducerStamp& stamp, uint8_t* to);

// Whether the batch of `size` bytes matches the CRC in its header. Reads all of it.
bool IsCrcRight(const uint8_t* batch, size_t size);

}  // namespace heliostat

#endif  // HELIOSTAT_BATCH_HEADER_H_
