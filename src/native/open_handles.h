// What JavaScript has opened in one environment and not closed: the clean-up hook closes it, newest
// first, before the environment (a worker thread, or the process) goes.
#ifndef HELIOSTAT_OPEN_HANDLES_H_
#define HELIOSTAT_OPEN_HANDLES_H_

#include <napi.h>

#include <memory>
#include <vector>

class Closable {
   public:
    virtual ~Closable() = default;
    // On the JS thread, from the clean-up hook; may wait for threads, may not call into JavaScript.
    virtual void CloseAtExit() = 0;
};

class OpenHandles {
   public:
    // Makes the environment's one instance and its clean-up hook; once, before anything is opened.
    static void Install(Napi::Env env);
    // Shared, because wrapped objects may be finalized after the instance data.
    static std::shared_ptr<OpenHandles> Of(Napi::Env env);

    void Add(Closable* closable) { open_.push_back(closable); }
    void Remove(Closable* closable);

   private:
    void CloseAll();

    std::vector<Closable*> open_;  // in order of opening; JS thread only
};

#endif  // HELIOSTAT_OPEN_HANDLES_H_
