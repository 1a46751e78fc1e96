// A blocking call that runs on libuv's pool while JavaScript holds a promise for its answer.
#ifndef HELIOSTAT_POOL_CALL_H_
#define HELIOSTAT_POOL_CALL_H_

#include <napi.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "failure.h"
#include "js_values.h"

template <typename T>
class PoolCall final : public Napi::AsyncWorker {
   public:
    using Work = std::function<Outcome<T>()>;
    using Convert = std::function<Napi::Value(Napi::Env, const T&)>;

    // `what` names the call in its error. `work` runs on the pool and goes there too: when it holds
    // the last reference to a client, the client ends off the JS thread. `convert` runs on the JS
    // thread.
    static Napi::Promise Start(Napi::Env env, std::string what, Work work, Convert convert) {
        auto* call = new PoolCall(env, std::move(what), std::move(work), std::move(convert));
        const Napi::Promise promise = call->deferred_.Promise();
        call->Queue();
        return promise;
    }

    void Execute() override {
        outcome_.emplace(work_());
        work_ = nullptr;
    }

    void OnOK() override {
        if (!CanRunJs()) return;
        if (const Failure* failure = std::get_if<Failure>(&*outcome_)) {
            deferred_.Reject(MakeError(Env(), what_, *failure).Value());
            return;
        }
        deferred_.Resolve(convert_(Env(), std::get<T>(*outcome_)));
    }

   private:
    PoolCall(Napi::Env env, std::string what, Work work, Convert convert)
        : Napi::AsyncWorker(env),
          deferred_(Napi::Promise::Deferred::New(env)),
          what_(std::move(what)),
          work_(std::move(work)),
          convert_(std::move(convert)) {}

    // Not when the call ends while its worker thread is being terminated: nobody waits for it then.
    bool CanRunJs() const {
        const napi_value undefined = Env().Undefined();
        bool is_equal = false;
        return napi_strict_equals(Env(), undefined, undefined, &is_equal) == napi_ok;
    }

    Napi::Promise::Deferred deferred_;
    const std::string what_;
    Work work_;                          // pool thread
    std::optional<Outcome<T>> outcome_;  // pool thread writes, JS thread reads afterwards
    const Convert convert_;
};

// With the conversion that js_values has for the type.
template <typename T>
Napi::Promise RunInPool(Napi::Env env, std::string what, std::function<Outcome<T>()> work) {
    return PoolCall<T>::Start(
        env, std::move(what), std::move(work),
        [](Napi::Env env, const T& value) -> Napi::Value { return ToJs(env, value); });
}

#endif  // HELIOSTAT_POOL_CALL_H_
