// Every name that Java's clients, librdkafka and Kafka 0.7 and 0.8 have for a setting, and what becomes of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rule, Side } from '../../src/config/rules/rule.ts'
import { findRule } from '../../src/config/rules/table.ts'

type Names = Partial<Record<Rule['action'], string>>

/** By what becomes of them. */
const bothFiles: Names = {
  pass: `bootstrap.servers client.id client.rack client.dns.lookup metadata.recovery.strategy
    metadata.recovery.rebootstrap.trigger.ms reconnect.backoff.ms reconnect.backoff.max.ms retry.backoff.ms
    retry.backoff.max.ms socket.connection.setup.timeout.ms`,
  rename: 'send.buffer.bytes receive.buffer.bytes',
  translate: `metadata.max.age.ms connections.max.idle.ms request.timeout.ms default.api.timeout.ms
    enable.metrics.push config.providers config.providers.file.class config.providers.file.param.allowed.paths`,
  ignore: `metadata.max.idle.ms socket.connection.setup.timeout.max.ms metric.reporters metrics.num.samples
    metrics.recording.level metrics.sample.window.ms auto.include.jmx.reporter security.providers
    internal.auto.offset.reset.by.duration`,
  refuse: 'interceptor.classes bootstrap.controllers'
}

const consumerFile: Names = {
  pass: `group.id group.instance.id group.protocol group.remote.assignor session.timeout.ms heartbeat.interval.ms
    max.poll.interval.ms isolation.level check.crcs fetch.min.bytes fetch.max.bytes max.partition.fetch.bytes`,
  rename: 'fetch.max.wait.ms',
  translate: `partition.assignment.strategy auto.offset.reset enable.auto.commit auto.commit.interval.ms
    exclude.internal.topics allow.auto.create.topics`,
  ignore: 'max.poll.records key.deserializer value.deserializer share.acknowledgement.mode'
}

const producerFile: Names = {
  pass: 'enable.idempotence',
  translate: `acks max.in.flight.requests.per.connection buffer.memory batch.size linger.ms compression.type
    compression.gzip.level compression.lz4.level compression.zstd.level max.request.size`,
  ignore: `retries delivery.timeout.ms max.block.ms partitioner.class partitioner.ignore.keys
    partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms transaction.timeout.ms
    transaction.two.phase.commit.enable key.serializer value.serializer`,
  refuse: 'transactional.id'
}

const security: Names = {
  pass: `security.protocol sasl.mechanism sasl.kerberos.service.name sasl.kerberos.kinit.cmd
    sasl.kerberos.min.time.before.relogin sasl.oauthbearer.token.endpoint.url sasl.oauthbearer.scope
    sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud
    sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.file
    sasl.oauthbearer.assertion.private.key.file sasl.oauthbearer.assertion.private.key.passphrase ssl.key.password`,
  // librdkafka has two names for these, and one of them has to be the one that is compared.
  rename: `sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret
    sasl.oauthbearer.assertion.template.file ssl.truststore.certificates ssl.keystore.key
    ssl.keystore.certificate.chain`,
  translate: `sasl.jaas.config sasl.login.callback.handler.class sasl.oauthbearer.jwt.retriever.class
    ssl.truststore.location ssl.truststore.type ssl.truststore.password ssl.keystore.location ssl.keystore.type
    ssl.keystore.password ssl.endpoint.identification.algorithm ssl.cipher.suites`,
  ignore: `sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor
    sasl.oauthbearer.jwt.validator.class sasl.oauthbearer.jwks.endpoint.url
    sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.clock.skew.seconds
    sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer sasl.oauthbearer.header.urlencode
    sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name sasl.login.refresh.buffer.seconds
    sasl.login.refresh.window.factor sasl.login.connect.timeout.ms sasl.login.read.timeout.ms
    sasl.login.retry.backoff.ms sasl.login.retry.backoff.max.ms ssl.enabled.protocols ssl.protocol ssl.provider
    ssl.keymanager.algorithm ssl.trustmanager.algorithm ssl.secure.random.implementation`,
  refuse: `sasl.client.callback.handler.class sasl.server.callback.handler.class sasl.login.class
    ssl.engine.factory.class`
}

const librdkafka: Names = {
  pass: `ssl.ca.location ssl.ca.pem ssl.certificate.location ssl.certificate.pem ssl.key.location ssl.key.pem
    ssl.crl.location sasl.username sasl.password sasl.kerberos.principal sasl.kerberos.keytab
    sasl.oauthbearer.client.id sasl.oauthbearer.client.secret sasl.oauthbearer.method socket.timeout.ms
    socket.send.buffer.bytes socket.receive.buffer.bytes socket.keepalive.enable socket.nagle.disable
    topic.metadata.refresh.interval.ms topic.metadata.refresh.sparse broker.address.ttl broker.address.family
    api.version.request api.version.fallback.ms broker.version.fallback debug log_level receive.message.max.bytes`,
  rename: 'sasl.mechanisms',
  translate: 'metadata.broker.list',
  ignore: 'message.copy.max.bytes',
  refuse: `offset.store.method offset.store.path enable.auto.offset.store enable.partition.eof
    statistics.interval.ms produce.offset.report queuing.strategy enable.gapless.guarantee
    delivery.report.only.error topic.blacklist enable.sasl.oauthbearer.unsecure.jwt plugin.library.paths
    interceptors ssl.engine.location ssl.engine.id ssl.providers error_cb rebalance_cb dr_msg_cb opaque ssl_ca
    ssl_engine_callback_data default_topic_conf msg_order_cmp enabled_events log.queue
    internal.termination.signal builtin.features test.mock.num.brokers`
}

const librdkafkaConsumer: Names = {
  rename: 'fetch.message.max.bytes',
  translate: 'queued.max.messages.kbytes queued.min.messages',
  ignore: 'fetch.queue.backoff.ms consume.callback.max.messages'
}

const librdkafkaProducer: Names = {
  rename: `max.in.flight message.send.max.retries request.required.acks message.timeout.ms
    queue.buffering.max.ms`,
  translate: `compression.codec queue.buffering.max.kbytes queue.buffering.max.messages batch.num.messages
    compression.level`,
  ignore: 'sticky.partitioning.linger.ms queue.buffering.backpressure.threshold'
}

const oldConsumer: Names = {
  pass: 'client.id socket.timeout.ms fetch.min.bytes shallowiterator.enable topic.metadata.refresh.interval.ms',
  rename: `groupid clientid socket.buffersize fetch.size fetch.message.max.bytes min.fetch.bytes
    max.fetch.wait.ms mirror.topics.whitelist mirror.topics.blacklist mirror.consumer.numthreads`,
  translate: `broker.list metadata.broker.list autooffset.reset auto.offset.reset autocommit.enable
    autocommit.interval.ms auto.commit.enable auto.commit.interval.ms partition.assignment.strategy`,
  ignore: `zk.read.num.retries consumerid consumer.id backoff.increment.ms fetcher.backoff.ms
    refresh.leader.backoff.ms queuedchunks.max queued.max.message.chunks consumer.timeout.ms
    rebalance.retries.max rebalance.max.retries rebalance.backoff.ms num.consumer.fetchers offsets.storage
    dual.commit.enabled offsets.channel.backoff.ms offsets.channel.socket.timeout.ms offsets.commit.max.retries`,
  refuse: `zk.connect zk.connectiontimeout.ms zk.sessiontimeout.ms zk.synctime.ms zookeeper.connect
    zookeeper.connection.timeout.ms zookeeper.session.timeout.ms zookeeper.sync.time.ms`
}

const oldProducer: Names = {
  rename: `queue.time queue.buffering.max.ms buffer.size send.buffer.bytes connect.timeout.ms max.message.size
    request.required.acks timeout.ms`,
  translate: `broker.list queue.size queue.buffering.max.messages batch.size batch.num.messages
    request.timeout.ms compression.codec compressed.topics`,
  ignore: `producer.type queue.enqueueTimeout.ms queue.enqueue.timeout.ms reconnect.interval
    reconnect.time.interval.ms num.retries serializer.class key.serializer.class partitioner.class
    metadata.fetch.timeout.ms block.on.buffer.full`,
  refuse: `zk.connect zookeeper.connect event.handler event.handler.props callback.handler
    callback.handler.props`
}

const chapters: readonly [chapter: string, sides: readonly Side[], names: Names][] = [
  ['settings of both files', ['source', 'target'], bothFiles],
  ['the consumer file', ['source'], consumerFile],
  ['the producer file', ['target'], producerFile],
  ['security', ['source', 'target'], security],
  ['names of librdkafka', ['source', 'target'], librdkafka],
  ['names of librdkafka in the consumer file', ['source'], librdkafkaConsumer],
  ['names of librdkafka in the producer file', ['target'], librdkafkaProducer],
  ['Kafka 0.7 and 0.8, consumer', ['source'], oldConsumer],
  ['Kafka 0.7 and 0.8, producer', ['target'], oldProducer]
]

for (const [chapter, sides, names] of chapters) {
  test(`${chapter}: every name has its action`, () => {
    for (const [action, list] of Object.entries(names)) {
      for (const name of list.split(/\s+/)) {
        for (const side of sides) {
          const rule = findRule(name, side)
          assert.equal(rule?.action, action, `${name} of the ${side}`)
          assert.ok(rule?.side === undefined || rule.side === side, `${name} of the ${side}`)
        }
      }
    }
  })
}
