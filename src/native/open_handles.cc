#include "open_handles.h"

#include <algorithm>

namespace {

struct InstanceData {
    std::shared_ptr<OpenHandles> open = std::make_shared<OpenHandles>();
};

}  // namespace

void OpenHandles::Install(Napi::Env env) {
    auto* data = new InstanceData;
    env.SetInstanceData(data);
    env.AddCleanupHook([open = data->open] { open->CloseAll(); });
}

std::shared_ptr<OpenHandles> OpenHandles::Of(Napi::Env env) {
    return env.GetInstanceData<InstanceData>()->open;
}

void OpenHandles::Remove(Closable* closable) { std::erase(open_, closable); }

void OpenHandles::CloseAll() {
    while (!open_.empty()) {
        Closable* closable = open_.back();
        open_.pop_back();
        closable->CloseAtExit();
    }
}
