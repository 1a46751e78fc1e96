// Turns the control part's values into JavaScript's and back. JS thread only.
//
// Arguments have the types that index.ts promises: one that does not leaves a pending JavaScript
// exception, which the caller looks for once after reading them all.
#ifndef HELIOSTAT_JS_VALUES_H_
#define HELIOSTAT_JS_VALUES_H_

#include <napi.h>

#include <optional>
#include <string>
#include <vector>

#include "admin.h"
#include "append_batches.h"
#include "batch_reader.h"
#include "event_log.h"
#include "failure.h"
#include "header_reader.h"
#include "producer_states.h"
#include "properties.h"
#include "topic_partition.h"

std::string ReadString(const Napi::Value& value);
int ReadInt(const Napi::Value& value);
int64_t ReadInt64(const Napi::Value& value);
std::vector<std::string> ReadStrings(const Napi::Value& value);
Properties ReadProperties(const Napi::Value& value);
std::vector<TopicPartition> ReadPartitions(const Napi::Value& value);
std::vector<PartitionOffset> ReadOffsetsToCommit(const Napi::Value& value);
// As OffsetToCommit without metadata.
std::vector<PartitionOffset> ReadOffsets(const Napi::Value& value);
// With leader epochs instead of offsets.
std::vector<PartitionOffset> ReadEpochs(const Napi::Value& value);
std::vector<NewBatch> ReadNewBatches(const Napi::Value& value);
std::vector<NewTopic> ReadNewTopics(const Napi::Value& value);
std::vector<TopicTotal> ReadTopicTotals(const Napi::Value& value);

// An Error with the facts in `failure`; `what` says which call failed.
Napi::Error MakeError(Napi::Env env, const std::string& what, const Failure& failure);

Napi::Value ToJs(Napi::Env env, const Failure& failure);
Napi::Value ToJs(Napi::Env env, const std::string& text);
Napi::Value ToJs(Napi::Env env, const ClientEvent& event);
Napi::Value ToJs(Napi::Env env, const TopicPartition& partition);
Napi::Value ToJs(Napi::Env env, const ClusterMetadata& metadata);
Napi::Value ToJs(Napi::Env env, const PartitionMetadata& partition);
Napi::Value ToJs(Napi::Env env, const TopicMetadata& topic);
Napi::Value ToJs(Napi::Env env, const BrokerMetadata& broker);
Napi::Value ToJs(Napi::Env env, const TopicConfigs& configs);
Napi::Value ToJs(Napi::Env env, const ConfigEntry& entry);
Napi::Value ToJs(Napi::Env env, const TopicResult& result);
// As a PartitionOffset; a CommittedOffset has `metadata` besides.
Napi::Value ToJs(Napi::Env env, const PartitionOffset& offset);
Napi::Value ToCommittedOffset(Napi::Env env, const PartitionOffset& offset);
Napi::Value ToCommittedOffsets(Napi::Env env, const std::vector<PartitionOffset>& offsets);
Napi::Value ToJs(Napi::Env env, const GroupMemberFacts& member);
Napi::Value ToJs(Napi::Env env, const GroupDescription& group);
Napi::Value ToJs(Napi::Env env, const BatchFacts& batch);
Napi::Value ToJs(Napi::Env env, const PartitionHeaders& headers);
Napi::Value ToJs(Napi::Env env, const heliostat::AbortedTransaction& transaction);
Napi::Value ToJs(Napi::Env env, const PartitionBatches& batches);
Napi::Value ToJs(Napi::Env env, const ProducerState& state);
Napi::Value ToJs(Napi::Env env, const PartitionProducers& producers);

template <typename T>
Napi::Value ToJs(Napi::Env env, const std::vector<T>& values) {
    Napi::Array array = Napi::Array::New(env, values.size());
    for (uint32_t index = 0; index < values.size(); ++index) {
        array.Set(index, ToJs(env, values[index]));
    }
    return array;
}

#endif  // HELIOSTAT_JS_VALUES_H_
