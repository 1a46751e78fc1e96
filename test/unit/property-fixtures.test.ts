// Files as the common tutorials and old versions have them: what becomes of each of their lines.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts'
import { runOptions } from '../../src/config/options.ts'
import { parseProperties, readPropertiesFile } from '../../src/config/properties-file.ts'
import { readOptions } from '../../src/config/read-options.ts'
import { applyRules } from '../../src/config/rules/apply.ts'
import type { Draft, Side } from '../../src/config/rules/rule.ts'
import { ConfigError } from '../../src/errors.ts'

// Compiled tests lie in dist/test/unit.
const folder = fileURLToPath(new URL('../../../test/fixtures/properties/', import.meta.url))

function draftOf(name: string, side: Side): Draft {
  const read = readPropertiesFile(`${folder}${name}.properties`)
  assert.deepEqual([...read.problems, ...read.warnings], [])
  return applyRules(side, read.settings)
}

function load(pair: string, flags: Record<string, unknown> = {}): LoadedConfig {
  const all = {
    'consumer.config': `${folder}${pair}-consumer.properties`,
    'producer.config': `${folder}${pair}-producer.properties`,
    whitelist: '.*',
    ...flags
  }
  return loadConfig(readOptions(runOptions, all, {}), {}, name => name in flags)
}

/** What becomes of a file: names as they are written, by what is done with them. */
interface Fate {
  side: Side
  pass?: string
  rename?: string
  translate?: string
  ignore?: string
  /** Read, but not worth a warning: it says what is so anyway. */
  silent?: string
  refuse?: string
}

const fates: Readonly<Record<string, Fate>> = {
  'tutorial-consumer': {
    side: 'source',
    pass: `bootstrap.servers client.id group.id session.timeout.ms heartbeat.interval.ms max.poll.interval.ms
      fetch.min.bytes fetch.max.bytes max.partition.fetch.bytes check.crcs isolation.level reconnect.backoff.ms
      reconnect.backoff.max.ms retry.backoff.ms`,
    rename: 'fetch.max.wait.ms receive.buffer.bytes send.buffer.bytes',
    translate: `partition.assignment.strategy auto.offset.reset enable.auto.commit auto.commit.interval.ms
      exclude.internal.topics request.timeout.ms default.api.timeout.ms connections.max.idle.ms
      metadata.max.age.ms`,
    ignore: 'max.poll.records metrics.num.samples metrics.sample.window.ms',
    silent: 'key.deserializer value.deserializer'
  },
  'tutorial-producer': {
    side: 'target',
    pass: 'bootstrap.servers client.id enable.idempotence reconnect.backoff.ms retry.backoff.ms',
    translate: `acks max.in.flight.requests.per.connection batch.size linger.ms compression.type max.request.size
      buffer.memory request.timeout.ms metadata.max.age.ms connections.max.idle.ms`,
    ignore: 'retries delivery.timeout.ms max.block.ms',
    silent: 'key.serializer value.serializer'
  },
  'kafka-0.7-consumer': {
    side: 'source',
    pass: 'shallowiterator.enable',
    rename: 'groupid fetch.size socket.buffersize',
    translate: 'autooffset.reset autocommit.interval.ms',
    ignore: 'queuedchunks.max consumer.timeout.ms',
    // The second goes without a word: the first says it.
    silent: 'zk.connectiontimeout.ms',
    refuse: 'zk.connect'
  },
  'kafka-0.7-producer': {
    side: 'target',
    rename: 'max.message.size queue.time buffer.size',
    translate: 'compression.codec queue.size batch.size',
    ignore: 'producer.type queue.enqueueTimeout.ms',
    silent: 'serializer.class',
    refuse: 'zk.connect'
  },
  'kafka-0.8-consumer': {
    side: 'source',
    pass: 'group.id client.id socket.timeout.ms socket.receive.buffer.bytes fetch.wait.max.ms',
    rename: 'fetch.message.max.bytes',
    translate: `auto.offset.reset auto.commit.enable auto.commit.interval.ms
      partition.assignment.strategy`,
    ignore: `consumer.id num.consumer.fetchers queued.max.message.chunks rebalance.max.retries
      rebalance.backoff.ms refresh.leader.backoff.ms offsets.storage dual.commit.enabled`,
    silent: 'zookeeper.connection.timeout.ms',
    refuse: 'zookeeper.connect'
  },
  'kafka-0.8-producer': {
    side: 'target',
    pass: 'retry.backoff.ms topic.metadata.refresh.interval.ms client.id',
    rename: 'request.required.acks queue.buffering.max.ms send.buffer.bytes',
    translate: `metadata.broker.list request.timeout.ms compression.codec compressed.topics
      queue.buffering.max.messages batch.num.messages`,
    ignore: 'producer.type message.send.max.retries partitioner.class queue.enqueue.timeout.ms',
    silent: 'serializer.class key.serializer.class'
  },
  'reliable-consumer': {
    side: 'source',
    pass: `bootstrap.servers group.id isolation.level session.timeout.ms heartbeat.interval.ms
      max.poll.interval.ms`,
    translate: 'auto.offset.reset enable.auto.commit'
  },
  'reliable-producer': {
    side: 'target',
    pass: 'bootstrap.servers enable.idempotence',
    translate: 'acks max.in.flight.requests.per.connection request.timeout.ms',
    ignore: 'retries delivery.timeout.ms max.block.ms'
  },
  'fast-consumer': {
    side: 'source',
    pass: 'bootstrap.servers group.id fetch.min.bytes max.partition.fetch.bytes',
    rename: 'fetch.max.wait.ms receive.buffer.bytes',
    translate: 'auto.offset.reset',
    ignore: 'max.poll.records'
  },
  'fast-producer': {
    side: 'target',
    pass: 'bootstrap.servers',
    rename: 'send.buffer.bytes',
    translate: `acks batch.size linger.ms buffer.memory compression.type
      max.in.flight.requests.per.connection max.request.size`
  },
  'low-latency-consumer': {
    side: 'source',
    pass: 'bootstrap.servers group.id fetch.min.bytes',
    rename: 'fetch.max.wait.ms',
    translate: 'auto.offset.reset auto.commit.interval.ms'
  },
  'low-latency-producer': {
    side: 'target',
    pass: 'bootstrap.servers',
    translate: 'acks linger.ms batch.size compression.type max.in.flight.requests.per.connection'
  }
}

for (const [name, fate] of Object.entries(fates)) {
  test(`${name}.properties: what becomes of each line`, () => {
    const draft = draftOf(name, fate.side)
    const found: Record<string, string[]> = {}
    for (const { written, rule, ...setting } of draft.given.values()) {
      const isTold = draft.ignored.some(text => text.split(' ')[0] === written.name)
      const isRefused = draft.problems.some(text => text.startsWith(`${written.origin}: `))
      const isSilent = !isTold && (rule.action === 'ignore' || rule.action === 'refuse')
      const isRenamed = written.name !== setting.name && written.value === setting.value
      const isOnlyRenamed = isRenamed && !translated.has(written.name) && !isTold
      const action = isSilent ? 'silent' : isOnlyRenamed ? 'rename' : rule.action
      const key = isRefused ? 'refuse' : translated.has(written.name) ? 'translate' : action
      found[key] = [...(found[key] ?? []), written.name]
    }
    const { side: _, ...lists } = fate
    const expected = Object.fromEntries(
      Object.entries(lists).map(([action, names]) => [action, names.split(/\s+/).sort()])
    )
    const sorted = Object.fromEntries(
      Object.entries(found).map(([action, names]) => [action, names.sort()])
    )
    assert.deepEqual(sorted, expected)
  })
}

/** Old names whose values may come out as they were. */
const translated: ReadonlySet<string> = new Set([
  'autocommit.interval.ms',
  'auto.commit.enable',
  'autooffset.reset',
  'compression.codec',
  'queue.size',
  'metadata.broker.list'
])

test('the tutorial pair runs, and all that is less than meets the eye is said', () => {
  const { links, notes, adminTimeoutMs } = load('tutorial')
  const warnings = notes.filter(({ level }) => level === 'warn')
  assert.deepEqual(
    warnings.map(({ text }) => text.replaceAll(folder, '')),
    [
      'tutorial-consumer.properties:23: fetch.max.bytes: 52428800 cut to 33554432, the byte budget (buffer.memory)',
      'source: no TLS to source1.example:9092, source2.example:9092, source3.example:9092. Set security.protocol=SSL or SASL_SSL',
      'source: ignored, without effect here: max.poll.records (the byte budget bounds the memory), metrics.num.samples, metrics.sample.window.ms',
      "tutorial-producer.properties:16: batch.size: batches pass as the source holds them; this applies to rebuilt batches only; 16384, Java's default, is small for those: 1000000 suits them",
      'target: no TLS to target1.example:9092, target2.example:9092, target3.example:9092. Set security.protocol=SSL or SASL_SSL',
      'target: ignored, without effect here: retries, delivery.timeout.ms, max.block.ms'
    ]
  )
  assert.equal(links[0]?.link.maxInFlight, 1)
  assert.equal(links[0]?.commitIntervalMs, 5_000)
  assert.equal(adminTimeoutMs, 60_000)
})

test('a pair that only knows ZooKeeper is refused, with files that can take its place', () => {
  const problems = problemsOf(() => load('kafka-0.7'))
  assert.equal(problems.length, 3)
  assert.match(
    problems[0] ?? '',
    /kafka-0\.7-consumer\.properties:2: zk\.connect: .*Set bootstrap\.servers/
  )
  assert.match(problems[1] ?? '', /kafka-0\.7-producer\.properties:2: zk\.connect: /)
  const [, source = '', target = ''] = (problems[2] ?? '').split(
    / *# (?:source|target), in place of .*/
  )
  for (const [side, text] of [
    ['source', source],
    ['target', target]
  ] as const) {
    const draft = applyRules(side, parseProperties(text, 'new').settings)
    assert.deepEqual(draft.problems, [])
    assert.deepEqual(draft.ignored, [])
    assert.equal(draft.connection.get('bootstrap.servers'), 'BROKER1:9092,BROKER2:9092')
  }
  assert.match(source, /group\.id=mirror-group\n *auto\.offset\.reset=earliest\n/)
  assert.match(target, /batch\.num\.messages=200\n/)
})

test('secrets are masked in the files that take the place of others', () => {
  const problems = problemsOf(() => {
    load('kafka-0.8', { 'producer.config': `${folder}secret-zookeeper-producer.properties` })
  })
  assert.match(problems.at(-1) ?? '', /sasl\.password=\[redacted\]/)
  assert.doesNotMatch(problems.join('\n'), /canary-7c1e/)
})

test('a pair of Kafka 0.8 runs when it is told where the brokers are', () => {
  const { links, target } = load('kafka-0.8', {
    'consumer.config.override': ['bootstrap.servers=source1.example:9092']
  })
  const [{ link, source, autoOffsetReset, commitIntervalMs }] = links as [LoadedConfig['links'][0]]
  assert.equal(source.connection['bootstrap.servers'], 'source1.example:9092')
  assert.equal(target.connection['bootstrap.servers'], 'target1.example:9092,target2.example:9092')
  assert.equal(autoOffsetReset, 'latest')
  assert.equal(commitIntervalMs, 60_000)
  assert.equal(link.maxHeldRecords, 20_000)
})

test('ZooKeeper beside brokers is a warning', () => {
  const { notes } = load('kafka-0.8', {
    'consumer.config': `${folder}zookeeper-and-brokers-consumer.properties`
  })
  const found = notes.filter(({ text }) => text.includes('ZooKeeper'))
  assert.deepEqual(
    found.map(({ level, text }) => `${level}: ${text.replaceAll(folder, '')}`),
    [
      'warn: zookeeper-and-brokers-consumer.properties:2: zookeeper.connect: it has no effect: offsets kept in ZooKeeper are not read: auto.offset.reset decides where to start',
      'warn: zookeeper-and-brokers-consumer.properties:6: offsets.storage: it has no effect: offsets kept in ZooKeeper are not read: auto.offset.reset decides where to start'
    ]
  )
})

test('brokers of Kafka 0.7 lose their ids', () => {
  const { target } = load('reliable', {
    'producer.config': `${folder}kafka-0.7-brokers-producer.properties`
  })
  assert.equal(target.connection['bootstrap.servers'], 'target1.example:9092,target2.example:9092')
})

test('the reliable, fast and low-latency pairs set the engine as they say', () => {
  const shown = ['reliable', 'fast', 'low-latency'].map(pair => {
    const [{ link, autoOffsetReset, commitIntervalMs }] = load(pair).links as [
      LoadedConfig['links'][0]
    ]
    const { fetchMinBytes, fetchMaxWaitMs, budgetBytes, maxInFlight, requestTimeoutMs } = link
    return {
      fetchMinBytes,
      fetchMaxWaitMs,
      budgetBytes,
      maxInFlight,
      requestTimeoutMs,
      autoOffsetReset,
      commitIntervalMs
    }
  })
  const common = { budgetBytes: 100_663_296, requestTimeoutMs: 30_000, commitIntervalMs: 5_000 }
  assert.deepEqual(shown, [
    {
      ...common,
      fetchMinBytes: 1,
      fetchMaxWaitMs: 500,
      maxInFlight: 1,
      requestTimeoutMs: 60_000,
      autoOffsetReset: 'earliest'
    },
    {
      ...common,
      fetchMinBytes: 10_240,
      fetchMaxWaitMs: 500,
      budgetBytes: 67_108_864,
      maxInFlight: 5,
      autoOffsetReset: 'earliest'
    },
    {
      ...common,
      fetchMinBytes: 1,
      fetchMaxWaitMs: 10,
      maxInFlight: 5,
      autoOffsetReset: 'latest',
      commitIntervalMs: 1_000
    }
  ])
})

test('strict: what would be ignored is refused, whatever the value', () => {
  const problems = problemsOf(() => load('tutorial', { 'strict-config': true }))
  assert.deepEqual(
    problems.map(problem => problem.replaceAll(folder, '').split(': ').slice(0, 2).join(' ')),
    [
      'tutorial-consumer.properties:12 max.poll.records',
      'tutorial-consumer.properties:30 key.deserializer',
      'tutorial-consumer.properties:31 value.deserializer',
      'tutorial-consumer.properties:45 metrics.num.samples',
      'tutorial-consumer.properties:46 metrics.sample.window.ms',
      'tutorial-producer.properties:9 retries',
      'tutorial-producer.properties:12 delivery.timeout.ms',
      'tutorial-producer.properties:13 max.block.ms',
      'tutorial-producer.properties:23 key.serializer',
      'tutorial-producer.properties:24 value.serializer'
    ]
  )
})

function problemsOf(act: () => unknown): readonly string[] {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
  return assert.fail('nothing is wrong with it')
}
