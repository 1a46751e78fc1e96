// A topic's id: 16 bytes on the wire, 32 hex digits for JavaScript; empty where there is none.
#ifndef HELIOSTAT_TOPIC_ID_H_
#define HELIOSTAT_TOPIC_ID_H_

#include <string>

namespace heliostat {

// Empty for text that is no id.
std::string ReadTopicId(const std::string& hex);
// Empty for an id that is all zero, as brokers without ids tell it.
std::string WriteTopicId(const std::string& bytes);

}  // namespace heliostat

#endif  // HELIOSTAT_TOPIC_ID_H_
