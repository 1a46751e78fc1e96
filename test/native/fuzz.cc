// Feeds damaged answers to the readers of the data path, to be run under AddressSanitizer and
// UBSan.
//   fuzz [--seed N] [--seconds N] [--count N]
// The same seed and count give the same inputs. A failure prints which input it was.

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "batch_bytes.h"
#include "check.h"
#include "protocol.h"

namespace heliostat::testing {
namespace {

struct Facts {
    uint64_t inputs = 0;
    uint64_t well_formed = 0;
    uint64_t batches = 0;
    uint64_t stops = 0;
};

void Require(bool is_right, const char* what) {
    if (is_right) return;
    std::printf("not so: %s\n", what);
    std::fflush(stdout);
    std::abort();
}

BatchSpec RandomSpec(Random& random, int64_t offset) {
    BatchSpec spec{.base_offset = offset};
    const auto records = static_cast<int32_t>(Between(random, 1, 4));
    spec.deltas.clear();
    for (int32_t i = 0; i < records; i++) spec.deltas.push_back(i);
    spec.producer_id = Between(random, -1, 3);
    spec.attributes = static_cast<int16_t>(Between(random, 0, 4));
    if (spec.attributes != 0) spec.payload = "some compressed bytes";
    if (random() % 3 == 0) spec.attributes |= 0x10;
    if (random() % 4 == 0) {
        spec = {.base_offset = offset, .attributes = 0x30, .producer_id = spec.producer_id};
        spec.marker = static_cast<int>(random() % 2);
    }
    if (random() % 10 == 0) spec.last_offset_delta = static_cast<int32_t>(Between(random, 0, 9));
    return spec;
}

Bytes RandomRecords(Random& random) {
    Bytes bytes;
    int64_t offset = 10;
    for (int64_t i = Between(random, 0, 6); i > 0; i--) {
        const Bytes batch = MakeBatch(RandomSpec(random, offset));
        offset = ReadBatchHeader(batch.data()).next_offset();
        Append(bytes, batch);
    }
    if (random() % 4 == 0 && !bytes.empty())
        bytes.resize(bytes.size() - static_cast<size_t>(Between(random, 0, 60)));
    return bytes;
}

Encoder RandomFetch(Random& random, int16_t version) {
    Encoder to;
    to.Write<int32_t>(0);
    if (version >= 7) {
        to.Write<int16_t>(0);
        to.Write<int32_t>(0);
    }
    const auto topics = static_cast<int32_t>(Between(random, 0, 2));
    to.Write<int32_t>(topics);
    for (int32_t topic = 0; topic < topics; topic++) {
        to.WriteString("topic");
        const auto partitions = static_cast<int32_t>(Between(random, 0, 3));
        to.Write<int32_t>(partitions);
        for (int32_t partition = 0; partition < partitions; partition++) {
            to.Write<int32_t>(partition);
            to.Write<int16_t>(0);
            to.Write<int64_t>(1'000);
            to.Write<int64_t>(1'000);
            if (version >= 5) to.Write<int64_t>(0);
            const auto aborted = static_cast<int32_t>(Between(random, -1, 3));
            to.Write<int32_t>(aborted);
            for (int32_t i = 0; i < aborted; i++) {
                to.Write<int64_t>(Between(random, 0, 3));
                to.Write<int64_t>(Between(random, 0, 30));
            }
            if (version >= 11) to.Write<int32_t>(-1);
            const Bytes records = RandomRecords(random);
            to.Write<int32_t>(static_cast<int32_t>(records.size()));
            to.WriteBytes(records.data(), records.size());
        }
    }
    return to;
}

Encoder RandomProduce(Random& random, int16_t version) {
    Encoder to;
    to.Write<int32_t>(1);
    to.WriteString("topic");
    const auto partitions = static_cast<int32_t>(Between(random, 0, 4));
    to.Write<int32_t>(partitions);
    for (int32_t partition = 0; partition < partitions; partition++) {
        to.Write<int32_t>(partition);
        to.Write<int16_t>(static_cast<int16_t>(Between(random, -1, 90)));
        to.Write<int64_t>(Between(random, -1, 1'000));
        to.Write<int64_t>(-1);
        if (version >= 5) to.Write<int64_t>(0);
        if (version < 8) continue;
        const auto errors = static_cast<int32_t>(Between(random, 0, 2));
        to.Write<int32_t>(errors);
        for (int32_t i = 0; i < errors; i++) {
            to.Write<int32_t>(i);
            to.WriteString("why");
        }
        to.Write<int16_t>(-1);
    }
    to.Write<int32_t>(0);
    return to;
}

Encoder RandomMetadata(Random& random, int16_t version) {
    Encoder to;
    to.Write<int32_t>(0);
    to.Write<int32_t>(1);
    to.Write<int32_t>(1);
    to.WriteString("host");
    to.Write<int32_t>(9092);
    to.Write<int16_t>(-1);
    to.WriteString("cluster");
    to.Write<int32_t>(1);
    const auto topics = static_cast<int32_t>(Between(random, 0, 3));
    to.Write<int32_t>(topics);
    for (int32_t topic = 0; topic < topics; topic++) {
        to.Write<int16_t>(0);
        to.WriteString("topic");
        to.Write<int8_t>(0);
        to.Write<int32_t>(1);
        to.Write<int16_t>(0);
        to.Write<int32_t>(0);
        to.Write<int32_t>(1);
        if (version >= 7) to.Write<int32_t>(1);
        for (int list = 0; list < (version >= 5 ? 3 : 2); list++) {
            to.Write<int32_t>(1);
            to.Write<int32_t>(1);
        }
        if (version >= 8) to.Write<int32_t>(0);
    }
    return to;
}

// Values that overflow, flip a sign or lie next to a limit.
uint8_t* Mutate(Random& random, uint8_t* bytes, size_t* size) {
    static constexpr int64_t kOdd[] = {0,  1,         -1,        -2,        60,
                                       61, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    for (int64_t i = Between(random, 0, 4); i > 0 && *size > 0; i--) {
        const auto at = static_cast<size_t>(Between(random, 0, static_cast<int64_t>(*size) - 1));
        const int64_t odd = kOdd[Between(random, 0, std::size(kOdd) - 1)];
        switch (Between(random, 0, 5)) {
            case 0:
                bytes[at] ^= static_cast<uint8_t>(1 << Between(random, 0, 7));
                break;
            case 1:
                bytes[at] = static_cast<uint8_t>(random());
                break;
            case 2:
                if (at + 4 <= *size) StoreBigEndian<int32_t>(bytes + at, static_cast<int32_t>(odd));
                break;
            case 3:
                if (at + 8 <= *size) StoreBigEndian<int64_t>(bytes + at, odd);
                break;
            case 4:
                if (at + 2 <= *size) StoreBigEndian<int16_t>(bytes + at, static_cast<int16_t>(odd));
                break;
            default:
                *size = at;
        }
    }
    return bytes;
}

void CheckWalk(const FetchAnswer& answer, Random& random, Facts& facts) {
    const int64_t position = Between(random, 0, 20);
    const WalkTask task{.data = answer.records.data,
                        .size = answer.records.size,
                        .position = position,
                        .log_start = answer.log_start,
                        .high_watermark = answer.high_watermark,
                        .read_committed = random() % 2 == 0,
                        .aborted = answer.aborted,
                        .target_max_batch_bytes = 1'000,
                        .target_append_time = random() % 2 == 0};
    const Walk walk = WalkBatches(task);
    int64_t reached = position;
    size_t held = 0;
    for (const FoundBatch& batch : walk.batches) {
        Require(batch.next_offset > reached, "offsets only go forward");
        Require(batch.base_offset < batch.next_offset, "a batch has at least one offset");
        Require(batch.data >= task.data && batch.size <= task.size &&
                    batch.data + batch.size <= task.data + task.size,
                "a batch lies within the answer");
        Require(batch.size >= kBatchHeaderSize, "a batch has a header");
        if (batch.path == BatchPath::kShallow) {
            Require(batch.base_offset >= reached, "nothing below the position passes");
            Require(batch.record_count == batch.next_offset - batch.base_offset,
                    "what passes is dense");
            Require(batch.size <= 1'000, "what passes fits the target");
            Bytes stamped(batch.data, batch.data + batch.size);
            StampBatchHeader(batch.data, {5, 0, 7}, stamped.data());
            Require(
                IsCrcRight(batch.data, batch.size) == IsCrcRight(stamped.data(), stamped.size()),
                "a new header neither mends nor breaks the CRC");
        }
        reached = batch.next_offset;
        held += batch.size;
    }
    Require(held + walk.discarded_bytes <= task.size, "no byte counts twice");
    if (walk.stop) Require(walk.stop->offset >= reached, "a stop lies behind what passes");
    facts.batches += walk.batches.size();
    facts.stops += walk.stop.has_value();
}

void RunOne(Random& random, Facts& facts) {
    const auto kind = Between(random, 0, 3);
    const auto version =
        static_cast<int16_t>(kind < 2    ? Between(random, kFetchMin, kFetchMax)
                             : kind == 2 ? Between(random, kProduceMin, kProduceMax)
                                         : Between(random, kMetadataMin, kMetadataMax));
    const Encoder made = kind < 2    ? RandomFetch(random, version)
                         : kind == 2 ? RandomProduce(random, version)
                                     : RandomMetadata(random, version);
    // On the heap at its exact size, so that a read beyond the end is seen.
    size_t size = made.size();
    auto scratch = std::make_unique<uint8_t[]>(size);
    std::memcpy(scratch.get(), made.data(), size);
    Mutate(random, scratch.get(), &size);
    const auto bytes = std::make_unique<uint8_t[]>(size);
    std::memcpy(bytes.get(), scratch.get(), size);
    const Cursor cursor(bytes.get(), size);
    bool is_well_formed = false;
    if (kind < 2) {
        is_well_formed = ReadFetch(cursor, version, [&](FetchAnswer&& answer) {
                             CheckWalk(answer, random, facts);
                         }).is_well_formed;
    } else if (kind == 2) {
        is_well_formed = ReadProduce(cursor, version, [](const ProduceAnswer&) {}).is_well_formed;
    } else {
        is_well_formed = ReadMetadata(cursor, version, [](const PartitionLeader&) {});
    }
    facts.well_formed += is_well_formed;
    facts.inputs++;
}

}  // namespace
}  // namespace heliostat::testing

int main(int count, char** words) {
    uint64_t seed = 1, seconds = 20, inputs = UINT64_MAX;
    for (int i = 1; i + 1 < count; i += 2) {
        const uint64_t value = std::strtoull(words[i + 1], nullptr, 10);
        if (std::strcmp(words[i], "--seed") == 0) seed = value;
        if (std::strcmp(words[i], "--seconds") == 0) seconds = value;
        if (std::strcmp(words[i], "--count") == 0) inputs = value;
    }
    std::printf("seed %" PRIu64 "\n", seed);
    std::fflush(stdout);
    heliostat::testing::Random random(seed);
    heliostat::testing::Facts facts;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (facts.inputs < inputs &&
           (facts.inputs % 256 != 0 || std::chrono::steady_clock::now() < end))
        heliostat::testing::RunOne(random, facts);
    std::printf("inputs %" PRIu64 ", well formed %" PRIu64 ", batches %" PRIu64 ", stops %" PRIu64
                "\n",
                facts.inputs, facts.well_formed, facts.batches, facts.stops);
    return 0;
}
