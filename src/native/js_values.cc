#include "js_values.h"

#include <array>
#include <cstring>
#include <utility>

namespace {

template <typename Read>
auto ReadArray(const Napi::Value& value, Read read) {
    std::vector<decltype(read(value))> values;
    if (!value.IsArray()) {
        Napi::TypeError::New(value.Env(), "an array is expected").ThrowAsJavaScriptException();
        return values;
    }
    const Napi::Array array = value.As<Napi::Array>();
    const uint32_t length = array.Length();
    values.reserve(length);
    for (uint32_t index = 0; index < length && !value.Env().IsExceptionPending(); ++index) {
        // Keeps the handles of one element from piling up over a long list.
        const Napi::HandleScope scope(value.Env());
        values.push_back(read(array.Get(index)));
    }
    return values;
}

Napi::Value ReadField(const Napi::Value& value, const char* name) {
    if (!value.IsObject()) {
        Napi::TypeError::New(value.Env(), "an object is expected").ThrowAsJavaScriptException();
        return value.Env().Undefined();
    }
    return value.As<Napi::Object>().Get(name);
}

void SetFailure(Napi::Object& object, const std::optional<Failure>& failure) {
    if (failure) object.Set("failure", ToJs(object.Env(), *failure));
}

Napi::Array ToNumbers(Napi::Env env, const std::vector<int32_t>& numbers) {
    Napi::Array array = Napi::Array::New(env, numbers.size());
    for (uint32_t index = 0; index < numbers.size(); ++index) array.Set(index, numbers[index]);
    return array;
}

Napi::Object ToOffset(Napi::Env env, const PartitionOffset& offset) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", offset.topic);
    object.Set("partition", offset.partition);
    object.Set("offset", static_cast<double>(offset.offset));
    if (offset.leader_epoch >= 0) object.Set("leaderEpoch", offset.leader_epoch);
    SetFailure(object, offset.failure);
    return object;
}

}  // namespace

std::string ReadString(const Napi::Value& value) {
    if (!value.IsString()) {
        if (!value.Env().IsExceptionPending()) {
            Napi::TypeError::New(value.Env(), "a string is expected").ThrowAsJavaScriptException();
        }
        return {};
    }
    return value.As<Napi::String>().Utf8Value();
}

int64_t ReadInt64(const Napi::Value& value) {
    if (!value.IsNumber()) {
        if (!value.Env().IsExceptionPending()) {
            Napi::TypeError::New(value.Env(), "a number is expected").ThrowAsJavaScriptException();
        }
        return 0;
    }
    return value.As<Napi::Number>().Int64Value();
}

int ReadInt(const Napi::Value& value) { return static_cast<int>(ReadInt64(value)); }

std::vector<std::string> ReadStrings(const Napi::Value& value) {
    return ReadArray(value, ReadString);
}

Properties ReadProperties(const Napi::Value& value) {
    Properties properties;
    if (!value.IsObject()) {
        Napi::TypeError::New(value.Env(), "an object of strings is expected")
            .ThrowAsJavaScriptException();
        return properties;
    }
    const Napi::Object object = value.As<Napi::Object>();
    for (std::string& name : ReadStrings(object.GetPropertyNames())) {
        std::string text = ReadString(object.Get(name));
        properties.emplace(std::move(name), std::move(text));
    }
    return properties;
}

std::vector<TopicPartition> ReadPartitions(const Napi::Value& value) {
    return ReadArray(value, [](const Napi::Value& element) {
        return TopicPartition{ReadString(ReadField(element, "topic")),
                              ReadInt(ReadField(element, "partition"))};
    });
}

std::vector<PartitionOffset> ReadOffsetsToCommit(const Napi::Value& value) {
    return ReadArray(value, [](const Napi::Value& element) {
        return PartitionOffset{ReadString(ReadField(element, "topic")),
                               ReadInt(ReadField(element, "partition")),
                               ReadInt64(ReadField(element, "offset")),
                               ReadString(ReadField(element, "metadata")),
                               {}};
    });
}

std::vector<PartitionOffset> ReadOffsets(const Napi::Value& value) {
    return ReadArray(value, [](const Napi::Value& element) {
        return PartitionOffset{ReadString(ReadField(element, "topic")),
                               ReadInt(ReadField(element, "partition")),
                               ReadInt64(ReadField(element, "offset")),
                               {},
                               {}};
    });
}

std::vector<PartitionOffset> ReadEpochs(const Napi::Value& value) {
    return ReadArray(value, [](const Napi::Value& element) {
        return PartitionOffset{ReadString(ReadField(element, "topic")),
                               ReadInt(ReadField(element, "partition")),
                               -1,
                               {},
                               {},
                               ReadInt(ReadField(element, "leaderEpoch"))};
    });
}

std::vector<NewBatch> ReadNewBatches(const Napi::Value& value) {
    return ReadArray(value, [](const Napi::Value& element) {
        const auto bytes = ReadField(element, "bytes").As<Napi::Uint8Array>();
        NewBatch batch{ReadString(ReadField(element, "topic")),
                       ReadInt(ReadField(element, "partition")),
                       {bytes.Data(), bytes.Data() + bytes.ByteLength()}};
        const Napi::Value stamp = ReadField(element, "stamp");
        if (!stamp.IsUndefined()) {
            // It is stamped without another check.
            if (batch.bytes.size() < heliostat::kBatchHeaderSize)
                Napi::RangeError::New(element.Env(), "a batch with a stamp has no header")
                    .ThrowAsJavaScriptException();
            batch.stamp = {
                .producer_id = ReadInt64(ReadField(stamp, "producerId")),
                .epoch = static_cast<int16_t>(ReadInt(ReadField(stamp, "producerEpoch"))),
                .base_sequence = ReadInt(ReadField(stamp, "baseSequence"))};
        }
        return batch;
    });
}

std::vector<NewTopic> ReadNewTopics(const Napi::Value& value) {
    return ReadArray(value, [](const Napi::Value& element) {
        return NewTopic{ReadString(ReadField(element, "topic")),
                        ReadInt(ReadField(element, "partitions")),
                        ReadInt(ReadField(element, "replicationFactor")),
                        ReadProperties(ReadField(element, "configs"))};
    });
}

std::vector<TopicTotal> ReadTopicTotals(const Napi::Value& value) {
    return ReadArray(value, [](const Napi::Value& element) {
        return TopicTotal{ReadString(ReadField(element, "topic")),
                          static_cast<size_t>(ReadInt64(ReadField(element, "total")))};
    });
}

Napi::Error MakeError(Napi::Env env, const std::string& what, const Failure& failure) {
    Napi::Error error = Napi::Error::New(env, what + ": " + failure.message);
    error.Set("failure", ToJs(env, failure));
    return error;
}

Napi::Value ToJs(Napi::Env env, const Failure& failure) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("code", static_cast<int>(failure.code));
    object.Set("name", FailureName(failure.code));
    object.Set("message", failure.message);
    object.Set("retriable", failure.is_retriable);
    object.Set("fatal", failure.is_fatal);
    return object;
}

Napi::Value ToJs(Napi::Env env, const std::string& text) { return Napi::String::New(env, text); }

Napi::Value ToJs(Napi::Env env, const ClientEvent& event) {
    Napi::Object object = Napi::Object::New(env);
    if (const Failure* failure = std::get_if<Failure>(&event)) {
        object.Set("type", "error");
        object.Set("failure", ToJs(env, *failure));
        return object;
    }
    const LogLine& line = std::get<LogLine>(event);
    object.Set("type", "log");
    object.Set("level", line.level);
    object.Set("facility", line.facility);
    object.Set("message", line.message);
    return object;
}

Napi::Value ToJs(Napi::Env env, const TopicPartition& partition) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", partition.topic);
    object.Set("partition", partition.partition);
    return object;
}

Napi::Value ToJs(Napi::Env env, const BrokerMetadata& broker) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("id", broker.id);
    object.Set("host", broker.host);
    object.Set("port", broker.port);
    return object;
}

Napi::Value ToJs(Napi::Env env, const PartitionMetadata& partition) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("partition", partition.partition);
    object.Set("leader", partition.leader);
    object.Set("replicas", ToNumbers(env, partition.replicas));
    object.Set("inSyncReplicas", ToNumbers(env, partition.in_sync_replicas));
    SetFailure(object, partition.failure);
    return object;
}

Napi::Value ToJs(Napi::Env env, const TopicMetadata& topic) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", topic.topic);
    object.Set("id", topic.id);
    object.Set("partitions", ToJs(env, topic.partitions));
    SetFailure(object, topic.failure);
    return object;
}

Napi::Value ToJs(Napi::Env env, const ClusterMetadata& metadata) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("brokers", ToJs(env, metadata.brokers));
    object.Set("topics", ToJs(env, metadata.topics));
    return object;
}

Napi::Value ToJs(Napi::Env env, const ConfigEntry& entry) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", entry.name);
    object.Set("value", entry.value ? ToJs(env, *entry.value) : env.Null());
    object.Set("isDefault", entry.is_default);
    object.Set("isSensitive", entry.is_sensitive);
    return object;
}

Napi::Value ToJs(Napi::Env env, const TopicConfigs& configs) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", configs.topic);
    object.Set("entries", ToJs(env, configs.entries));
    SetFailure(object, configs.failure);
    return object;
}

Napi::Value ToJs(Napi::Env env, const TopicResult& result) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", result.topic);
    SetFailure(object, result.failure);
    return object;
}

Napi::Value ToJs(Napi::Env env, const PartitionOffset& offset) { return ToOffset(env, offset); }

Napi::Value ToCommittedOffset(Napi::Env env, const PartitionOffset& offset) {
    Napi::Object object = ToOffset(env, offset);
    object.Set("metadata", offset.metadata);
    return object;
}

Napi::Value ToCommittedOffsets(Napi::Env env, const std::vector<PartitionOffset>& offsets) {
    Napi::Array array = Napi::Array::New(env, offsets.size());
    for (uint32_t index = 0; index < offsets.size(); ++index) {
        array.Set(index, ToCommittedOffset(env, offsets[index]));
    }
    return array;
}

Napi::Value ToJs(Napi::Env env, const GroupMemberFacts& member) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("memberId", member.member_id);
    object.Set("instanceId", member.instance_id);
    object.Set("clientId", member.client_id);
    object.Set("host", member.host);
    object.Set("partitions", ToJs(env, member.partitions));
    return object;
}

Napi::Value ToJs(Napi::Env env, const GroupDescription& group) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("state", group.state);
    object.Set("assignor", group.assignor);
    if (group.coordinator) object.Set("coordinator", ToJs(env, *group.coordinator));
    object.Set("members", ToJs(env, group.members));
    return object;
}

Napi::Value ToJs(Napi::Env env, const BatchFacts& batch) {
    constexpr std::array kCodecs = {"none", "gzip", "snappy", "lz4", "zstd"};
    const bool is_known = batch.codec >= 0 && batch.codec < static_cast<int>(kCodecs.size());
    Napi::Object object = Napi::Object::New(env);
    object.Set("baseOffset", static_cast<double>(batch.base_offset));
    object.Set("lastOffset", static_cast<double>(batch.last_offset));
    object.Set("records", batch.records);
    object.Set("bytes", static_cast<double>(batch.bytes));
    object.Set("magic", batch.magic);
    object.Set("codec", is_known ? kCodecs[static_cast<size_t>(batch.codec)] : "unknown");
    object.Set("firstTimestamp", static_cast<double>(batch.first_timestamp));
    object.Set("maxTimestamp", static_cast<double>(batch.max_timestamp));
    object.Set("isAppendTime", batch.is_append_time);
    object.Set("isTransactional", batch.is_transactional);
    object.Set("isControl", batch.is_control);
    object.Set("producerId", static_cast<double>(batch.producer_id));
    object.Set("producerEpoch", batch.producer_epoch);
    object.Set("baseSequence", batch.base_sequence);
    return object;
}

Napi::Value ToJs(Napi::Env env, const PartitionHeaders& headers) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", headers.topic);
    object.Set("partition", headers.partition);
    object.Set("logStartOffset", static_cast<double>(headers.log_start));
    object.Set("highWatermark", static_cast<double>(headers.high_watermark));
    object.Set("lastStableOffset", static_cast<double>(headers.last_stable_offset));
    object.Set("batches", ToJs(env, headers.batches));
    SetFailure(object, headers.failure);
    return object;
}

Napi::Value ToJs(Napi::Env env, const ProducerState& state) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("producerId", static_cast<double>(state.producer_id));
    object.Set("producerEpoch", state.epoch);
    object.Set("lastSequence", state.last_sequence);
    object.Set("transactionStart", static_cast<double>(state.transaction_start));
    return object;
}

Napi::Value ToJs(Napi::Env env, const PartitionProducers& producers) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", producers.topic);
    object.Set("partition", producers.partition);
    object.Set("producers", ToJs(env, producers.producers));
    SetFailure(object, producers.failure);
    return object;
}

Napi::Value ToJs(Napi::Env env, const heliostat::AbortedTransaction& transaction) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("producerId", static_cast<double>(transaction.producer_id));
    object.Set("firstOffset", static_cast<double>(transaction.first_offset));
    return object;
}

Napi::Value ToJs(Napi::Env env, const PartitionBatches& batches) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", batches.topic);
    object.Set("partition", batches.partition);
    object.Set("logStartOffset", static_cast<double>(batches.log_start));
    object.Set("highWatermark", static_cast<double>(batches.high_watermark));
    object.Set("lastStableOffset", static_cast<double>(batches.last_stable_offset));
    object.Set("aborted", ToJs(env, batches.aborted));
    // Copied: JavaScript keeps it as long as it likes, and hands it to workers.
    Napi::ArrayBuffer bytes = Napi::ArrayBuffer::New(env, batches.bytes.size());
    if (!batches.bytes.empty())
        std::memcpy(bytes.Data(), batches.bytes.data(), batches.bytes.size());
    object.Set("bytes", bytes);
    SetFailure(object, batches.failure);
    return object;
}
