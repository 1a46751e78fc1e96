// librdkafka's own names, as far as no other table has them.

import type { Rule } from './rule.ts'

const owned = 'the mirror sets this itself. Remove it'
const unsafe = 'it loads code, is a pointer or is meant for tests. Remove it'

/** librdkafka judges their values when the clients are made. */
const passed = [
  'message.max.bytes',
  'receive.message.max.bytes',
  'topic.metadata.refresh.interval.ms',
  'topic.metadata.refresh.fast.interval.ms',
  'topic.metadata.refresh.fast.cnt',
  'topic.metadata.refresh.sparse',
  'topic.metadata.propagation.max.ms',
  'debug',
  'socket.blocking.max.ms',
  'socket.keepalive.enable',
  'socket.nagle.disable',
  'socket.max.fails',
  'broker.address.ttl',
  'broker.address.family',
  'reconnect.backoff.jitter.ms',
  'log_level',
  'log.thread.name',
  'log.connection.close',
  'enable.random.seed',
  'api.version.request',
  'api.version.request.timeout.ms',
  'api.version.fallback.ms',
  'broker.version.fallback',
  'ssl.curves.list',
  'ssl.sigalgs.list',
  'ssl.key.location',
  'ssl.key.pem',
  'ssl.certificate.location',
  'ssl.certificate.pem',
  'ssl.ca.location',
  'ssl.ca.pem',
  'ssl.ca.certificate.stores',
  'ssl.crl.location',
  'https.ca.location',
  'https.ca.pem',
  'sasl.username',
  'sasl.password',
  'sasl.kerberos.principal',
  'sasl.kerberos.keytab',
  'sasl.oauthbearer.config',
  'sasl.oauthbearer.method',
  'sasl.oauthbearer.client.id',
  'sasl.oauthbearer.client.secret',
  'sasl.oauthbearer.extensions',
  'sasl.oauthbearer.grant.type',
  'sasl.oauthbearer.metadata.authentication.type',
  'sasl.oauthbearer.assertion.jwt.template.file',
  'sasl.oauthbearer.assertion.private.key.pem'
]

const ownedByMirror = [
  'enable.auto.offset.store',
  'enable.partition.eof',
  'offset.store.*',
  'statistics.interval.ms',
  'produce.offset.report',
  'queuing.strategy',
  'enable.gapless.guarantee',
  'delivery.report.only.error'
]

const codeOrPointers = [
  'plugin.library.paths',
  'interceptors',
  'ssl.engine.*',
  'ssl.providers',
  'ssl_*',
  'opaque',
  'default_topic_conf',
  'msg_order_cmp',
  'enabled_events',
  'log.queue',
  'internal.termination.signal',
  'builtin.features',
  'test.mock.*',
  'error_cb',
  'throttle_cb',
  'stats_cb',
  'log_cb',
  'background_event_cb',
  'socket_cb',
  'connect_cb',
  'closesocket_cb',
  'open_cb',
  'resolve_cb',
  'ssl.certificate.verify_cb',
  'oauthbearer_token_refresh_cb',
  'consume_cb',
  'rebalance_cb',
  'offset_commit_cb',
  'dr_cb',
  'dr_msg_cb',
  'partitioner_cb'
]

export const librdkafkaRules: readonly Rule[] = [
  { name: 'metadata.broker.list', action: 'rename', to: 'bootstrap.servers' },
  { name: 'sasl.mechanisms', action: 'rename', to: 'sasl.mechanism' },
  ...passed.map((name): Rule => ({ name, action: 'pass' })),
  ...ownedByMirror.map((name): Rule => ({ name, action: 'refuse', note: owned })),
  ...codeOrPointers.map((name): Rule => ({ name, action: 'refuse', note: unsafe })),
  { name: 'topic.blacklist', action: 'refuse', note: 'set --exclude instead' },
  { name: 'message.copy.max.bytes', action: 'ignore' },
  {
    name: 'enable.sasl.oauthbearer.unsecure.jwt',
    action: 'refuse',
    note: 'unsigned tokens are for tests only. Remove it'
  }
]
