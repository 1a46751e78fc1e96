// The requests the data path speaks, as bytes: what is written and how an answer is read. Pure.
// Versions without flexible encoding are used where they tell enough; every broker from 0.11 to 4.x
// has them. Those that are older are for sources of 0.10.
#ifndef HELIOSTAT_PROTOCOL_H_
#define HELIOSTAT_PROTOCOL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "batch_walk.h"
#include "big_endian.h"
#include "cursor.h"

namespace heliostat {

inline constexpr int16_t kFetchMin = 2, kFetchMax = 13;
inline constexpr int16_t kProduceMin = 3, kProduceMax = 8;
inline constexpr int16_t kMetadataMin = 1, kMetadataMax = 8;
inline constexpr int16_t kInitProducerIdMin = 0, kInitProducerIdMax = 1;
inline constexpr int16_t kDescribeProducers = 0;
inline constexpr int16_t kOffsetCommitMin = 2, kOffsetCommitMax = 9, kOffsetCommitFlexible = 8;
inline constexpr int16_t kLogEnds = 2;
// Below these versions a Fetch has no limit for the answer as a whole (0.10.0), and brings formats
// 0 and 1 alone, without transactions (0.10).
inline constexpr int16_t kFetchWithLimit = 3, kFetchNewFormat = 4;
// From this version on a broker may remember what is fetched (KIP-227).
inline constexpr int16_t kFetchSession = 7;
// From these versions on a Fetch is written in flexible encoding, and names topics by their ids.
inline constexpr int16_t kFetchFlexible = 12, kFetchByTopicId = 13;
inline constexpr int16_t kFetchPlainMax = kFetchFlexible - 1;
inline constexpr size_t kTopicIdSize = 16;
// Below this version a broker refuses zstd.
inline constexpr int16_t kProduceZstd = 7;

// Appends wire integers and strings to a buffer that is used again for the next request.
class Encoder {
   public:
    void Clear() { bytes_.clear(); }
    template <typename Integer>
    void Write(std::type_identity_t<Integer> value) {
        const size_t at = bytes_.size();
        bytes_.resize(at + sizeof(Integer));
        StoreBigEndian<Integer>(bytes_.data() + at, value);
    }
    void WriteString(std::string_view text) {
        Write<int16_t>(static_cast<int16_t>(text.size()));
        bytes_.insert(bytes_.end(), text.begin(), text.end());
    }
    // As flexible encoding has it: 7 bits a byte, low ones first.
    void WriteUvarint(uint32_t value) {
        for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<uint8_t>(value | 0x80));
        bytes_.push_back(static_cast<uint8_t>(value));
    }
    // Counts and lengths are one more than they say; 0 is null.
    void WriteCompactCount(size_t count) { WriteUvarint(static_cast<uint32_t>(count) + 1); }
    void WriteCompactString(std::string_view text) {
        WriteCompactCount(text.size());
        bytes_.insert(bytes_.end(), text.begin(), text.end());
    }
    void WriteNoTags() { bytes_.push_back(0); }
    // Space for `size` bytes that the caller fills before the next write.
    uint8_t* Extend(size_t size) {
        bytes_.resize(bytes_.size() + size);
        return bytes_.data() + bytes_.size() - size;
    }
    void WriteBytes(const uint8_t* bytes, size_t size) {
        bytes_.insert(bytes_.end(), bytes, bytes + size);
    }
    // Overwrites an int32 written before.
    void Patch(size_t at, int32_t value) { StoreBigEndian<int32_t>(bytes_.data() + at, value); }
    const uint8_t* data() const { return bytes_.data(); }
    size_t size() const { return bytes_.size(); }

   private:
    std::vector<uint8_t> bytes_;
};

// --- Fetch v2–v13: replica_id i32 · max_wait_ms i32 · min_bytes i32 · [v3: max_bytes i32] · [v4:
// isolation i8] · [v7: session_id i32 · session_epoch i32] · topics [name (v13: id 16 bytes) ·
// partitions [index i32 · [v9: current_leader_epoch i32] · fetch_offset i64 · [v12:
// last_fetched_epoch i32] · [v5: log_start i64] · max_bytes i32]] · [v7: forgotten [name (v13: id)
// · partitions [i32]]] · [v11: rack_id]

struct FetchHead {
    int32_t max_wait_ms;
    int32_t min_bytes;
    int32_t max_bytes;
    bool read_committed;
    int32_t topic_count;
    // Epoch 0 asks for a session, -1 does without; later ones name what has changed in it.
    int32_t session_id = 0;
    int32_t session_epoch = -1;
};
// By topic, as it is named in the request.
using ForgottenPartitions = std::map<std::string, std::vector<int32_t>>;
struct FetchPosition {
    int32_t partition;
    int64_t offset;
    // Leader epoch of the record before the offset, by which the broker knows whether its log still
    // has it; -1 not known.
    int32_t last_epoch;
    int32_t max_bytes;
};
void WriteFetchHead(Encoder& to, int16_t version, const FetchHead& head);
// `topic` is the topic's name, or from kFetchByTopicId on its id.
void WriteFetchTopic(Encoder& to, int16_t version, std::string_view topic, int32_t partition_count);
void WriteFetchPartition(Encoder& to, int16_t version, const FetchPosition& position);
void EndFetchTopic(Encoder& to, int16_t version);
void WriteFetchTail(Encoder& to, int16_t version, std::string_view rack,
                    const ForgottenPartitions& forgotten = {});

// Answer v2–v13: throttle_ms i32 · [v7: error i16 · session_id i32] · topics [name (v13: id) ·
// partitions [index i32 · error i16 · high_watermark i64 · [v4: last_stable_offset i64] · [v5:
// log_start i64] · [v4: aborted [producer_id i64 · first_offset i64]] · [v11:
// preferred_read_replica i32] · records bytes · [v12: tag 0: diverging epoch i32 · end_offset
// i64]]]
struct FetchAnswer {
    std::string_view topic;  // as it was asked: its name or its id
    int32_t partition;
    int16_t error;
    int64_t high_watermark;
    int64_t last_stable_offset;  // the high watermark below v4, which knows no transactions
    int64_t log_start;           // -1 below v5
    std::vector<AbortedTransaction> aborted;
    int32_t preferred_read_replica;  // -1 for none
    Cursor::Bytes records;
    // Where the broker's log of the epoch that was told ends, when that lies before the offset: the
    // log was cut. -1 otherwise.
    int64_t diverging_end = -1;
};
struct FetchSummary {
    bool is_well_formed;
    int32_t throttle_ms;
    int16_t error;
    int32_t session_id;  // 0 for none
};
// Calls `each` for every partition in the answer's order; stops at the first malformed one.
FetchSummary ReadFetch(Cursor answer, int16_t version,
                       const std::function<void(FetchAnswer&&)>& each);

// --- Produce v3–v8: transactional_id (null) · acks i16 · timeout_ms i32 · topics [name ·
// partitions [index i32 · records bytes]]

void WriteProduceHead(Encoder& to, int32_t timeout_ms, int32_t topic_count);
void WriteProduceTopic(Encoder& to, std::string_view topic, int32_t partition_count);
void WriteProducePartition(Encoder& to, int32_t partition, uint32_t batch_size);

// Answer v3–v8: topics [name · partitions [index i32 · error i16 · base_offset i64 ·
// log_append_time i64 · [v5: log_start i64] · [v8: record_errors [index i32 · message] ·
// error_message]]] · throttle_ms i32
struct ProduceAnswer {
    std::string_view topic;
    int32_t partition;
    int16_t error;
    int64_t base_offset;
};
struct ProduceSummary {
    bool is_well_formed;
    int32_t throttle_ms;
};
ProduceSummary ReadProduce(Cursor answer, int16_t version,
                           const std::function<void(const ProduceAnswer&)>& each);

// --- Metadata v1–v8, never creating a topic: where a request cannot forbid it (below v4) it names
// none, and the answer holds all.

void WriteMetadata(Encoder& to, int16_t version, const std::vector<std::string>& topics);

struct PartitionLeader {
    std::string_view topic;
    int32_t partition;
    int32_t leader;  // -1 while there is none
};
// False when malformed. Topics with an error have no partitions.
bool ReadMetadata(Cursor answer, int16_t version,
                  const std::function<void(const PartitionLeader&)>& each);

// --- InitProducerId v0–v1 without a transactional id.

void WriteInitProducerId(Encoder& to);
struct InitProducerIdAnswer {
    bool is_well_formed;
    int16_t error;
    int64_t producer_id;
    int16_t epoch;
};
InitProducerIdAnswer ReadInitProducerId(Cursor answer);

// --- DescribeProducers v0 (flexible): topics [name · partitions [i32]]

void WriteDescribeProducers(Encoder& to,
                            const std::map<std::string_view, std::vector<int32_t>>& partitions);

// Answer: throttle_ms i32 · topics [name · partitions [index i32 · error i16 · message ·
// producers [producer_id i64 · epoch i32 · last_sequence i32 · last_timestamp i64 ·
// coordinator_epoch i32 · transaction_start i64]]]
struct ProducersAnswer {
    struct Producer {
        int64_t id;
        int32_t epoch;
        int32_t last_sequence;
        int64_t transaction_start;  // -1 without one
    };
    std::string_view topic;
    int32_t partition;
    int16_t error;
    std::vector<Producer> producers;
};
// False when malformed.
bool ReadDescribeProducers(Cursor answer, const std::function<void(ProducersAnswer&&)>& each);

// --- OffsetCommit v2–v9: group · generation i32 · member · [v2–v4: retention i64] · [v7: instance]
// · topics [name · partitions [index i32 · offset i64 · [v6: leader epoch i32] · metadata]]. The
// generation is the member's epoch under the group protocol of v9 (KIP-848).

struct Committer {
    std::string_view group;
    int32_t generation;
    std::string_view member;
    const char* instance;  // null: not a static member
};
struct CommitRow {
    int64_t offset;
    int32_t leader_epoch;  // -1 not known
    std::string_view metadata;
};
using CommitRows = std::map<std::string_view, std::map<int32_t, CommitRow>>;
void WriteOffsetCommit(Encoder& to, int16_t version, const Committer& committer,
                       const CommitRows& topics);

// Answer: [v3: throttle_ms i32] · topics [name · partitions [index i32 · error i16]]. False when
// malformed.
bool ReadOffsetCommit(
    Cursor answer, int16_t version,
    const std::function<void(std::string_view topic, int32_t partition, int16_t error)>& each);

// --- OffsetForLeaderEpoch v2: topics [name · partitions [index i32 · current_leader_epoch i32 ·
// leader_epoch i32]]. Both epochs are the leader's: the end of its own epoch is that of its log.

struct LogEndQuestion {
    int32_t partition;
    int32_t epoch;
};
void WriteLogEnds(Encoder& to,
                  const std::map<std::string_view, std::vector<LogEndQuestion>>& partitions);

// Answer: throttle_ms i32 · topics [name · partitions [error i16 · index i32 · leader_epoch i32 ·
// end_offset i64]]
struct LogEndAnswer {
    std::string_view topic;
    int32_t partition;
    int16_t error;
    int32_t epoch;
    int64_t end;
};
// False when malformed.
bool ReadLogEnds(Cursor answer, const std::function<void(const LogEndAnswer&)>& each);

}  // namespace heliostat

#endif  // HELIOSTAT_PROTOCOL_H_
