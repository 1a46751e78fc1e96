#include "lz4_binding.h"

#include <lz4frame.h>

#include <memory>
#include <string>

namespace {

using Bytes = Napi::Uint8Array;

// As Java writes them: blocks that stand for themselves, and no checksum but that of the header.
// Readers get themselves a buffer of the block size, and 64 KiB is the smallest.
LZ4F_preferences_t PreferencesFor(int level) {
    LZ4F_preferences_t preferences{};
    preferences.frameInfo.blockSizeID = LZ4F_max64KB;
    preferences.frameInfo.blockMode = LZ4F_blockIndependent;
    preferences.compressionLevel = level;
    return preferences;
}

Napi::Value Fail(Napi::Env env, const std::string& why) {
    Napi::Error::New(env, why).ThrowAsJavaScriptException();
    return env.Undefined();
}

Napi::Value FrameBound(const Napi::CallbackInfo& info) {
    const LZ4F_preferences_t preferences = PreferencesFor(0);
    const auto bytes = static_cast<size_t>(info[0].ToNumber().Int64Value());
    return Napi::Number::New(info.Env(),
                             static_cast<double>(LZ4F_compressFrameBound(bytes, &preferences)));
}

Napi::Value CompressFrame(const Napi::CallbackInfo& info) {
    const auto plain = info[0].As<Bytes>();
    auto frame = info[1].As<Bytes>();
    const LZ4F_preferences_t preferences = PreferencesFor(info[2].ToNumber().Int32Value());
    const size_t size = LZ4F_compressFrame(frame.Data(), frame.ByteLength(), plain.Data(),
                                           plain.ByteLength(), &preferences);
    if (LZ4F_isError(size)) return Fail(info.Env(), LZ4F_getErrorName(size));
    return Napi::Number::New(info.Env(), static_cast<double>(size));
}

struct FreeReader {
    void operator()(LZ4F_dctx* reader) const { LZ4F_freeDecompressionContext(reader); }
};

Napi::Value InflateFrame(const Napi::CallbackInfo& info) {
    const auto frame = info[0].As<Bytes>();
    auto plain = info[1].As<Bytes>();
    LZ4F_dctx* made = nullptr;
    const size_t failed = LZ4F_createDecompressionContext(&made, LZ4F_VERSION);
    if (LZ4F_isError(failed)) return Fail(info.Env(), LZ4F_getErrorName(failed));
    const std::unique_ptr<LZ4F_dctx, FreeReader> reader(made);
    size_t inflated = plain.ByteLength();
    size_t read = frame.ByteLength();
    const size_t left =
        LZ4F_decompress(reader.get(), plain.Data(), &inflated, frame.Data(), &read, nullptr);
    if (LZ4F_isError(left)) return Fail(info.Env(), LZ4F_getErrorName(left));
    // Zero at the end of a frame alone.
    if (left != 0 || read != frame.ByteLength()) {
        return Fail(info.Env(), "the frame does not end where its bytes do");
    }
    return Napi::Number::New(info.Env(), static_cast<double>(inflated));
}

}  // namespace

void InitLz4(Napi::Env env, Napi::Object exports) {
    Napi::Object lz4 = Napi::Object::New(env);
    lz4.Set("frameBound", Napi::Function::New(env, FrameBound, "frameBound"));
    lz4.Set("compressFrame", Napi::Function::New(env, CompressFrame, "compressFrame"));
    lz4.Set("inflateFrame", Napi::Function::New(env, InflateFrame, "inflateFrame"));
    exports.Set("lz4", lz4);
}
