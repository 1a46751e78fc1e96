// One librdkafka client on one cluster: admin calls, and the connections of the links that use it.
#ifndef HELIOSTAT_CLUSTER_H_
#define HELIOSTAT_CLUSTER_H_

#include <napi.h>

#include <memory>

#include "client_handle.h"
#include "leader_query.h"

// A producer by librdkafka's type, though it never makes a record: that type joins nothing and
// fetches nothing. No topic object is ever made on it.
class ClusterHandle final : public ClientHandle {
   public:
    static Outcome<std::shared_ptr<ClusterHandle>> Open(const Properties& properties);

    // For requests of our own to the leaders of partitions.
    LeaderCache& leaders() { return leaders_; }

   private:
    ClusterHandle() = default;

    LeaderCache leaders_;
};

// Adds the class Cluster to the addon's exports.
void InitCluster(Napi::Env env, Napi::Object exports);

// The handle of a JS Cluster. Empty, with a JavaScript exception pending, when the value is not a
// Cluster or is closed.
std::shared_ptr<ClusterHandle> UnwrapCluster(const Napi::Value& value);

#endif  // HELIOSTAT_CLUSTER_H_
