// The class Link of index.ts.
#ifndef HELIOSTAT_LINK_BINDING_H_
#define HELIOSTAT_LINK_BINDING_H_

#include <napi.h>

// Adds the class Link to the addon's exports.
void InitLink(Napi::Env env, Napi::Object exports);

#endif  // HELIOSTAT_LINK_BINDING_H_
