// LZ4 frames for JavaScript, by the library that librdkafka carries. Any JS thread, a worker's too:
// nothing is kept between two calls.
#ifndef HELIOSTAT_LZ4_BINDING_H_
#define HELIOSTAT_LZ4_BINDING_H_

#include <napi.h>

void InitLz4(Napi::Env env, Napi::Object exports);

#endif  // HELIOSTAT_LZ4_BINDING_H_
