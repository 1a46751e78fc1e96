#include "link_binding.h"

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cluster.h"
#include "js_values.h"
#include "link.h"
#include "open_handles.h"
#include "pool_call.h"
#include "topic_id.h"
#include "wire.h"

namespace {

using heliostat::LaneReason;
using heliostat::LinkEvent;

// Calls a JavaScript function from any thread, soon. Keeps no process alive.
class Wake {
   public:
    explicit Wake(const Napi::Function& callback)
        : function_(Napi::ThreadSafeFunction::New(callback.Env(), callback, "heliostat", 0, 1)) {
        function_.Unref(callback.Env());
    }
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;
    ~Wake() { function_.Release(); }

    void Call() { function_.NonBlockingCall(); }

   private:
    Napi::ThreadSafeFunction function_;
};

// A link with the clients it works on. Member order is destruction order reversed: the link ends,
// with all its requests, before the clients are let go.
struct OpenLink {
    std::shared_ptr<ClusterHandle> source;
    std::shared_ptr<ClusterHandle> target;
    std::unique_ptr<Wake> wake;
    std::unique_ptr<heliostat::Link> link;
};

class Link final : public Napi::ObjectWrap<Link>, public Closable {
   public:
    explicit Link(const Napi::CallbackInfo& info);
    ~Link() override;

    static Napi::Function Define(Napi::Env env);
    void CloseAtExit() override;

   private:
    Napi::Value Start(const Napi::CallbackInfo& info);
    void RebuildBy(const Napi::CallbackInfo& info);
    Napi::Value TakeReseals(const Napi::CallbackInfo& info);
    void GiveResealed(const Napi::CallbackInfo& info);
    void GiveUnchanged(const Napi::CallbackInfo& info);
    Napi::Value RetakeReseal(const Napi::CallbackInfo& info);
    void FailReseal(const Napi::CallbackInfo& info);
    Napi::Value ClaimProducers(const Napi::CallbackInfo& info);
    Napi::Value AddLanes(const Napi::CallbackInfo& info);
    Napi::Value DrainLanes(const Napi::CallbackInfo& info);
    Napi::Value RemoveLanes(const Napi::CallbackInfo& info);
    void StopLanes(const Napi::CallbackInfo& info);
    void SetRange(const Napi::CallbackInfo& info);
    void ReadOn(const Napi::CallbackInfo& info);
    Napi::Value Snapshot(const Napi::CallbackInfo& info);
    Napi::Value DrainEvents(const Napi::CallbackInfo& info);
    Napi::Value Close(const Napi::CallbackInfo& info);

    const std::shared_ptr<OpenHandles> open_;
    std::shared_ptr<OpenLink> link_;  // empty once closed
};

Failure Closed() { return FailureOf(RD_KAFKA_RESP_ERR__STATE, "the link is closed"); }

heliostat::LinkOptions ReadOptions(const Napi::Value& value) {
    const Napi::Object options = value.As<Napi::Object>();
    const auto number = [&](const char* name) { return ReadInt64(options.Get(name)); };
    const auto small = [&](const char* name) { return ReadInt(options.Get(name)); };
    return {.streams = small("streams"),
            .producers = small("producers"),
            .read_committed = ReadString(options.Get("isolation")) == "read_committed",
            .fetch_min_bytes = small("fetchMinBytes"),
            .fetch_max_bytes = small("fetchMaxBytes"),
            .max_partition_fetch_bytes = small("maxPartitionFetchBytes"),
            .fetch_max_wait_ms = small("fetchMaxWaitMs"),
            .budget_bytes = number("budgetBytes"),
            .max_request_bytes = number("maxRequestBytes"),
            .max_in_flight = small("maxInFlight"),
            .request_timeout_ms = small("requestTimeoutMs"),
            .is_idempotent = options.Get("idempotent").ToBoolean().Value(),
            .skips_gaps = options.Get("skipGaps").ToBoolean().Value(),
            .merges = options.Get("merge").ToBoolean().Value(),
            .max_held_records = number("maxHeldRecords"),
            .client_rack = ReadString(options.Get("clientRack")),
            .producer_expiry_ms = number("producerExpiryMs")};
}

std::vector<heliostat::LaneStart> ReadStarts(const Napi::Value& value) {
    const Napi::Array array = value.As<Napi::Array>();
    std::vector<heliostat::LaneStart> starts;
    starts.reserve(array.Length());
    for (uint32_t i = 0; i < array.Length(); i++) {
        const Napi::Object lane = array.Get(i).As<Napi::Object>();
        starts.push_back(
            {.source_topic = ReadString(lane.Get("topic")),
             .source_topic_id = heliostat::ReadTopicId(ReadString(lane.Get("sourceTopicId"))),
             .source_partition = ReadInt(lane.Get("partition")),
             .target_topic = ReadString(lane.Get("targetTopic")),
             .target_partition = ReadInt(lane.Get("targetPartition")),
             .offset = ReadInt64(lane.Get("offset")),
             .leader_epoch = ReadInt(lane.Get("leaderEpoch")),
             .target_max_batch_bytes =
                 static_cast<uint32_t>(ReadInt64(lane.Get("targetMaxBatchBytes"))),
             .target_append_time = lane.Get("targetAppendTime").ToBoolean().Value(),
             .opens = heliostat::ReasonOf(ReadString(lane.Get("opens"))),
             .forced_codec = ReadInt(lane.Get("forcedCodec")),
             .producer_id = ReadInt64(lane.Get("producerId")),
             .producer_epoch = static_cast<int16_t>(ReadInt(lane.Get("producerEpoch"))),
             .sequence = ReadInt(lane.Get("sequence")),
             .arrived = ReadInt64(lane.Get("arrived")),
             .target_end = ReadInt64(lane.Get("targetEnd")),
             .arrived_end = ReadInt64(lane.Get("arrivedEnd")),
             .resumes = lane.Get("resumes").ToBoolean().Value()});
    }
    return starts;
}

Napi::Value CopyBytes(Napi::Env env, const heliostat::Lane::ToReseal& batch) {
    // A new ArrayBuffer would be filled with zeros first.
    return Napi::Buffer<uint8_t>::Copy(env, batch.data, batch.size).ArrayBuffer();
}

std::vector<uint32_t> ReadIds(const Napi::Value& value) {
    const Napi::Array array = value.As<Napi::Array>();
    std::vector<uint32_t> ids;
    ids.reserve(array.Length());
    for (uint32_t i = 0; i < array.Length(); i++)
        ids.push_back(static_cast<uint32_t>(ReadInt64(array.Get(i))));
    return ids;
}

Napi::Value NewColumns(Napi::Env env, const double* values, size_t count) {
    Napi::Float64Array array = Napi::Float64Array::New(env, count);
    if (count > 0) std::memcpy(array.Data(), values, count * sizeof(double));
    return array;
}

const char* TypeOf(const LinkEvent& event) {
    switch (event.type) {
        case LinkEvent::Type::kStopped:
            return "lane-stopped";
        case LinkEvent::Type::kBackingOff:
            return "lane-backing-off";
        case LinkEvent::Type::kRecovered:
            return "lane-recovered";
        case LinkEvent::Type::kNeedsResume:
            return "lane-needs-resume";
        case LinkEvent::Type::kNeedsRange:
            return "lane-needs-range";
        case LinkEvent::Type::kGap:
            return "source-gap";
        case LinkEvent::Type::kProducerReset:
            break;
    }
    return "producer-id-reset";
}

std::string DetailOf(const LinkEvent& event) {
    std::string detail = "source " + event.source + " at offset " + std::to_string(event.from) +
                         " (target " + event.target + "): " + heliostat::Explain(event.reason);
    if (event.code != 0) detail += std::string(" [") + wire_error_name(event.code) + "]";
    return detail;
}

Napi::Value ToJs(Napi::Env env, const LinkEvent& event) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("type", TypeOf(event));
    object.Set("lane", event.lane);
    if (event.type == LinkEvent::Type::kRecovered || event.type == LinkEvent::Type::kNeedsRange)
        return object;
    if (event.type == LinkEvent::Type::kGap) {
        object.Set("from", static_cast<double>(event.from));
        object.Set("to", static_cast<double>(event.to));
        object.Set("isSkipped", event.is_skipped);
        return object;
    }
    object.Set("code", event.code);
    if (event.type == LinkEvent::Type::kNeedsResume) return object;
    if (event.type == LinkEvent::Type::kProducerReset) {
        object.Set("from", static_cast<double>(event.from));
        object.Set("to", static_cast<double>(event.to));
        return object;
    }
    object.Set("reason", heliostat::NameOf(event.reason));
    object.Set("detail", DetailOf(event));
    return object;
}

Link::Link(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Link>(info), open_(OpenHandles::Of(info.Env())) {
    std::shared_ptr<ClusterHandle> source = UnwrapCluster(info[0]);
    if (!source) return;
    std::shared_ptr<ClusterHandle> target = UnwrapCluster(info[1]);
    if (!target) return;
    const heliostat::LinkOptions options = ReadOptions(info[2]);
    if (info.Env().IsExceptionPending()) return;
    link_ = std::make_shared<OpenLink>();
    link_->link = std::make_unique<heliostat::Link>(source->rk(), target->rk(), options);
    link_->source = std::move(source);
    link_->target = std::move(target);
    open_->Add(this);
}

Link::~Link() {
    open_->Remove(this);
    // Closing waits for requests under way; the JS thread does not.
    if (link_) std::thread([link = std::move(link_)]() mutable { link.reset(); }).detach();
}

Napi::Function Link::Define(Napi::Env env) {
    return DefineClass(
        env, "Link",
        {InstanceMethod<&Link::Start>("start"), InstanceMethod<&Link::RebuildBy>("rebuildBy"),
         InstanceMethod<&Link::TakeReseals>("takeReseals"),
         InstanceMethod<&Link::GiveResealed>("giveResealed"),
         InstanceMethod<&Link::GiveUnchanged>("giveUnchanged"),
         InstanceMethod<&Link::RetakeReseal>("retakeReseal"),
         InstanceMethod<&Link::FailReseal>("failReseal"),
         InstanceMethod<&Link::ClaimProducers>("claimProducers"),
         InstanceMethod<&Link::AddLanes>("addLanes"),
         InstanceMethod<&Link::DrainLanes>("drainLanes"),
         InstanceMethod<&Link::RemoveLanes>("removeLanes"),
         InstanceMethod<&Link::StopLanes>("stopLanes"), InstanceMethod<&Link::SetRange>("setRange"),
         InstanceMethod<&Link::ReadOn>("readOn"), InstanceMethod<&Link::Snapshot>("snapshot"),
         InstanceMethod<&Link::DrainEvents>("drainEvents"), InstanceMethod<&Link::Close>("close")});
}

void Link::CloseAtExit() { link_.reset(); }

Napi::Value Link::Start(const Napi::CallbackInfo& info) {
    const int timeout_ms = ReadInt(info[0]);
    if (info.Env().IsExceptionPending()) return info.Env().Undefined();
    return PoolCall<Done>::Start(
        info.Env(), "start the link",
        [link = link_, timeout_ms]() -> Outcome<Done> {
            if (!link) return Closed();
            int code = 0;
            const std::string problem = link->link->Start(timeout_ms, &code);
            if (problem.empty()) return Done{};
            return FailureOf(
                code == 0 ? RD_KAFKA_RESP_ERR__TRANSPORT : static_cast<rd_kafka_resp_err_t>(code),
                problem);
        },
        [](Napi::Env env, Done) { return env.Undefined(); });
}

void Link::RebuildBy(const Napi::CallbackInfo& info) {
    if (!link_) return;
    link_->wake = std::make_unique<Wake>(info[0].As<Napi::Function>());
    link_->link->RebuildBy([wake = link_->wake.get()] { wake->Call(); });
}

Napi::Value Link::TakeReseals(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Napi::Array array = Napi::Array::New(env);
    if (!link_) return array;
    uint32_t length = 0;
    for (const auto& task : link_->link->TakeReseals(static_cast<size_t>(ReadInt64(info[0])),
                                                     static_cast<size_t>(ReadInt64(info[1])))) {
        const heliostat::Lane::ToReseal& batch = task.batch;
        Napi::Object object = Napi::Object::New(env);
        object.Set("lane", task.lane);
        object.Set("ticket", static_cast<double>(batch.ticket));
        object.Set("source", task.source);
        object.Set("reason", heliostat::NameOf(batch.reason));
        object.Set("bytes", CopyBytes(env, batch));
        object.Set("fromOffset", static_cast<double>(batch.from_offset));
        object.Set("skipRecords", static_cast<double>(batch.skip));
        object.Set("targetAppendTime", task.target_append_time);
        object.Set("targetMaxBatchBytes", task.target_max_batch_bytes);
        object.Set("aimBytes", batch.aim_bytes);
        object.Set("avoidsZstd", batch.avoids_zstd);
        array.Set(length++, object);
    }
    return array;
}

void Link::GiveResealed(const Napi::CallbackInfo& info) {
    if (!link_) return;
    const Napi::Array batches = info[3].As<Napi::Array>();
    std::vector<heliostat::Link::ResealedBatch> ready;
    for (uint32_t i = 0; i < batches.Length(); i++) {
        const Napi::Object batch = batches.Get(i).As<Napi::Object>();
        auto bytes = batch.Get("bytes").As<Napi::Uint8Array>();
        // The header is read and stamped without another check.
        if (bytes.ByteLength() < heliostat::kBatchHeaderSize) {
            Napi::RangeError::New(info.Env(), "a resealed batch has no header")
                .ThrowAsJavaScriptException();
            return;
        }
        ready.push_back({.bytes = {bytes.Data(), bytes.Data() + bytes.ByteLength()},
                         .record_count = ReadInt(batch.Get("recordCount")),
                         .first_offset = ReadInt64(batch.Get("firstOffset")),
                         .last_offset = ReadInt64(batch.Get("lastOffset")),
                         .max_timestamp = ReadInt64(batch.Get("maxTimestamp"))});
        // Garbage of so many bytes a second would keep the collector busy.
        bytes.ArrayBuffer().Detach();
    }
    link_->link->GiveResealed(static_cast<uint32_t>(ReadInt64(info[0])),
                              static_cast<uint64_t>(ReadInt64(info[1])), ReadInt64(info[2]),
                              std::move(ready));
}

void Link::GiveUnchanged(const Napi::CallbackInfo& info) {
    if (!link_) return;
    link_->link->GiveUnchanged(static_cast<uint32_t>(ReadInt64(info[0])),
                               static_cast<uint64_t>(ReadInt64(info[1])));
}

Napi::Value Link::RetakeReseal(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!link_) return env.Undefined();
    const auto batch = link_->link->RetakeReseal(static_cast<uint32_t>(ReadInt64(info[0])),
                                                 static_cast<uint64_t>(ReadInt64(info[1])));
    return batch ? CopyBytes(env, *batch) : env.Undefined();
}

void Link::FailReseal(const Napi::CallbackInfo& info) {
    if (!link_) return;
    link_->link->FailReseal(static_cast<uint32_t>(ReadInt64(info[0])),
                            static_cast<uint64_t>(ReadInt64(info[1])),
                            heliostat::ReasonOf(ReadString(info[2])));
}

Napi::Value Link::ClaimProducers(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::vector<TopicPartition> partitions = ReadPartitions(info[0]);
    if (env.IsExceptionPending()) return env.Undefined();
    if (!link_) {
        MakeError(env, "claim producers", Closed()).ThrowAsJavaScriptException();
        return env.Undefined();
    }
    Napi::Array array = Napi::Array::New(env, partitions.size());
    for (uint32_t i = 0; i < partitions.size(); i++) {
        const heliostat::Producer producer =
            link_->link->ClaimProducer(partitions[i].topic, partitions[i].partition);
        Napi::Object object = Napi::Object::New(env);
        object.Set("producerId", static_cast<double>(producer.id));
        object.Set("producerEpoch", producer.epoch);
        array.Set(i, object);
    }
    return array;
}

Napi::Value Link::AddLanes(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::vector<heliostat::LaneStart> starts = ReadStarts(info[0]);
    if (env.IsExceptionPending()) return env.Undefined();
    if (!link_) {
        MakeError(env, "add lanes", Closed()).ThrowAsJavaScriptException();
        return env.Undefined();
    }
    const std::vector<uint32_t> ids = link_->link->AddLanes(starts);
    Napi::Array array = Napi::Array::New(env, ids.size());
    for (uint32_t i = 0; i < ids.size(); i++) array.Set(i, ids[i]);
    return array;
}

Napi::Value Link::DrainLanes(const Napi::CallbackInfo& info) {
    if (link_) link_->link->DrainLanes(ReadIds(info[0]));
    return info.Env().Undefined();
}

Napi::Value Link::RemoveLanes(const Napi::CallbackInfo& info) {
    if (link_) link_->link->RemoveLanes(ReadIds(info[0]));
    return info.Env().Undefined();
}

void Link::StopLanes(const Napi::CallbackInfo& info) {
    if (link_) link_->link->StopLanes(ReadIds(info[0]), heliostat::ReasonOf(ReadString(info[1])));
}

void Link::ReadOn(const Napi::CallbackInfo& info) {
    if (link_) link_->link->ReadOn(ReadIds(info[0]));
}

void Link::SetRange(const Napi::CallbackInfo& info) {
    if (link_)
        link_->link->SetRange(static_cast<uint32_t>(ReadInt64(info[0])), ReadInt64(info[1]),
                              ReadInt64(info[2]));
}

Napi::Value Link::Snapshot(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    std::vector<double> rows;
    heliostat::Link::Totals totals{};
    if (link_) link_->link->Snapshot(&rows, &totals);
    Napi::Object snapshot = Napi::Object::New(env);
    snapshot.Set("lanes", NewColumns(env, rows.data(), rows.size()));
    snapshot.Set("link", NewColumns(env, totals.data(), totals.size()));
    return snapshot;
}

Napi::Value Link::DrainEvents(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::vector<LinkEvent> events =
        link_ ? link_->link->DrainEvents() : std::vector<LinkEvent>{};
    Napi::Array array = Napi::Array::New(env, events.size());
    for (uint32_t i = 0; i < events.size(); i++) array.Set(i, ToJs(env, events[i]));
    return array;
}

Napi::Value Link::Close(const Napi::CallbackInfo& info) {
    open_->Remove(this);
    return PoolCall<Done>::Start(
        info.Env(), "close the link",
        [link = std::move(link_)]() -> Outcome<Done> {
            if (link) link->link->Close();
            return Done{};
        },
        [](Napi::Env env, Done) { return env.Undefined(); });
}

}  // namespace

void InitLink(Napi::Env env, Napi::Object exports) { exports.Set("Link", Link::Define(env)); }
