// The class Group of the addon: a GroupMember as JavaScript sees it.
#ifndef HELIOSTAT_GROUP_H_
#define HELIOSTAT_GROUP_H_

#include <napi.h>

// Adds the class Group to the addon's exports.
void InitGroup(Napi::Env env, Napi::Object exports);

#endif  // HELIOSTAT_GROUP_H_
