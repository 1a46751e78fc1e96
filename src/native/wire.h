// Raw Kafka requests over librdkafka's own connections: the only door to librdkafka's internals.
//
// A connection is a logical broker of a handle: it has a socket and a thread of its own ("broker
// thread"), and librdkafka does TLS, SASL, reconnecting and ApiVersions on it. A request is
// enqueued as an empty ticket; its `make` runs on the broker thread at the moment it is sent, so
// that what is chosen there leaves in that order. Its `done` runs exactly once, on the broker
// thread.
#ifndef HELIOSTAT_WIRE_H_
#define HELIOSTAT_WIRE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_mock_cluster_s rd_kafka_mock_cluster_t;
typedef struct rd_kafka_broker_s wire_connection;
typedef struct rd_kafka_buf_s wire_request;
typedef struct rd_kafka_buf_s wire_reply;
struct rd_kafka_metadata;

enum wire_api {
    WIRE_PRODUCE = 0,
    WIRE_FETCH = 1,
    WIRE_METADATA = 3,
    WIRE_OFFSET_COMMIT = 8,
    WIRE_OFFSET_FETCH = 9,
    WIRE_FIND_COORDINATOR = 10,
    WIRE_INIT_PRODUCER_ID = 22,
    WIRE_OFFSET_FOR_LEADER_EPOCH = 23,
    WIRE_DESCRIBE_PRODUCERS = 61,
};

// Fills a request, on the broker thread. `version` is the newest within the asked range that the
// broker has; wire_use_version takes an older one. Returns 1 to send it, 0 when there is nothing to
// send (done: WIRE_DROPPED).
typedef int (*wire_make)(wire_request* request, int16_t version, void* opaque);

enum wire_outcome {
    WIRE_ANSWERED,     // `body` holds the response after its header
    WIRE_DROPPED,      // make had nothing to send
    WIRE_NOT_SENT,     // failed before a byte left: nothing of it can be on the broker
    WIRE_LOST,         // failed after it was (partly) sent: it may have been carried out
    WIRE_UNSUPPORTED,  // the broker has no version of this request in the asked range
};

struct wire_result {
    enum wire_outcome outcome;
    int error;          // librdkafka's code when it failed, else 0
    int16_t version;    // of the request as sent
    wire_reply* reply;  // lent for the call; wire_reply_keep makes it the callee's
    const uint8_t* body;
    size_t size;
    int64_t round_trip_us;  // from sent to answered; -1 unknown
};

typedef void (*wire_done)(const struct wire_result* result, void* opaque);

struct wire_call {
    enum wire_api api;
    int16_t min_version;
    int16_t max_version;
    int timeout_ms;  // counted from enqueueing; a time-out closes the connection
    int segments;    // expected number of pushes, for one allocation instead of many
    wire_make make;
    wire_done done;
    void* opaque;
};

// A new connection named `name` to broker `broker_id`; NULL while the handle does not know that
// broker (it is then asked to look again). Any thread.
wire_connection* wire_connect(rd_kafka_t* handle, int32_t broker_id, const char* name);
// Follows the broker when its address changed, and expedites a pending reconnect. Any thread.
// Returns 0 when the handle does not know the broker any more.
int wire_follow(wire_connection* connection, rd_kafka_t* handle, int32_t broker_id);
// Drops the address: the socket closes, every request is done with an error, no reconnect. Any
// thread.
void wire_cut(wire_connection* connection);
// Gives the connection back. No request may be enqueued on it afterwards. Any thread.
void wire_release(wire_connection* connection);

// Enqueues a ticket. Any thread; from the broker thread it goes straight to the send queue.
void wire_enqueue(wire_connection* connection, const struct wire_call* call);
// Enqueues a ticket on the handle's own connection to a broker. Returns 0 when the handle does not
// know that broker. Any thread.
int wire_enqueue_to(rd_kafka_t* handle, int32_t broker_id, const struct wire_call* call);
// Enqueues a ticket on any broker of the handle that is up. Returns 0 (and starts connecting) when
// there is none. Any thread.
int wire_enqueue_any(rd_kafka_t* handle, const struct wire_call* call);

// Only within make, before anything is written: an older version than the one that was chosen.
void wire_use_version(wire_request* request, int16_t version);
// Only within make, before anything is written: the version that was chosen has flexible encoding.
// The tags of header and request are written here; those of topics and partitions are the caller's.
void wire_flexible(wire_request* request);
// Only within make: space for header bytes in one piece, copied bytes, bytes by reference. Bytes by
// reference must live until done.
void wire_reserve(wire_request* request, size_t size);
void wire_write(wire_request* request, const void* bytes, size_t size);
void wire_push(wire_request* request, const void* bytes, size_t size);

// A kept reply holds its bytes and nothing else: neither connection nor handle wait for it.
void wire_reply_keep(wire_reply* reply);
// Any thread.
void wire_reply_release(wire_reply* reply);

// Newest version of a request that a broker of the handle has which is up; -1 while none is, or it
// has none. Any thread.
int16_t wire_newest_version(rd_kafka_t* handle, enum wire_api api);

// Asks the handle to learn the cluster's brokers again. Any thread.
void wire_refresh_brokers(rd_kafka_t* handle);

// The id of a topic in metadata that librdkafka returned, 16 bytes; all zero where the broker tells
// none (before 2.8).
void wire_topic_id(const struct rd_kafka_metadata* metadata, int topic, uint8_t id[16]);

const char* wire_error_name(int code);

// A mock cluster names no controller by itself, and admin calls wait for one. Before any client
// connects to it.
void wire_mock_set_controller(rd_kafka_mock_cluster_t* mock, int32_t broker_id);

#ifdef __cplusplus
}
#endif

#endif  // HELIOSTAT_WIRE_H_
