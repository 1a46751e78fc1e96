// librdkafka's embedded mock cluster, for the demo and for tests.
#ifndef HELIOSTAT_MOCK_CLUSTER_H_
#define HELIOSTAT_MOCK_CLUSTER_H_

#include <napi.h>

// Adds the class MockCluster to the addon's exports.
void InitMockCluster(Napi::Env env, Napi::Object exports);

#endif  // HELIOSTAT_MOCK_CLUSTER_H_
