// Feeds damaged answers to the readers of the data path, to be run under AddressSanitizer and
// UBSan.
//   fuzz [--seed N] [--seconds N] [--count N] [--corpus FILE]
// The same seed, count and corpus give the same inputs. The corpus holds answers by API, version
// and hex digits, one a line: each is read as it is, and then damaged. What fails is printed as
// such a line, to be added to the corpus.

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

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

enum class Api { kFetch, kProduce, kMetadata, kInitProducerId, kDescribeProducers };
constexpr const char* kApiNames[] = {"fetch", "produce", "metadata", "init-producer-id",
                                     "describe-producers"};

struct Answer {
    Api api;
    int16_t version;
    Bytes bytes;
};

// What is being read, to be told when it turns out to do harm.
const Answer* reading = nullptr;

void PrintInput() {
    if (!reading) return;
    std::printf("input: %s %d ", kApiNames[static_cast<int>(reading->api)], reading->version);
    for (const uint8_t byte : reading->bytes) std::printf("%02x", byte);
    std::printf("\n");
    std::fflush(stdout);
}

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

// A message of format 0 or 1: offset i64 · size i32 · crc i32 · magic i8 · attributes i8 · …
Bytes OldMessage(Random& random, int64_t offset) {
    Bytes message(static_cast<size_t>(Between(random, 26, 60)));
    StoreBigEndian<int64_t>(message.data(), offset);
    StoreBigEndian<int32_t>(message.data() + 8, static_cast<int32_t>(message.size()) - 12);
    message[16] = static_cast<uint8_t>(random() % 2);
    return message;
}

Bytes RandomRecords(Random& random) {
    Bytes bytes;
    int64_t offset = 10;
    for (int64_t i = Between(random, 0, 6); i > 0; i--) {
        if (random() % 8 == 0) {
            Append(bytes, OldMessage(random, offset++));
            continue;
        }
        const Bytes batch = MakeBatch(RandomSpec(random, offset));
        offset = ReadBatchHeader(batch.data()).next_offset();
        Append(bytes, batch);
    }
    if (random() % 4 == 0 && !bytes.empty())
        bytes.resize(bytes.size() -
                     std::min(bytes.size(), static_cast<size_t>(Between(random, 0, 60))));
    return bytes;
}

void PutCount(Encoder& to, bool is_flexible, int64_t count) {
    if (is_flexible) {
        to.WriteUvarint(static_cast<uint32_t>(count + 1));
    } else {
        to.Write<int32_t>(static_cast<int32_t>(count));
    }
}

// The tags of a partition; 0 is the diverging epoch.
void PutTags(Random& random, Encoder& to) {
    if (random() % 3 != 0) return to.WriteNoTags();
    Encoder field;
    field.Write<int32_t>(static_cast<int32_t>(Between(random, -1, 9)));
    field.Write<int64_t>(Between(random, -1, 30));
    field.WriteNoTags();
    to.WriteUvarint(1);
    to.WriteUvarint(static_cast<uint32_t>(Between(random, 0, 3)));
    to.WriteUvarint(static_cast<uint32_t>(field.size()));
    to.WriteBytes(field.data(), field.size());
}

Encoder RandomFetch(Random& random, int16_t version) {
    const bool is_flexible = version >= kFetchFlexible;
    Encoder to;
    to.Write<int32_t>(0);
    if (version >= 7) {
        to.Write<int16_t>(0);
        to.Write<int32_t>(0);
    }
    const auto topics = Between(random, 0, 2);
    PutCount(to, is_flexible, topics);
    for (int64_t topic = 0; topic < topics; topic++) {
        if (version >= kFetchByTopicId) {
            to.WriteBytes(reinterpret_cast<const uint8_t*>("0123456789abcdef"), kTopicIdSize);
        } else if (is_flexible) {
            to.WriteCompactString("topic");
        } else {
            to.WriteString("topic");
        }
        const auto partitions = Between(random, 0, 3);
        PutCount(to, is_flexible, partitions);
        for (int64_t partition = 0; partition < partitions; partition++) {
            to.Write<int32_t>(static_cast<int32_t>(partition));
            to.Write<int16_t>(0);
            to.Write<int64_t>(1'000);
            if (version >= kFetchNewFormat) to.Write<int64_t>(1'000);
            if (version >= 5) to.Write<int64_t>(0);
            const auto aborted = version >= kFetchNewFormat ? Between(random, -1, 3) : 0;
            if (version >= kFetchNewFormat) PutCount(to, is_flexible, aborted);
            for (int64_t i = 0; i < aborted; i++) {
                to.Write<int64_t>(Between(random, 0, 3));
                to.Write<int64_t>(Between(random, 0, 30));
                if (is_flexible) to.WriteNoTags();
            }
            if (version >= 11) to.Write<int32_t>(-1);
            const Bytes records = RandomRecords(random);
            PutCount(to, is_flexible, static_cast<int64_t>(records.size()));
            to.WriteBytes(records.data(), records.size());
            if (is_flexible) PutTags(random, to);
        }
        if (is_flexible) to.WriteNoTags();
    }
    if (is_flexible) to.WriteNoTags();
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
    if (version >= 3) to.Write<int32_t>(0);
    to.Write<int32_t>(1);
    to.Write<int32_t>(1);
    to.WriteString("host");
    to.Write<int32_t>(9092);
    to.Write<int16_t>(-1);
    if (version >= 2) to.WriteString("cluster");
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

Encoder RandomInitProducerId(Random& random) {
    Encoder to;
    to.Write<int32_t>(0);
    to.Write<int16_t>(0);
    to.Write<int64_t>(Between(random, -1, 1'000));
    to.Write<int16_t>(0);
    return to;
}

Encoder RandomDescribeProducers(Random& random) {
    Encoder to;
    to.Write<int32_t>(0);
    const auto topics = static_cast<size_t>(Between(random, 0, 2));
    to.WriteCompactCount(topics);
    for (size_t topic = 0; topic < topics; topic++) {
        to.WriteCompactString("topic");
        const auto partitions = static_cast<size_t>(Between(random, 0, 3));
        to.WriteCompactCount(partitions);
        for (size_t partition = 0; partition < partitions; partition++) {
            to.Write<int32_t>(static_cast<int32_t>(partition));
            to.Write<int16_t>(0);
            to.WriteUvarint(0);
            const auto producers = static_cast<size_t>(Between(random, 0, 3));
            to.WriteCompactCount(producers);
            for (size_t i = 0; i < producers; i++) {
                to.Write<int64_t>(Between(random, 0, 9));
                to.Write<int32_t>(0);
                to.Write<int32_t>(static_cast<int32_t>(Between(random, -1, 99)));
                to.Write<int64_t>(-1);
                to.Write<int32_t>(-1);
                to.Write<int64_t>(-1);
                to.WriteNoTags();
            }
            to.WriteNoTags();
        }
        to.WriteNoTags();
    }
    to.WriteNoTags();
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
                        .target_append_time = random() % 2 == 0,
                        .can_reseal = random() % 2 == 0};
    const Walk walk = WalkBatches(task);
    int64_t reached = position;
    size_t held = 0;
    for (const FoundBatch& batch : walk.batches) {
        Require(batch.next_offset > reached, "offsets only go forward");
        Require(batch.base_offset < batch.next_offset, "a batch has at least one offset");
        Require(batch.data >= task.data && batch.size <= task.size &&
                    batch.data + batch.size <= task.data + task.size,
                "a batch lies within the answer");
        Require(batch.size >= kBatchHeaderSize || batch.reason == LaneReason::kOldFormat,
                "a batch has a header");
        Require(batch.path != BatchPath::kReseal || task.can_reseal,
                "nothing is rebuilt where nobody rebuilds");
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

bool Read(const Answer& answer, Random& random, Facts& facts) {
    // On the heap at its exact size, so that a read beyond the end is seen.
    const auto bytes = std::make_unique<uint8_t[]>(answer.bytes.size());
    if (!answer.bytes.empty()) std::memcpy(bytes.get(), answer.bytes.data(), answer.bytes.size());
    const Cursor cursor(bytes.get(), answer.bytes.size());
    switch (answer.api) {
        case Api::kFetch:
            return ReadFetch(cursor, answer.version,
                             [&](FetchAnswer&& partition) { CheckWalk(partition, random, facts); })
                .is_well_formed;
        case Api::kProduce:
            return ReadProduce(cursor, answer.version, [](const ProduceAnswer&) {}).is_well_formed;
        case Api::kMetadata:
            return ReadMetadata(cursor, answer.version, [](const PartitionLeader&) {});
        case Api::kInitProducerId:
            return ReadInitProducerId(cursor).is_well_formed;
        case Api::kDescribeProducers:
            return ReadDescribeProducers(cursor, [](ProducersAnswer&&) {});
    }
    return false;
}

void ReadOne(const Answer& answer, Random& random, Facts& facts) {
    reading = &answer;
    facts.well_formed += Read(answer, random, facts);
    facts.inputs++;
    reading = nullptr;
}

Answer Make(Random& random) {
    const auto made = [](Api api, int64_t version, const Encoder& bytes) {
        return Answer{api, static_cast<int16_t>(version),
                      Bytes(bytes.data(), bytes.data() + bytes.size())};
    };
    switch (Between(random, 0, 8)) {
        case 0: {
            const auto version = Between(random, kProduceMin, kProduceMax);
            return made(Api::kProduce, version,
                        RandomProduce(random, static_cast<int16_t>(version)));
        }
        case 1: {
            const auto version = Between(random, kMetadataMin, kMetadataMax);
            return made(Api::kMetadata, version,
                        RandomMetadata(random, static_cast<int16_t>(version)));
        }
        case 2:
            return made(Api::kInitProducerId, 0, RandomInitProducerId(random));
        case 3:
            return made(Api::kDescribeProducers, 0, RandomDescribeProducers(random));
        default: {
            const auto version = Between(random, kFetchMin, kFetchMax);
            return made(Api::kFetch, version, RandomFetch(random, static_cast<int16_t>(version)));
        }
    }
}

void RunOne(Random& random, const std::vector<Answer>& corpus, Facts& facts) {
    const bool is_kept = !corpus.empty() && random() % 8 == 0;
    Answer answer = is_kept ? corpus[static_cast<size_t>(random() % corpus.size())] : Make(random);
    size_t size = answer.bytes.size();
    Mutate(random, answer.bytes.data(), &size);
    answer.bytes.resize(size);
    ReadOne(answer, random, facts);
}

std::vector<Answer> ReadCorpus(const char* path) {
    std::vector<Answer> corpus;
    std::ifstream file(path);
    Require(file.good(), "the corpus can be read");
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        std::string name, digits;
        int version = -1;
        words >> name >> version >> digits;
        size_t api = 0;
        while (api < std::size(kApiNames) && name != kApiNames[api]) api++;
        Require(api < std::size(kApiNames) && digits.size() % 2 == 0, line.c_str());
        Answer answer{static_cast<Api>(api), static_cast<int16_t>(version), {}};
        for (size_t at = 0; at < digits.size(); at += 2)
            answer.bytes.push_back(
                static_cast<uint8_t>(std::stoi(digits.substr(at, 2), nullptr, 16)));
        corpus.push_back(std::move(answer));
    }
    return corpus;
}

}  // namespace
}  // namespace heliostat::testing

int main(int count, char** words) {
    uint64_t seed = 1, seconds = 20, inputs = UINT64_MAX;
    const char* path = nullptr;
    for (int i = 1; i + 1 < count; i += 2) {
        const uint64_t value = std::strtoull(words[i + 1], nullptr, 10);
        if (std::strcmp(words[i], "--seed") == 0) seed = value;
        if (std::strcmp(words[i], "--seconds") == 0) seconds = value;
        if (std::strcmp(words[i], "--count") == 0) inputs = value;
        if (std::strcmp(words[i], "--corpus") == 0) path = words[i + 1];
    }
    std::printf("seed %" PRIu64 "\n", seed);
    std::fflush(stdout);
    heliostat::testing::Random random(seed);
    heliostat::testing::Facts facts;
    // A sanitizer ends the process in its own way; what is not so aborts.
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_set_death_callback(heliostat::testing::PrintInput);
#endif
    std::signal(SIGABRT, [](int) { heliostat::testing::PrintInput(); });
    std::vector<heliostat::testing::Answer> corpus;
    if (path) corpus = heliostat::testing::ReadCorpus(path);
    for (const auto& answer : corpus) heliostat::testing::ReadOne(answer, random, facts);
    std::printf("corpus %zu, well formed %" PRIu64 "\n", corpus.size(), facts.well_formed);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (facts.inputs < inputs &&
           (facts.inputs % 256 != 0 || std::chrono::steady_clock::now() < end))
        heliostat::testing::RunOne(random, corpus, facts);
    std::printf("inputs %" PRIu64 ", well formed %" PRIu64 ", batches %" PRIu64 ", stops %" PRIu64
                "\n",
                facts.inputs, facts.well_formed, facts.batches, facts.stops);
    return 0;
}
