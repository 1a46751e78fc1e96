#include "protocol.h"

namespace heliostat {
namespace {

constexpr int32_t kNoReplica = -1;
constexpr int16_t kAcksAll = -1;
constexpr uint32_t kDivergingEpochTag = 0;
// Brokers before 2.1 forget a commit some time after it was made, a day by default, though the
// group lives: the checkpoint of a partition without news would be lost. Ten years.
constexpr int64_t kCommitRetentionMs = int64_t{10} * 365 * 86'400'000;
constexpr int16_t kMetadataWithoutCreation = 4;

void WriteFetchCount(Encoder& to, int16_t version, int32_t count) {
    if (version >= kFetchFlexible) {
        to.WriteCompactCount(static_cast<size_t>(count));
    } else {
        to.Write<int32_t>(count);
    }
}

// The tags of a partition: 0 is the diverging epoch (epoch i32 · end_offset i64), others pass by.
int64_t ReadDivergingEnd(Cursor& answer) {
    int64_t end = -1;
    answer.ReadTags([&](uint32_t tag, Cursor field) {
        if (tag != kDivergingEpochTag) return;
        field.Skip(4);
        const int64_t told = field.Read<int64_t>();
        if (field.ok()) end = told;
    });
    return end;
}

}  // namespace

// --- Fetch

void WriteFetchHead(Encoder& to, int16_t version, const FetchHead& head) {
    to.Write<int32_t>(kNoReplica);
    to.Write<int32_t>(head.max_wait_ms);
    to.Write<int32_t>(head.min_bytes);
    if (version >= kFetchWithLimit) to.Write<int32_t>(head.max_bytes);
    if (version >= kFetchNewFormat) to.Write<int8_t>(head.read_committed ? 1 : 0);
    if (version >= kFetchSession) {
        to.Write<int32_t>(head.session_id);
        to.Write<int32_t>(head.session_epoch);
    }
    WriteFetchCount(to, version, head.topic_count);
}

void WriteFetchTopic(Encoder& to, int16_t version, std::string_view topic,
                     int32_t partition_count) {
    if (version >= kFetchByTopicId) {
        to.WriteBytes(reinterpret_cast<const uint8_t*>(topic.data()), topic.size());
    } else if (version >= kFetchFlexible) {
        to.WriteCompactString(topic);
    } else {
        to.WriteString(topic);
    }
    WriteFetchCount(to, version, partition_count);
}

void WriteFetchPartition(Encoder& to, int16_t version, const FetchPosition& position) {
    to.Write<int32_t>(position.partition);
    if (version >= 9) to.Write<int32_t>(-1);  // current leader epoch: not checked
    to.Write<int64_t>(position.offset);
    if (version >= kFetchFlexible) to.Write<int32_t>(position.last_epoch);
    if (version >= 5) to.Write<int64_t>(-1);  // log start: for followers only
    to.Write<int32_t>(position.max_bytes);
    if (version >= kFetchFlexible) to.WriteNoTags();
}

void EndFetchTopic(Encoder& to, int16_t version) {
    if (version >= kFetchFlexible) to.WriteNoTags();
}

void WriteFetchTail(Encoder& to, int16_t version, std::string_view rack,
                    const ForgottenPartitions& forgotten) {
    if (version >= kFetchSession)
        WriteFetchCount(to, version, static_cast<int32_t>(forgotten.size()));
    for (const auto& [topic, partitions] : forgotten) {
        WriteFetchTopic(to, version, topic, static_cast<int32_t>(partitions.size()));
        for (const int32_t partition : partitions) to.Write<int32_t>(partition);
        EndFetchTopic(to, version);
    }
    if (version >= kFetchFlexible) {
        to.WriteCompactString(rack);
    } else if (version >= 11) {
        to.WriteString(rack);
    }
}

FetchSummary ReadFetch(Cursor answer, int16_t version,
                       const std::function<void(FetchAnswer&&)>& each) {
    const bool is_flexible = version >= kFetchFlexible;
    const auto count = [&](size_t smallest) {
        return is_flexible ? answer.ReadCompactCount(smallest) : answer.ReadCount(smallest);
    };
    FetchSummary summary{false, answer.Read<int32_t>(), 0, 0};
    if (version >= kFetchSession) {
        summary.error = answer.Read<int16_t>();
        summary.session_id = answer.Read<int32_t>();
    }
    const size_t topics = count(3);
    for (size_t t = 0; t < topics && answer.ok(); t++) {
        const std::string_view topic = version >= kFetchByTopicId ? answer.ReadText(kTopicIdSize)
                                       : is_flexible              ? answer.ReadCompactString()
                                                                  : answer.ReadString();
        const size_t partitions = count(version >= kFetchNewFormat ? 26 : 18);
        for (size_t p = 0; p < partitions && answer.ok(); p++) {
            FetchAnswer partition{};
            partition.topic = topic;
            partition.partition = answer.Read<int32_t>();
            partition.error = answer.Read<int16_t>();
            partition.high_watermark = answer.Read<int64_t>();
            partition.last_stable_offset =
                version >= kFetchNewFormat ? answer.Read<int64_t>() : partition.high_watermark;
            partition.log_start = version >= 5 ? answer.Read<int64_t>() : -1;
            const size_t aborted = version >= kFetchNewFormat ? count(16) : 0;
            partition.aborted.reserve(aborted);
            for (size_t a = 0; a < aborted; a++) {
                const int64_t producer_id = answer.Read<int64_t>();
                partition.aborted.push_back({producer_id, answer.Read<int64_t>()});
                if (is_flexible) answer.SkipTags();
            }
            partition.preferred_read_replica = version >= 11 ? answer.Read<int32_t>() : -1;
            partition.records = is_flexible ? answer.ReadCompactBytes() : answer.ReadBytes();
            partition.diverging_end = is_flexible ? ReadDivergingEnd(answer) : -1;
            if (answer.ok()) each(std::move(partition));
        }
        if (is_flexible) answer.SkipTags();
    }
    if (is_flexible) answer.SkipTags();
    summary.is_well_formed = answer.ok();
    return summary;
}

// --- Produce

void WriteProduceHead(Encoder& to, int32_t timeout_ms, int32_t topic_count) {
    to.Write<int16_t>(-1);
    to.Write<int16_t>(kAcksAll);
    to.Write<int32_t>(timeout_ms);
    to.Write<int32_t>(topic_count);
}

void WriteProduceTopic(Encoder& to, std::string_view topic, int32_t partition_count) {
    to.WriteString(topic);
    to.Write<int32_t>(partition_count);
}

void WriteProducePartition(Encoder& to, int32_t partition, uint32_t batch_size) {
    to.Write<int32_t>(partition);
    to.Write<int32_t>(static_cast<int32_t>(batch_size));
}

ProduceSummary ReadProduce(Cursor answer, int16_t version,
                           const std::function<void(const ProduceAnswer&)>& each) {
    const size_t topics = answer.ReadCount(6);
    for (size_t t = 0; t < topics && answer.ok(); t++) {
        const std::string_view topic = answer.ReadString();
        const size_t partitions = answer.ReadCount(22);
        for (size_t p = 0; p < partitions && answer.ok(); p++) {
            ProduceAnswer partition{};
            partition.topic = topic;
            partition.partition = answer.Read<int32_t>();
            partition.error = answer.Read<int16_t>();
            partition.base_offset = answer.Read<int64_t>();
            // Adding records to it may not overflow; whether the batch was written is then unknown.
            if (partition.base_offset > kMostOffset) return {false, 0};
            answer.Skip(8);
            if (version >= 5) answer.Skip(8);
            if (version >= 8) {
                const size_t errors = answer.ReadCount(6);
                for (size_t e = 0; e < errors; e++) {
                    answer.Skip(4);
                    answer.ReadString();
                }
                answer.ReadString();
            }
            if (answer.ok()) each(partition);
        }
    }
    const int32_t throttle_ms = answer.Read<int32_t>();
    return {answer.ok(), throttle_ms};
}

// --- Metadata

void WriteMetadata(Encoder& to, int16_t version, const std::vector<std::string>& topics) {
    if (version < kMetadataWithoutCreation) {
        to.Write<int32_t>(-1);
        return;
    }
    to.Write<int32_t>(static_cast<int32_t>(topics.size()));
    for (const std::string& topic : topics) to.WriteString(topic);
    to.Write<int8_t>(0);  // allow auto topic creation
    if (version >= 8) {
        to.Write<int8_t>(0);  // cluster authorized operations
        to.Write<int8_t>(0);  // topic authorized operations
    }
}

bool ReadMetadata(Cursor answer, int16_t version,
                  const std::function<void(const PartitionLeader&)>& each) {
    if (version >= 3) answer.Skip(4);  // throttle time
    const size_t brokers = answer.ReadCount(12);
    for (size_t b = 0; b < brokers; b++) {
        answer.Skip(4);
        answer.ReadString();
        answer.Skip(4);
        answer.ReadString();
    }
    if (version >= 2) answer.ReadString();  // cluster id
    answer.Skip(4);                         // controller
    const size_t topics = answer.ReadCount(9);
    for (size_t t = 0; t < topics && answer.ok(); t++) {
        answer.Skip(2);
        const std::string_view topic = answer.ReadString();
        answer.Skip(1);
        const size_t partitions = answer.ReadCount(18);
        for (size_t p = 0; p < partitions && answer.ok(); p++) {
            answer.Skip(2);
            const int32_t index = answer.Read<int32_t>();
            const int32_t leader = answer.Read<int32_t>();
            if (version >= 7) answer.Skip(4);  // leader epoch
            // Replicas, in-sync replicas and, since v5, offline replicas.
            for (int list = 0; list < (version >= 5 ? 3 : 2); list++)
                answer.Skip(4 * answer.ReadCount(4));
            if (answer.ok()) each({topic, index, leader});
        }
        if (version >= 8) answer.Skip(4);
    }
    return answer.ok();
}

// --- InitProducerId

void WriteInitProducerId(Encoder& to) {
    to.Write<int16_t>(-1);
    to.Write<int32_t>(60'000);  // transaction time-out: not used without a transactional id
}

InitProducerIdAnswer ReadInitProducerId(Cursor answer) {
    answer.Skip(4);  // throttle time
    const int16_t error = answer.Read<int16_t>();
    const int64_t producer_id = answer.Read<int64_t>();
    const int16_t epoch = answer.Read<int16_t>();
    return {answer.ok(), error, producer_id, epoch};
}

void WriteDescribeProducers(Encoder& to,
                            const std::map<std::string_view, std::vector<int32_t>>& partitions) {
    to.WriteCompactCount(partitions.size());
    for (const auto& [topic, indexes] : partitions) {
        to.WriteCompactString(topic);
        to.WriteCompactCount(indexes.size());
        for (const int32_t index : indexes) to.Write<int32_t>(index);
        to.WriteNoTags();
    }
}

bool ReadDescribeProducers(Cursor answer, const std::function<void(ProducersAnswer&&)>& each) {
    answer.Skip(4);
    const size_t topics = answer.ReadCompactCount(3);
    for (size_t t = 0; t < topics && answer.ok(); t++) {
        const std::string_view topic = answer.ReadCompactString();
        const size_t partitions = answer.ReadCompactCount(9);
        for (size_t p = 0; p < partitions && answer.ok(); p++) {
            ProducersAnswer partition{topic, answer.Read<int32_t>(), answer.Read<int16_t>(), {}};
            answer.ReadCompactString();
            const size_t producers = answer.ReadCompactCount(37);
            partition.producers.reserve(producers);
            for (size_t i = 0; i < producers && answer.ok(); i++) {
                const auto id = answer.Read<int64_t>();
                const auto epoch = answer.Read<int32_t>();
                const auto last_sequence = answer.Read<int32_t>();
                answer.Skip(8 + 4);
                partition.producers.push_back({id, epoch, last_sequence, answer.Read<int64_t>()});
                answer.SkipTags();
            }
            answer.SkipTags();
            if (answer.ok()) each(std::move(partition));
        }
        answer.SkipTags();
    }
    return answer.ok();
}

void WriteOffsetCommit(Encoder& to, int16_t version, const Committer& committer,
                       const CommitRows& topics) {
    const bool is_flexible = version >= kOffsetCommitFlexible;
    const auto write_text = [&](std::string_view text) {
        is_flexible ? to.WriteCompactString(text) : to.WriteString(text);
    };
    const auto write_count = [&](size_t count) {
        is_flexible ? to.WriteCompactCount(count) : to.Write<int32_t>(static_cast<int32_t>(count));
    };
    write_text(committer.group);
    to.Write<int32_t>(committer.generation);
    write_text(committer.member);
    if (version <= 4) to.Write<int64_t>(kCommitRetentionMs);
    if (version >= 7) {
        if (committer.instance) {
            write_text(committer.instance);
        } else {
            is_flexible ? to.WriteUvarint(0) : to.Write<int16_t>(-1);
        }
    }
    write_count(topics.size());
    for (const auto& [topic, rows] : topics) {
        write_text(topic);
        write_count(rows.size());
        for (const auto& [partition, row] : rows) {
            to.Write<int32_t>(partition);
            to.Write<int64_t>(row.offset);
            if (version >= 6) to.Write<int32_t>(row.leader_epoch);
            write_text(row.metadata);
            if (is_flexible) to.WriteNoTags();
        }
        if (is_flexible) to.WriteNoTags();
    }
}

bool ReadOffsetCommit(Cursor answer, int16_t version,
                      const std::function<void(std::string_view, int32_t, int16_t)>& each) {
    const bool is_flexible = version >= kOffsetCommitFlexible;
    const auto read_count = [&](size_t least) {
        return is_flexible ? answer.ReadCompactCount(least) : answer.ReadCount(least);
    };
    if (version >= 3) answer.Skip(4);
    const size_t topics = read_count(3);
    for (size_t t = 0; t < topics && answer.ok(); t++) {
        const auto topic = is_flexible ? answer.ReadCompactString() : answer.ReadString();
        const size_t partitions = read_count(6);
        for (size_t p = 0; p < partitions && answer.ok(); p++) {
            const auto partition = answer.Read<int32_t>();
            const auto error = answer.Read<int16_t>();
            if (is_flexible) answer.SkipTags();
            if (answer.ok()) each(topic, partition, error);
        }
        if (is_flexible) answer.SkipTags();
    }
    if (is_flexible) answer.SkipTags();
    return answer.ok();
}

void WriteLogEnds(Encoder& to,
                  const std::map<std::string_view, std::vector<LogEndQuestion>>& partitions) {
    to.Write<int32_t>(static_cast<int32_t>(partitions.size()));
    for (const auto& [topic, questions] : partitions) {
        to.WriteString(topic);
        to.Write<int32_t>(static_cast<int32_t>(questions.size()));
        for (const auto& [partition, epoch] : questions) {
            to.Write<int32_t>(partition);
            to.Write<int32_t>(epoch);
            to.Write<int32_t>(epoch);
        }
    }
}

bool ReadLogEnds(Cursor answer, const std::function<void(const LogEndAnswer&)>& each) {
    answer.Skip(4);
    const size_t topics = answer.ReadCount(6);
    for (size_t t = 0; t < topics && answer.ok(); t++) {
        const std::string_view topic = answer.ReadString();
        const size_t partitions = answer.ReadCount(18);
        for (size_t p = 0; p < partitions && answer.ok(); p++) {
            const auto error = answer.Read<int16_t>();
            const auto partition = answer.Read<int32_t>();
            const auto epoch = answer.Read<int32_t>();
            const LogEndAnswer end{topic, partition, error, epoch, answer.Read<int64_t>()};
            if (answer.ok()) each(end);
        }
    }
    return answer.ok();
}

}  // namespace heliostat
