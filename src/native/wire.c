// The one file on librdkafka's internal headers; see wire.h. It holds no policy.

#define _GNU_SOURCE 1

#include "wire.h"

#include "rd.h"
#include "rdkafka_int.h"
// After rdkafka_int.h, which they rely on.
#include "rdkafka_broker.h"
#include "rdkafka_buf.h"
#include "rdkafka_metadata.h"
#include "rdkafka_mock_int.h"
#include "rdkafka_request.h"

#if RD_KAFKA_VERSION != 0x020c00ff
#error \
    "wire.c is written against librdkafka 2.12.0: read its request layer again before changing this"
#endif

// What a ticket carries from enqueueing to done. Owned by the request; freed in on_done.
struct ticket {
    struct wire_call call;
};

// With a reference to give back; NULL, and the handle looks again, while it does not know the
// broker.
static rd_kafka_broker_t* find_broker(rd_kafka_t* handle, int32_t broker_id) {
    rd_kafka_rdlock(handle);
    rd_kafka_broker_t* broker = rd_kafka_broker_find_by_nodeid(handle, broker_id);
    rd_kafka_rdunlock(handle);
    if (!broker) wire_refresh_brokers(handle);
    return broker;
}

wire_connection* wire_connect(rd_kafka_t* handle, int32_t broker_id, const char* name) {
    rd_kafka_broker_t* broker = find_broker(handle, broker_id);
    if (!broker) return NULL;
    rd_kafka_broker_t* connection = rd_kafka_broker_add_logical(handle, name);
    rd_kafka_broker_set_nodename(connection, broker);
    rd_kafka_broker_destroy(broker);
    return connection;
}

int wire_follow(wire_connection* connection, rd_kafka_t* handle, int32_t broker_id) {
    rd_kafka_broker_t* broker = find_broker(handle, broker_id);
    if (!broker) return 0;
    rd_kafka_broker_set_nodename(connection, broker);
    rd_kafka_broker_destroy(broker);
    return 1;
}

void wire_cut(wire_connection* connection) {
    // As rd_kafka_broker_set_nodename(…, NULL), which does nothing the second time: a ticket that
    // came in between would wait for its time-out.
    rd_kafka_broker_lock(connection);
    connection->rkb_nodename[0] = '\0';
    connection->rkb_nodename_epoch++;
    rd_kafka_broker_unlock(connection);
    rd_kafka_broker_schedule_connection(connection);
}

void wire_release(wire_connection* connection) { rd_kafka_broker_destroy(connection); }

static rd_kafka_resp_err_t on_make(rd_kafka_broker_t* broker, rd_kafka_buf_t* request,
                                   void* opaque) {
    struct ticket* ticket = opaque;
    const struct wire_call* call = &ticket->call;
    const int16_t version = rd_kafka_broker_ApiVersion_supported(
        broker, call->api, call->min_version, call->max_version, NULL);
    if (version < 0) return RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
    rd_kafka_buf_ApiVersion_set(request, version, 0);
    return call->make(request, version, call->opaque) ? RD_KAFKA_RESP_ERR_NO_ERROR
                                                      : RD_KAFKA_RESP_ERR__NOENT;
}

static enum wire_outcome outcome_of(rd_kafka_resp_err_t err, rd_kafka_buf_t* request) {
    // A request with a correlation id has begun to leave, even if librdkafka does not count it as
    // sent.
    if (err == RD_KAFKA_RESP_ERR__NOENT) return WIRE_DROPPED;
    if (err == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE) return WIRE_UNSUPPORTED;
    return rd_kafka_buf_was_sent(request) || request->rkbuf_corrid != 0 ? WIRE_LOST : WIRE_NOT_SENT;
}

static void on_done(rd_kafka_t* handle, rd_kafka_broker_t* broker, rd_kafka_resp_err_t err,
                    rd_kafka_buf_t* reply, rd_kafka_buf_t* request, void* opaque) {
    struct ticket* ticket = opaque;
    struct wire_result result = {0};
    (void)handle;
    (void)broker;
    result.version = request->rkbuf_reqhdr.ApiVersion;
    result.error = err;
    result.round_trip_us = -1;
    if (err || !reply) {
        result.outcome = outcome_of(err ? err : RD_KAFKA_RESP_ERR__TRANSPORT, request);
    } else {
        result.outcome = WIRE_ANSWERED;
        result.reply = reply;
        result.size = rd_slice_remains(&reply->rkbuf_reader);
        result.body = rd_slice_ensure_contig(&reply->rkbuf_reader, result.size);
        result.round_trip_us = reply->rkbuf_ts_sent;
    }
    ticket->call.done(&result, ticket->call.opaque);
    rd_free(ticket);
}

static void enqueue(rd_kafka_broker_t* broker, const struct wire_call* call) {
    struct ticket* ticket = rd_malloc(sizeof(*ticket));
    rd_kafka_buf_t* request =
        rd_kafka_buf_new_request(broker, (int16_t)call->api, 2 + 2 * call->segments, 64);
    ticket->call = *call;
    request->rkbuf_rel_timeout = call->timeout_ms;
    rd_kafka_buf_set_maker(request, on_make, ticket, NULL);
    rd_kafka_broker_buf_enq_replyq(broker, request, RD_KAFKA_NO_REPLYQ, on_done, ticket);
}

void wire_enqueue(wire_connection* connection, const struct wire_call* call) {
    enqueue(connection, call);
}

int wire_enqueue_to(rd_kafka_t* handle, int32_t broker_id, const struct wire_call* call) {
    rd_kafka_broker_t* broker = find_broker(handle, broker_id);
    if (!broker) return 0;
    enqueue(broker, call);
    // Connections are made when they are needed, which a request alone does not say.
    rd_kafka_broker_schedule_connection(broker);
    rd_kafka_broker_destroy(broker);
    return 1;
}

int wire_enqueue_any(rd_kafka_t* handle, const struct wire_call* call) {
    rd_kafka_broker_t* broker = rd_kafka_broker_any_up(handle, NULL, NULL, NULL, "heliostat");
    if (!broker) return 0;
    enqueue(broker, call);
    rd_kafka_broker_destroy(broker);
    return 1;
}

void wire_use_version(wire_request* request, int16_t version) {
    rd_kafka_buf_ApiVersion_set(request, version, 0);
}

void wire_flexible(wire_request* request) { rd_kafka_buf_upgrade_flexver_request(request); }

// One more byte than asked for: librdkafka writes the closing tags of a flexible request itself,
// and would look for ever for room that it counts in the segment which was too small for the rest.
void wire_reserve(wire_request* request, size_t size) {
    rd_buf_write_ensure_contig(&request->rkbuf_buf, size + 1);
}

void wire_write(wire_request* request, const void* bytes, size_t size) {
    rd_kafka_buf_write(request, bytes, size);
}

void wire_push(wire_request* request, const void* bytes, size_t size) {
    rd_kafka_buf_push(request, bytes, size, NULL);
}

void wire_reply_keep(wire_reply* reply) {
    rd_kafka_buf_keep(reply);
    // A reply counts on its broker, and rd_kafka_destroy would wait for it. Nothing after done
    // needs that reference, so the kept bytes let it go.
    if (reply->rkbuf_rkb) {
        rd_kafka_broker_destroy(reply->rkbuf_rkb);
        reply->rkbuf_rkb = NULL;
    }
}

void wire_reply_release(wire_reply* reply) { rd_kafka_buf_destroy(reply); }

int16_t wire_newest_version(rd_kafka_t* handle, enum wire_api api) {
    rd_kafka_broker_t* broker = rd_kafka_broker_any_up(handle, NULL, NULL, NULL, "heliostat");
    if (!broker) return -1;
    const int16_t version =
        rd_kafka_broker_ApiVersion_supported(broker, api, 0, RD_KAFKAP_RPC_VERSION_MAX, NULL);
    rd_kafka_broker_destroy(broker);
    return version;
}

void wire_refresh_brokers(rd_kafka_t* handle) {
    rd_kafka_metadata_refresh_brokers(handle, NULL, "heliostat looks for a broker");
}

void wire_topic_id(const struct rd_kafka_metadata* metadata, int topic, uint8_t id[16]) {
    const rd_kafka_metadata_internal_t* internal = rd_kafka_metadata_get_internal(metadata);
    const uint64_t high = htobe64((uint64_t)internal->topics[topic].topic_id.most_significant_bits);
    const uint64_t low = htobe64((uint64_t)internal->topics[topic].topic_id.least_significant_bits);
    memcpy(id, &high, sizeof(high));
    memcpy(id + sizeof(high), &low, sizeof(low));
}

const char* wire_error_name(int code) { return rd_kafka_err2name((rd_kafka_resp_err_t)code); }

void wire_mock_set_controller(rd_kafka_mock_cluster_t* mock, int32_t broker_id) {
    mock->controller_id = broker_id;
}
