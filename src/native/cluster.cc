#include "cluster.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin.h"
#include "append_batches.h"
#include "batch_reader.h"
#include "group_offsets.h"
#include "js_values.h"
#include "log_ends.h"
#include "open_handles.h"
#include "pool_call.h"
#include "wire.h"

namespace {

constexpr napi_type_tag kClusterTag = {0x6f1f3c6a5b0f4c1d, 0x9a7e2b64d18c03f5};

class Cluster final : public Napi::ObjectWrap<Cluster>, public Closable {
   public:
    explicit Cluster(const Napi::CallbackInfo& info);
    ~Cluster() override { open_->Remove(this); }

    static Napi::Function Define(Napi::Env env);

    void CloseAtExit() override;
    const std::shared_ptr<ClusterHandle>& handle() const { return handle_; }

   private:
    Napi::Value ClusterId(const Napi::CallbackInfo& info);
    Napi::Value FetchVersion(const Napi::CallbackInfo& info);
    Napi::Value Metadata(const Napi::CallbackInfo& info);
    Napi::Value ListOffsets(const Napi::CallbackInfo& info);
    Napi::Value GroupOffsets(const Napi::CallbackInfo& info);
    Napi::Value DescribeGroup(const Napi::CallbackInfo& info);
    Napi::Value ReadHeaders(const Napi::CallbackInfo& info);
    Napi::Value ReadBatches(const Napi::CallbackInfo& info);
    Napi::Value DescribeProducers(const Napi::CallbackInfo& info);
    Napi::Value LogEnds(const Napi::CallbackInfo& info);
    Napi::Value AppendBatches(const Napi::CallbackInfo& info);
    void SetCredentials(const Napi::CallbackInfo& info);
    Napi::Value CreateTopics(const Napi::CallbackInfo& info);
    Napi::Value CreatePartitions(const Napi::CallbackInfo& info);
    Napi::Value DescribeTopicConfigs(const Napi::CallbackInfo& info);
    Napi::Value DescribeBrokerConfigs(const Napi::CallbackInfo& info);
    Napi::Value DeleteTopics(const Napi::CallbackInfo& info);
    Napi::Value DrainEvents(const Napi::CallbackInfo& info);
    Napi::Value Close(const Napi::CallbackInfo& info);

    // Runs one admin call on the pool. A closed cluster, like a wrong argument, throws at once.
    template <typename T, typename Call>
    Napi::Value Run(const Napi::CallbackInfo& info, const char* what, Call call);
    // The same for a call that asks the leaders of partitions.
    template <typename T, typename Call>
    Napi::Value RunAtLeaders(const Napi::CallbackInfo& info, const char* what, Call call);

    const std::shared_ptr<OpenHandles> open_;
    std::shared_ptr<ClusterHandle> handle_;  // empty once closed
};

Failure Closed() { return FailureOf(RD_KAFKA_RESP_ERR__STATE, "the cluster is closed"); }

Cluster::Cluster(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Cluster>(info), open_(OpenHandles::Of(info.Env())) {
    const Properties properties = ReadProperties(info[0]);
    if (info.Env().IsExceptionPending()) return;
    Outcome<std::shared_ptr<ClusterHandle>> opened = ClusterHandle::Open(properties);
    if (const Failure* failure = std::get_if<Failure>(&opened)) {
        MakeError(info.Env(), "cluster", *failure).ThrowAsJavaScriptException();
        return;
    }
    handle_ = std::get<std::shared_ptr<ClusterHandle>>(std::move(opened));
    info.This().As<Napi::Object>().TypeTag(&kClusterTag);
    open_->Add(this);
}

Napi::Function Cluster::Define(Napi::Env env) {
    return DefineClass(env, "Cluster",
                       {InstanceMethod<&Cluster::ClusterId>("clusterId"),
                        InstanceMethod<&Cluster::FetchVersion>("fetchVersion"),
                        InstanceMethod<&Cluster::Metadata>("metadata"),
                        InstanceMethod<&Cluster::ListOffsets>("listOffsets"),
                        InstanceMethod<&Cluster::GroupOffsets>("groupOffsets"),
                        InstanceMethod<&Cluster::DescribeGroup>("describeGroup"),
                        InstanceMethod<&Cluster::ReadHeaders>("readHeaders"),
                        InstanceMethod<&Cluster::ReadBatches>("readBatches"),
                        InstanceMethod<&Cluster::DescribeProducers>("describeProducers"),
                        InstanceMethod<&Cluster::LogEnds>("logEnds"),
                        InstanceMethod<&Cluster::AppendBatches>("appendBatches"),
                        InstanceMethod<&Cluster::SetCredentials>("setCredentials"),
                        InstanceMethod<&Cluster::CreateTopics>("createTopics"),
                        InstanceMethod<&Cluster::CreatePartitions>("createPartitions"),
                        InstanceMethod<&Cluster::DescribeTopicConfigs>("describeTopicConfigs"),
                        InstanceMethod<&Cluster::DescribeBrokerConfigs>("describeBrokerConfigs"),
                        InstanceMethod<&Cluster::DeleteTopics>("deleteTopics"),
                        InstanceMethod<&Cluster::DrainEvents>("drainEvents"),
                        InstanceMethod<&Cluster::Close>("close")});
}

void Cluster::CloseAtExit() {
    if (!handle_) return;
    handle_->AllowWaiting();
    handle_.reset();
}

template <typename T, typename Call>
Napi::Value Cluster::Run(const Napi::CallbackInfo& info, const char* what, Call call) {
    const Napi::Env env = info.Env();
    if (env.IsExceptionPending()) return env.Undefined();
    return RunInPool<T>(env, what, [handle = handle_, call = std::move(call)]() -> Outcome<T> {
        if (!handle) return Closed();
        return call(handle->rk());
    });
}

template <typename T, typename Call>
Napi::Value Cluster::RunAtLeaders(const Napi::CallbackInfo& info, const char* what, Call call) {
    const Napi::Env env = info.Env();
    if (env.IsExceptionPending()) return env.Undefined();
    return RunInPool<T>(env, what, [handle = handle_, call = std::move(call)]() -> Outcome<T> {
        if (!handle) return Closed();
        return call(handle->rk(), handle->leaders());
    });
}

Napi::Value Cluster::ClusterId(const Napi::CallbackInfo& info) {
    const int timeout_ms = ReadInt(info[0]);
    const Napi::Env env = info.Env();
    if (env.IsExceptionPending()) return env.Undefined();
    using Id = std::optional<std::string>;
    return PoolCall<Id>::Start(
        env, "cluster id",
        [handle = handle_, timeout_ms]() -> Outcome<Id> {
            if (!handle) return Closed();
            return ReadClusterId(handle->rk(), timeout_ms);
        },
        [](Napi::Env env, const Id& id) { return id ? ToJs(env, *id) : env.Undefined(); });
}

Napi::Value Cluster::FetchVersion(const Napi::CallbackInfo& info) {
    const int version = handle_ ? wire_newest_version(handle_->rk(), WIRE_FETCH) : -1;
    return Napi::Number::New(info.Env(), version);
}

Napi::Value Cluster::Metadata(const Napi::CallbackInfo& info) {
    std::optional<std::vector<std::string>> topics;
    if (!info[0].IsUndefined()) topics = ReadStrings(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return Run<ClusterMetadata>(info, "metadata",
                                [topics = std::move(topics), timeout_ms](rd_kafka_t* rk) {
                                    return ReadMetadata(rk, topics, timeout_ms);
                                });
}

Napi::Value Cluster::ListOffsets(const Napi::CallbackInfo& info) {
    std::vector<TopicPartition> partitions = ReadPartitions(info[0]);
    const int64_t at = ReadInt64(info[1]);
    const rd_kafka_IsolationLevel_t isolation = ReadString(info[2]) == "read_committed"
                                                    ? RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED
                                                    : RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED;
    const int timeout_ms = ReadInt(info[3]);
    return Run<std::vector<PartitionOffset>>(
        info, "list offsets",
        [partitions = std::move(partitions), at, isolation, timeout_ms](rd_kafka_t* rk) {
            return ::ListOffsets(rk, partitions, at, isolation, timeout_ms);
        });
}

Napi::Value Cluster::GroupOffsets(const Napi::CallbackInfo& info) {
    std::string group = ReadString(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    const Napi::Env env = info.Env();
    if (env.IsExceptionPending()) return env.Undefined();
    using Offsets = std::vector<PartitionOffset>;
    return PoolCall<Offsets>::Start(
        env, "group offsets",
        [handle = handle_, group = std::move(group), timeout_ms]() -> Outcome<Offsets> {
            if (!handle) return Closed();
            return ReadGroupOffsets(handle->rk(), group, timeout_ms);
        },
        ToCommittedOffsets);
}

Napi::Value Cluster::DescribeGroup(const Napi::CallbackInfo& info) {
    std::string group = ReadString(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return Run<GroupDescription>(info, "describe group",
                                 [group = std::move(group), timeout_ms](rd_kafka_t* rk) {
                                     return ::DescribeGroup(rk, group, timeout_ms);
                                 });
}

Napi::Value Cluster::ReadHeaders(const Napi::CallbackInfo& info) {
    std::vector<PartitionOffset> asked = ReadOffsets(info[0]);
    const int max_bytes = ReadInt(info[1]);
    const bool read_committed = ReadString(info[2]) == "read_committed";
    const int timeout_ms = ReadInt(info[3]);
    return RunAtLeaders<std::vector<PartitionHeaders>>(
        info, "read headers",
        [asked = std::move(asked), max_bytes, read_committed, timeout_ms](rd_kafka_t* rk,
                                                                          LeaderCache& leaders) {
            return ::ReadHeaders(rk, leaders, asked, max_bytes, read_committed, timeout_ms);
        });
}

Napi::Value Cluster::ReadBatches(const Napi::CallbackInfo& info) {
    std::vector<PartitionOffset> asked = ReadOffsets(info[0]);
    const int max_bytes = ReadInt(info[1]);
    const bool read_committed = ReadString(info[2]) == "read_committed";
    const int timeout_ms = ReadInt(info[3]);
    return RunAtLeaders<std::vector<PartitionBatches>>(
        info, "read batches",
        [asked = std::move(asked), max_bytes, read_committed, timeout_ms](rd_kafka_t* rk,
                                                                          LeaderCache& leaders) {
            return ::ReadBatches(rk, leaders, asked, max_bytes, read_committed, timeout_ms);
        });
}

Napi::Value Cluster::DescribeProducers(const Napi::CallbackInfo& info) {
    std::vector<TopicPartition> asked = ReadPartitions(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return RunAtLeaders<std::vector<PartitionProducers>>(
        info, "describe producers",
        [asked = std::move(asked), timeout_ms](rd_kafka_t* rk, LeaderCache& leaders) {
            return ::DescribeProducers(rk, leaders, asked, timeout_ms);
        });
}

Napi::Value Cluster::LogEnds(const Napi::CallbackInfo& info) {
    std::vector<PartitionOffset> asked = ReadEpochs(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return RunAtLeaders<std::vector<PartitionOffset>>(
        info, "log ends",
        [asked = std::move(asked), timeout_ms](rd_kafka_t* rk, LeaderCache& leaders) {
            return ReadLogEnds(rk, leaders, asked, timeout_ms);
        });
}

Napi::Value Cluster::AppendBatches(const Napi::CallbackInfo& info) {
    std::vector<NewBatch> batches = ReadNewBatches(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return RunAtLeaders<std::vector<PartitionOffset>>(
        info, "append batches",
        [batches = std::move(batches), timeout_ms](rd_kafka_t* rk, LeaderCache& leaders) {
            return ::AppendBatches(rk, leaders, batches, timeout_ms);
        });
}

void Cluster::SetCredentials(const Napi::CallbackInfo& info) {
    const std::string username = ReadString(info[0]);
    const std::string password = ReadString(info[1]);
    const Napi::Env env = info.Env();
    if (env.IsExceptionPending()) return;
    const std::optional<Failure> failure =
        handle_ ? ::SetCredentials(handle_->rk(), username, password) : Closed();
    if (failure) MakeError(env, "credentials", *failure).ThrowAsJavaScriptException();
}

Napi::Value Cluster::CreateTopics(const Napi::CallbackInfo& info) {
    std::vector<NewTopic> topics = ReadNewTopics(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return Run<std::vector<TopicResult>>(info, "create topics",
                                         [topics = std::move(topics), timeout_ms](rd_kafka_t* rk) {
                                             return ::CreateTopics(rk, topics, timeout_ms);
                                         });
}

Napi::Value Cluster::CreatePartitions(const Napi::CallbackInfo& info) {
    std::vector<TopicTotal> topics = ReadTopicTotals(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return Run<std::vector<TopicResult>>(info, "create partitions",
                                         [topics = std::move(topics), timeout_ms](rd_kafka_t* rk) {
                                             return ::CreatePartitions(rk, topics, timeout_ms);
                                         });
}

Napi::Value Cluster::DescribeTopicConfigs(const Napi::CallbackInfo& info) {
    std::vector<std::string> topics = ReadStrings(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return Run<std::vector<TopicConfigs>>(info, "describe topic configs",
                                          [topics = std::move(topics), timeout_ms](rd_kafka_t* rk) {
                                              return ::DescribeTopicConfigs(rk, topics, timeout_ms);
                                          });
}

Napi::Value Cluster::DescribeBrokerConfigs(const Napi::CallbackInfo& info) {
    const int32_t broker = ReadInt(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return Run<std::vector<ConfigEntry>>(info, "describe broker configs",
                                         [broker, timeout_ms](rd_kafka_t* rk) {
                                             return ::DescribeBrokerConfigs(rk, broker, timeout_ms);
                                         });
}

Napi::Value Cluster::DeleteTopics(const Napi::CallbackInfo& info) {
    std::vector<std::string> topics = ReadStrings(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    return Run<std::vector<TopicResult>>(info, "delete topics",
                                         [topics = std::move(topics), timeout_ms](rd_kafka_t* rk) {
                                             return ::DeleteTopics(rk, topics, timeout_ms);
                                         });
}

Napi::Value Cluster::DrainEvents(const Napi::CallbackInfo& info) {
    if (!handle_) return Napi::Array::New(info.Env());
    return ToJs(info.Env(), handle_->events().Drain());
}

Napi::Value Cluster::Close(const Napi::CallbackInfo& info) {
    open_->Remove(this);
    return PoolCall<Done>::Start(
        info.Env(), "close", [handle = std::move(handle_)]() -> Outcome<Done> { return Done{}; },
        [](Napi::Env env, Done) { return env.Undefined(); });
}

}  // namespace

Outcome<std::shared_ptr<ClusterHandle>> ClusterHandle::Open(const Properties& properties) {
    std::shared_ptr<ClusterHandle> handle(new ClusterHandle);
    Outcome<Done> opened = handle->ClientHandle::Open(RD_KAFKA_PRODUCER, properties, 0);
    if (Failure* failure = std::get_if<Failure>(&opened)) return std::move(*failure);
    return handle;
}

void InitCluster(Napi::Env env, Napi::Object exports) {
    exports.Set("Cluster", Cluster::Define(env));
}

std::shared_ptr<ClusterHandle> UnwrapCluster(const Napi::Value& value) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kClusterTag)) {
        Napi::TypeError::New(value.Env(), "a Cluster is expected").ThrowAsJavaScriptException();
        return nullptr;
    }
    const std::shared_ptr<ClusterHandle>& handle =
        Cluster::Unwrap(value.As<Napi::Object>())->handle();
    if (!handle) MakeError(value.Env(), "cluster", Closed()).ThrowAsJavaScriptException();
    return handle;
}
