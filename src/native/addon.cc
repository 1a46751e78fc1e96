// The addon's entry point: what it exports, and what must be set up once before librdkafka is used.
#include <napi.h>
#include <rdkafka.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <string>
#include <vector>

#include "cluster.h"
#include "group.h"
#include "handle.h"
#include "js_values.h"
#include "link_binding.h"
#include "lz4_binding.h"
#include "mock_cluster.h"
#include "open_handles.h"
#include "resume.h"

#if HELIOSTAT_WITH_SSL
#include <openssl/crypto.h>
#endif

namespace {

// What the linked librdkafka can do, by its own list.
std::vector<std::string> ReadFeatures() {
    const ConfPtr conf(rd_kafka_conf_new());
    std::array<char, 512> text{};
    size_t size = text.size();
    std::vector<std::string> features;
    if (rd_kafka_conf_get(conf.get(), "builtin.features", text.data(), &size) != RD_KAFKA_CONF_OK) {
        return features;
    }
    std::istringstream list(text.data());
    for (std::string feature; std::getline(list, feature, ',');) features.push_back(feature);
    return features;
}

Napi::Value Version(const Napi::CallbackInfo& info) {
    Napi::Object version = Napi::Object::New(info.Env());
    version.Set("librdkafka", rd_kafka_version_str());
    version.Set("features", ToJs(info.Env(), ReadFeatures()));
    return version;
}

// process.exit joins libuv's pool, and a call in it may wait half a minute for a broker that is
// gone.
void ExitAtOnce(const Napi::CallbackInfo& info) { _exit(ReadInt(info[0])); }

const char* NameOf(heliostat::ResumeVerdict verdict) {
    switch (verdict) {
        case heliostat::ResumeVerdict::kExact:
            return "exact";
        case heliostat::ResumeVerdict::kWait:
            return "wait";
        case heliostat::ResumeVerdict::kLookOn:
            return "look-on";
        case heliostat::ResumeVerdict::kWentBack:
            return "went-back";
        case heliostat::ResumeVerdict::kUnknown:
            break;
    }
    return "unknown";
}

Napi::Value DecideResume(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Napi::Object pair = info[0].As<Napi::Object>();
    const Napi::Object facts = info[1].As<Napi::Object>();
    const auto sequence = [&facts](const char* name) -> std::optional<int32_t> {
        const Napi::Value value = facts.Get(name);
        return value.IsUndefined() ? std::nullopt : std::optional(ReadInt(value));
    };
    const heliostat::CommittedPair committed{.next_sequence = ReadInt(pair.Get("nextSequence")),
                                             .target_end = ReadInt64(pair.Get("targetEnd"))};
    const heliostat::TargetFacts target{
        .log_start = ReadInt64(facts.Get("logStart")),
        .high_watermark = ReadInt64(facts.Get("highWatermark")),
        .tail_sequence = sequence("tailSequence"),
        .is_tail_known = facts.Get("isTailKnown").ToBoolean().Value(),
        .leader_sequence = sequence("leaderSequence"),
        .tail_end = facts.Has("tailEnd") ? ReadInt64(facts.Get("tailEnd")) : -1};
    if (env.IsExceptionPending()) return env.Undefined();
    const heliostat::Resume resume = heliostat::DecideResume(committed, target);
    Napi::Object object = Napi::Object::New(env);
    object.Set("verdict", NameOf(resume.verdict));
    object.Set("arrived", static_cast<double>(resume.arrived));
    return object;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
#if HELIOSTAT_WITH_SSL
    // process.exit runs no clean-up hooks, so librdkafka's threads may be inside OpenSSL while the
    // process ends: OpenSSL must not free its globals then. Without effect when called again.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
#endif
    OpenHandles::Install(env);
    InitCluster(env, exports);
    InitGroup(env, exports);
    InitLink(env, exports);
    InitLz4(env, exports);
    InitMockCluster(env, exports);
    exports.Set("exitAtOnce", Napi::Function::New(env, ExitAtOnce, "exitAtOnce"));
    exports.Set("decideResume", Napi::Function::New(env, DecideResume, "decideResume"));
    exports.Set("version", Napi::Function::New(env, Version, "version"));
    return exports;
}

}  // namespace

NODE_API_MODULE(heliostat, Init)
