#include "mock_cluster.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "handle.h"
#include "js_values.h"
#include "open_handles.h"
#include "wire.h"

namespace {

// The mock's own three seconds for further members to turn up only hold up a demo.
constexpr int32_t kFirstRebalanceDelayMs = 200;

class MockCluster final : public Napi::ObjectWrap<MockCluster>, public Closable {
   public:
    explicit MockCluster(const Napi::CallbackInfo& info);
    ~MockCluster() override { Close(); }

    static Napi::Function Define(Napi::Env env);

    void CloseAtExit() override { Close(); }

   private:
    Napi::Value BootstrapServers(const Napi::CallbackInfo& info);
    void CreateTopic(const Napi::CallbackInfo& info);
    void SetLeader(const Napi::CallbackInfo& info);
    void SetBrokerUp(const Napi::CallbackInfo& info);
    void SetRoundTripMs(const Napi::CallbackInfo& info);
    void PushErrors(const Napi::CallbackInfo& info);
    void CloseFromJs(const Napi::CallbackInfo&) { Close(); }
    // Ends the mock's thread; a few milliseconds.
    void Close();

    // Throws what kept a call from being made: wrong arguments, a closed mock.
    bool MayCall(Napi::Env env) const;
    static void ThrowUnlessNone(Napi::Env env, const char* what, rd_kafka_resp_err_t code);

    const std::shared_ptr<OpenHandles> open_;
    // A mock lives in a client, whose own connections it does not use. It goes before the client.
    ClientPtr rk_;
    MockPtr mock_;
};

void DropLogLine(const rd_kafka_t*, int, const char*, const char*) {}

MockCluster::MockCluster(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<MockCluster>(info), open_(OpenHandles::Of(info.Env())) {
    const int brokers = ReadInt(info[0]);
    if (info.Env().IsExceptionPending()) return;
    ConfPtr conf(rd_kafka_conf_new());
    rd_kafka_conf_set_log_cb(conf.get(), DropLogLine);
    std::array<char, 512> text{};
    rk_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), text.data(), text.size()));
    if (rk_) {
        conf.release();  // the client's now
        mock_.reset(rd_kafka_mock_cluster_new(rk_.get(), brokers));
    }
    if (!mock_) {
        MakeError(info.Env(), "mock cluster", FailureOf(RD_KAFKA_RESP_ERR__FAIL, text.data()))
            .ThrowAsJavaScriptException();
        return;
    }
    wire_mock_set_controller(mock_.get(), 1);
    rd_kafka_mock_group_initial_rebalance_delay_ms(mock_.get(), kFirstRebalanceDelayMs);
    open_->Add(this);
}

Napi::Function MockCluster::Define(Napi::Env env) {
    return DefineClass(env, "MockCluster",
                       {InstanceAccessor<&MockCluster::BootstrapServers>("bootstrapServers"),
                        InstanceMethod<&MockCluster::CreateTopic>("createTopic"),
                        InstanceMethod<&MockCluster::SetLeader>("setLeader"),
                        InstanceMethod<&MockCluster::SetBrokerUp>("setBrokerUp"),
                        InstanceMethod<&MockCluster::SetRoundTripMs>("setRoundTripMs"),
                        InstanceMethod<&MockCluster::PushErrors>("pushErrors"),
                        InstanceMethod<&MockCluster::CloseFromJs>("close")});
}

bool MockCluster::MayCall(Napi::Env env) const {
    if (env.IsExceptionPending()) return false;
    if (mock_) return true;
    const Failure failure = FailureOf(RD_KAFKA_RESP_ERR__STATE, "the mock cluster is closed");
    MakeError(env, "mock cluster", failure).ThrowAsJavaScriptException();
    return false;
}

void MockCluster::ThrowUnlessNone(Napi::Env env, const char* what, rd_kafka_resp_err_t code) {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    MakeError(env, what, FailureOf(code)).ThrowAsJavaScriptException();
}

Napi::Value MockCluster::BootstrapServers(const Napi::CallbackInfo& info) {
    if (!MayCall(info.Env())) return info.Env().Undefined();
    return ToJs(info.Env(), std::string(rd_kafka_mock_cluster_bootstraps(mock_.get())));
}

void MockCluster::CreateTopic(const Napi::CallbackInfo& info) {
    const std::string topic = ReadString(info[0]);
    const int partitions = ReadInt(info[1]);
    const int replication_factor = ReadInt(info[2]);
    if (!MayCall(info.Env())) return;
    ThrowUnlessNone(
        info.Env(), "mock topic",
        rd_kafka_mock_topic_create(mock_.get(), topic.c_str(), partitions, replication_factor));
}

void MockCluster::SetLeader(const Napi::CallbackInfo& info) {
    const std::string topic = ReadString(info[0]);
    const int partition = ReadInt(info[1]);
    const int broker = ReadInt(info[2]);
    if (!MayCall(info.Env())) return;
    ThrowUnlessNone(
        info.Env(), "mock leader",
        rd_kafka_mock_partition_set_leader(mock_.get(), topic.c_str(), partition, broker));
}

void MockCluster::SetBrokerUp(const Napi::CallbackInfo& info) {
    const int broker = ReadInt(info[0]);
    const bool is_up = info[1].ToBoolean();
    if (!MayCall(info.Env())) return;
    ThrowUnlessNone(info.Env(), "mock broker",
                    is_up ? rd_kafka_mock_broker_set_up(mock_.get(), broker)
                          : rd_kafka_mock_broker_set_down(mock_.get(), broker));
}

void MockCluster::SetRoundTripMs(const Napi::CallbackInfo& info) {
    const int broker = ReadInt(info[0]);
    const int milliseconds = ReadInt(info[1]);
    if (!MayCall(info.Env())) return;
    ThrowUnlessNone(info.Env(), "mock round trip",
                    rd_kafka_mock_broker_set_rtt(mock_.get(), broker, milliseconds));
}

void MockCluster::PushErrors(const Napi::CallbackInfo& info) {
    const int api_key = ReadInt(info[0]);
    std::vector<rd_kafka_resp_err_t> codes;
    if (info[1].IsArray()) {
        const Napi::Array array = info[1].As<Napi::Array>();
        for (uint32_t index = 0; index < array.Length(); ++index) {
            codes.push_back(static_cast<rd_kafka_resp_err_t>(ReadInt(array.Get(index))));
        }
    }
    if (!MayCall(info.Env())) return;
    rd_kafka_mock_push_request_errors_array(mock_.get(), static_cast<int16_t>(api_key),
                                            codes.size(), codes.data());
}

void MockCluster::Close() {
    open_->Remove(this);
    mock_.reset();
    rk_.reset();
}

}  // namespace

void InitMockCluster(Napi::Env env, Napi::Object exports) {
    exports.Set("MockCluster", MockCluster::Define(env));
}
