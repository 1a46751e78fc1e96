// Makes a librdkafka configuration from properties by name.
#ifndef HELIOSTAT_PROPERTIES_H_
#define HELIOSTAT_PROPERTIES_H_

#include <map>
#include <string>

#include "failure.h"
#include "handle.h"

using Properties = std::map<std::string, std::string>;

// Fails with librdkafka's own text when it refuses a name or a value.
Outcome<ConfPtr> MakeConf(const Properties& properties);

#endif  // HELIOSTAT_PROPERTIES_H_
