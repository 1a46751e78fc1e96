// One owner type for every librdkafka object that we hold. No other code calls a destroy function.
#ifndef HELIOSTAT_HANDLE_H_
#define HELIOSTAT_HANDLE_H_

#include <rdkafka.h>
#include <rdkafka_mock.h>

#include <memory>

template <auto destroy>
struct DestroyWith {
    template <typename T>
    void operator()(T* object) const {
        destroy(object);
    }
};

// Ends a client. A consumer has left its group before (see GroupMember::Close); here it never waits
// for one, since that wait has no bound.
inline void DestroyClient(rd_kafka_t* rk) {
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

using ClientPtr = std::unique_ptr<rd_kafka_t, DestroyWith<DestroyClient>>;
using ConfPtr = std::unique_ptr<rd_kafka_conf_t, DestroyWith<rd_kafka_conf_destroy>>;
using ErrorPtr = std::unique_ptr<rd_kafka_error_t, DestroyWith<rd_kafka_error_destroy>>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, DestroyWith<rd_kafka_queue_destroy>>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, DestroyWith<rd_kafka_event_destroy>>;
using PartitionListPtr = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                         DestroyWith<rd_kafka_topic_partition_list_destroy>>;
using MetadataPtr =
    std::unique_ptr<const rd_kafka_metadata_t, DestroyWith<rd_kafka_metadata_destroy>>;
using AdminOptionsPtr =
    std::unique_ptr<rd_kafka_AdminOptions_t, DestroyWith<rd_kafka_AdminOptions_destroy>>;
using NewTopicPtr = std::unique_ptr<rd_kafka_NewTopic_t, DestroyWith<rd_kafka_NewTopic_destroy>>;
using NewPartitionsPtr =
    std::unique_ptr<rd_kafka_NewPartitions_t, DestroyWith<rd_kafka_NewPartitions_destroy>>;
using DeleteTopicPtr =
    std::unique_ptr<rd_kafka_DeleteTopic_t, DestroyWith<rd_kafka_DeleteTopic_destroy>>;
using ConfigResourcePtr =
    std::unique_ptr<rd_kafka_ConfigResource_t, DestroyWith<rd_kafka_ConfigResource_destroy>>;
using MockPtr =
    std::unique_ptr<rd_kafka_mock_cluster_t, DestroyWith<rd_kafka_mock_cluster_destroy>>;
// Memory that librdkafka allocated for us.
inline void FreeForRdkafka(void* memory) { rd_kafka_mem_free(nullptr, memory); }
using RdkafkaString = std::unique_ptr<char, DestroyWith<FreeForRdkafka>>;

#endif  // HELIOSTAT_HANDLE_H_
