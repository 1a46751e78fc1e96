#include "group.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "admin.h"
#include "group_member.h"
#include "js_values.h"
#include "open_handles.h"
#include "pool_call.h"

namespace {

class Group final : public Napi::ObjectWrap<Group>, public Closable {
   public:
    explicit Group(const Napi::CallbackInfo& info);
    ~Group() override { open_->Remove(this); }

    static Napi::Function Define(Napi::Env env);

    void CloseAtExit() override;

   private:
    void Subscribe(const Napi::CallbackInfo& info);
    Napi::Value Poll(const Napi::CallbackInfo& info);
    void Assign(const Napi::CallbackInfo& info);
    void Unassign(const Napi::CallbackInfo& info);
    Napi::Value Metadata(const Napi::CallbackInfo& info);
    void SetCredentials(const Napi::CallbackInfo& info);
    Napi::Value MemberId(const Napi::CallbackInfo& info);
    Napi::Value Committed(const Napi::CallbackInfo& info);
    Napi::Value Commit(const Napi::CallbackInfo& info);
    Napi::Value Close(const Napi::CallbackInfo& info);

    // Whether arguments were right and the group is open; throws otherwise.
    bool MayCall(Napi::Env env) const;

    const std::shared_ptr<OpenHandles> open_;
    std::shared_ptr<GroupMember> member_;  // empty once closed
};

Failure Closed() { return FailureOf(RD_KAFKA_RESP_ERR__STATE, "the group is closed"); }

void Throw(Napi::Env env, const char* what, const std::optional<Failure>& failure) {
    if (failure) MakeError(env, what, *failure).ThrowAsJavaScriptException();
}

Napi::Value ToJs(Napi::Env env, const GroupEvent& event) {
    if (const Failure* failure = std::get_if<Failure>(&event)) {
        return ::ToJs(env, ClientEvent(*failure));
    }
    if (const LogLine* line = std::get_if<LogLine>(&event)) return ::ToJs(env, ClientEvent(*line));
    const Rebalance& rebalance = std::get<Rebalance>(event);
    Napi::Object object = Napi::Object::New(env);
    object.Set("type", rebalance.is_assignment ? "assign" : "revoke");
    object.Set("partitions", ::ToJs(env, rebalance.partitions));
    if (!rebalance.is_assignment) object.Set("lost", rebalance.is_lost);
    return object;
}

Group::Group(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Group>(info), open_(OpenHandles::Of(info.Env())) {
    const Properties properties = ReadProperties(info[0]);
    if (info.Env().IsExceptionPending()) return;
    Outcome<std::shared_ptr<GroupMember>> opened = GroupMember::Open(properties);
    if (const Failure* failure = std::get_if<Failure>(&opened)) {
        Throw(info.Env(), "group", *failure);
        return;
    }
    member_ = std::get<std::shared_ptr<GroupMember>>(std::move(opened));
    open_->Add(this);
}

Napi::Function Group::Define(Napi::Env env) {
    return DefineClass(
        env, "Group",
        {InstanceMethod<&Group::Subscribe>("subscribe"), InstanceMethod<&Group::Poll>("poll"),
         InstanceMethod<&Group::Assign>("assign"), InstanceMethod<&Group::Unassign>("unassign"),
         InstanceMethod<&Group::Metadata>("metadata"),
         InstanceMethod<&Group::SetCredentials>("setCredentials"),
         InstanceMethod<&Group::MemberId>("memberId"),
         InstanceMethod<&Group::Committed>("committed"), InstanceMethod<&Group::Commit>("commit"),
         InstanceMethod<&Group::Close>("close")});
}

void Group::CloseAtExit() {
    if (!member_) return;
    member_->Leave();
    member_->AllowWaiting();
    member_.reset();
}

bool Group::MayCall(Napi::Env env) const {
    if (env.IsExceptionPending()) return false;
    if (!member_) Throw(env, "group", Closed());
    return member_ != nullptr;
}

void Group::Subscribe(const Napi::CallbackInfo& info) {
    const std::vector<std::string> topics = ReadStrings(info[0]);
    if (MayCall(info.Env())) Throw(info.Env(), "subscribe", member_->Subscribe(topics));
}

Napi::Value Group::Poll(const Napi::CallbackInfo& info) {
    Napi::Array events = Napi::Array::New(info.Env());
    if (!member_) return events;
    uint32_t length = 0;
    for (const GroupEvent& event : member_->Poll()) events.Set(length++, ToJs(info.Env(), event));
    return events;
}

void Group::Assign(const Napi::CallbackInfo& info) {
    if (MayCall(info.Env())) Throw(info.Env(), "assign", member_->Assign());
}

void Group::Unassign(const Napi::CallbackInfo& info) {
    if (MayCall(info.Env())) Throw(info.Env(), "unassign", member_->Unassign());
}

Napi::Value Group::Metadata(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const int timeout_ms = ReadInt(info[0]);
    if (env.IsExceptionPending()) return env.Undefined();
    return RunInPool<ClusterMetadata>(
        env, "metadata", [member = member_, timeout_ms]() -> Outcome<ClusterMetadata> {
            if (!member) return Closed();
            return ReadMetadata(member->rk(), std::nullopt, timeout_ms);
        });
}

void Group::SetCredentials(const Napi::CallbackInfo& info) {
    const std::string username = ReadString(info[0]);
    const std::string password = ReadString(info[1]);
    if (!MayCall(info.Env())) return;
    Throw(info.Env(), "credentials", ::SetCredentials(member_->rk(), username, password));
}

Napi::Value Group::MemberId(const Napi::CallbackInfo& info) {
    return ::ToJs(info.Env(), member_ ? member_->MemberId() : std::string());
}

Napi::Value Group::Committed(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    std::vector<TopicPartition> partitions = ReadPartitions(info[0]);
    const int timeout_ms = ReadInt(info[1]);
    if (env.IsExceptionPending()) return env.Undefined();
    using Offsets = std::vector<PartitionOffset>;
    return PoolCall<Offsets>::Start(
        env, "committed offsets",
        [member = member_, partitions = std::move(partitions), timeout_ms]() -> Outcome<Offsets> {
            if (!member) return Closed();
            return member->Committed(partitions, timeout_ms);
        },
        ToCommittedOffsets);
}

Napi::Value Group::Commit(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    std::vector<PartitionOffset> offsets = ReadOffsetsToCommit(info[0]);
    if (env.IsExceptionPending()) return env.Undefined();
    using Offsets = std::vector<PartitionOffset>;
    return RunInPool<Offsets>(
        env, "commit",
        [member = member_, offsets = std::move(offsets)]() mutable -> Outcome<Offsets> {
            if (!member) return Closed();
            return member->Commit(std::move(offsets));
        });
}

Napi::Value Group::Close(const Napi::CallbackInfo& info) {
    open_->Remove(this);
    return PoolCall<Done>::Start(
        info.Env(), "close group",
        [member = std::move(member_)]() -> Outcome<Done> {
            if (member) member->Leave();
            return Done{};
        },
        [](Napi::Env env, Done) { return env.Undefined(); });
}

}  // namespace

void InitGroup(Napi::Env env, Napi::Object exports) { exports.Set("Group", Group::Define(env)); }
