// The small requests of Kafka's protocol: what exists, where it is, and what may be created.
#pragma once

#include "broker.h"
#include "protocol.h"

namespace bench {

void AnswerApiVersions(int16_t version, Writer& response);                                // v0
void AnswerMetadata(Broker& broker, int16_t version, Reader& request, Writer& response);  // v0–v8
void AnswerListOffsets(Broker& broker, int16_t version, Reader& request,
                       Writer& response);                                       // v1–v5
void AnswerFindCoordinator(Broker& broker, int16_t version, Writer& response);  // v0–v2
void AnswerInitProducerId(Broker& broker, Writer& response);                    // v0–v1
void AnswerCreateTopics(Broker& broker, int16_t version, Reader& request,
                        Writer& response);                                       // v0–v4
void AnswerCreatePartitions(Broker& broker, Reader& request, Writer& response);  // v0–v1
void AnswerDescribeConfigs(Broker& broker, int16_t version, Reader& request,
                           Writer& response);  // v0–v2

}  // namespace bench
