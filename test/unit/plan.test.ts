import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCheckpoint } from '../../src/mirror/checkpoint.ts'
import { atLeastOnce, exactlyOnce } from '../../src/mirror/delivery.ts'
import type {
  BatchHeader,
  ConfigEntry,
  GroupDescription,
  KafkaFailure,
  PartitionHeaders,
  TopicMetadata
} from '../../src/native/index.ts'
import { countAged, freshSince, inspectAge, memoryOf } from '../../src/plan/age.ts'
import { expectPath, type SampleTarget } from '../../src/plan/batch-sample.ts'
import { compareConfigs } from '../../src/plan/config-differences.ts'
import type { Facts, SourceFacts, TargetFacts } from '../../src/plan/facts.ts'
import { describeWarning, mergeFindings } from '../../src/plan/findings.ts'
import { inspectGroup } from '../../src/plan/group-findings.ts'
import { type LaneStartFacts, planStart } from '../../src/plan/lane-start.ts'
import { explainConfigs } from '../../src/plan/missing-rights.ts'
import { buildPlan, type Plan } from '../../src/plan/plan.ts'
import { choosePositions } from '../../src/plan/positions.ts'
import { showPlan } from '../../src/plan/show.ts'
import { describePartitions } from '../../src/plan/show-lanes.ts'
import { planTargetTopic, type TargetTopicFacts } from '../../src/plan/target-topic.ts'
import { unknownBehaviour } from '../../src/topics/configs.ts'

const now = Date.UTC(2026, 0, 2)

function batch(baseOffset: number, changes: Partial<BatchHeader> = {}): BatchHeader {
  const records = changes.records ?? 10
  return {
    baseOffset,
    lastOffset: baseOffset + records - 1,
    records,
    bytes: 1_000,
    magic: 2,
    codec: 'lz4',
    firstTimestamp: now,
    maxTimestamp: now,
    isAppendTime: false,
    isTransactional: false,
    isControl: false,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    ...changes
  }
}

const plainTarget: SampleTarget = {
  ...unknownBehaviour,
  mostPastMs: Number.POSITIVE_INFINITY,
  mostFutureMs: Number.POSITIVE_INFINITY
}

const paths: readonly [
  what: string,
  batches: BatchHeader[],
  target: Partial<SampleTarget>,
  path: string | undefined,
  reason: string | undefined
][] = [
  ['no batch says nothing', [], {}, undefined, undefined],
  ['a dense batch passes', [batch(100)], {}, 'shallow', 'shallow'],
  ['a batch that was begun is cut', [batch(95)], {}, 'reseal', 'head-trim'],
  ['a batch before the start does not count', [batch(90), batch(100)], {}, 'shallow', 'shallow'],
  [
    'an old format',
    [batch(100, { magic: 1, records: -1, lastOffset: 100 })],
    {},
    'reseal',
    'old-format'
  ],
  ['compaction holes', [batch(100, { lastOffset: 120 })], {}, 'reseal', 'holes'],
  ['append times', [batch(100, { isAppendTime: true })], {}, 'reseal', 'append-time'],
  [
    'append times into append times',
    [batch(100, { isAppendTime: true })],
    { isAppendTime: true },
    'shallow',
    'shallow'
  ],
  [
    'a batch that is too large, behind one that is not',
    [batch(100), batch(110, { bytes: 5_001 })],
    { maxMessageBytes: 5_000 },
    'reseal',
    'too-large'
  ],
  [
    'a target that compresses anew',
    [batch(100)],
    { compression: 'gzip' },
    'shallow',
    'codec-mismatch'
  ],
  [
    'a target that asks for the same codec',
    [batch(100)],
    { compression: 'lz4' },
    'shallow',
    'shallow'
  ],
  [
    'another codec than --recompress asks for, behind one that has it',
    [batch(100, { codec: 'zstd' }), batch(110)],
    { forcedCodec: 'zstd' },
    'reseal',
    'forced'
  ],
  [
    'what handlers see',
    [batch(100), batch(110)],
    { isHandled: true, forcedCodec: 'zstd' },
    'transform',
    'handler'
  ],
  [
    'the codec that --recompress asks for',
    [batch(100), batch(110)],
    { forcedCodec: 'lz4' },
    'shallow',
    'shallow'
  ],
  [
    'records that are too old for the target',
    [batch(100, { maxTimestamp: now - 20_000 })],
    { mostPastMs: 10_000 },
    'stops',
    'timestamp-range'
  ],
  [
    'markers and empty batches alone',
    [batch(100, { isControl: true, records: 1 }), batch(101, { records: 0, lastOffset: 105 })],
    {},
    'skipped',
    'control'
  ]
]

for (const [what, batches, target, path, reason] of paths) {
  test(`the path that batches would take: ${what}`, () => {
    const sampled = expectPath(
      { batches, logStartOffset: 0 },
      100,
      { ...plainTarget, ...target },
      now
    )
    assert.deepEqual([sampled?.path, sampled?.reason], [path, reason])
  })
}

const startFacts: LaneStartFacts = {
  committed: undefined,
  isCommittedKnown: true,
  reset: 'earliest',
  idempotent: true,
  wish: undefined,
  skipGaps: false,
  wasThereAtFirstStart: false,
  targetClusterId: 'west',
  targetTopicId: '',
  logStart: 10,
  readableEnd: 90,
  logEnd: 100
}

function committed(offset: number, metadata = ''): LaneStartFacts {
  return { ...startFacts, committed: { topic: 'orders', partition: 0, offset, metadata } }
}

test('a lane begins at its commit, and the plan says who made it', () => {
  const own = {
    algorithm: 1,
    producerId: 1,
    producerEpoch: 0,
    nextSequence: 5,
    targetEnd: 5,
    sourceTopicId: '',
    targetTopicId: '',
    leaderEpoch: -1
  }
  const mine = encodeCheckpoint({
    ...own,
    targetClusterId: 'west',
    isInStep: true,
    level: exactlyOnce
  })
  const other = encodeCheckpoint({
    ...own,
    targetClusterId: 'south',
    isInStep: true,
    level: exactlyOnce
  })
  assert.deepEqual(planStart(committed(50)), {
    offset: 50,
    from: 'committed',
    by: 'other',
    level: atLeastOnce('foreign-commit')
  })
  assert.deepEqual(planStart(committed(50, mine)), {
    offset: 50,
    from: 'committed',
    by: 'heliostat',
    level: exactlyOnce
  })
  assert.equal(planStart(committed(50, other)).by, 'heliostat-other-target')
  assert.equal(planStart(committed(50, 'h2;new=1')).by, 'heliostat-newer')
})

test('without a commit auto.offset.reset decides', () => {
  assert.deepEqual(planStart(startFacts), {
    offset: 10,
    from: 'log-start',
    level: exactlyOnce
  })
  const latest = { ...startFacts, reset: 'latest' as const }
  assert.deepEqual(planStart(latest), {
    offset: 10,
    from: 'log-start',
    level: exactlyOnce
  })
  const first = { ...latest, wasThereAtFirstStart: true }
  assert.deepEqual(planStart(first), {
    offset: 90,
    from: 'log-end',
    level: exactlyOnce
  })
  assert.equal(planStart({ ...startFacts, reset: 'none' }).refusal?.reason, 'no-start-offset')
})

test('a commit outside of the log stops the lane', () => {
  assert.equal(planStart(committed(9)).refusal?.reason, 'source-gap')
  assert.match(planStart(committed(9)).refusal?.detail ?? '', /: 1 offsets .*--on-gap skip/)
  const skipped = planStart({ ...committed(4), skipGaps: true })
  assert.deepEqual([skipped.offset, skipped.skipped, skipped.refusal], [10, 6, undefined])
  assert.equal(planStart(committed(101)).refusal?.reason, 'source-diverged')
  // Behind the last stable offset, but in the log: an open transaction is no loss.
  assert.equal(planStart(committed(95)).refusal, undefined)
})

test('a group that cannot be read leaves the start open', () => {
  const facts = { ...startFacts, isCommittedKnown: false }
  assert.deepEqual(planStart(facts), {
    offset: undefined,
    from: 'unknown',
    level: exactlyOnce
  })
})

function topicOf(topic: string, partitions: number, replicas = 1): TopicMetadata {
  return {
    topic,
    id: '',
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      leader: 1,
      replicas: Array.from({ length: replicas }, (_, index) => index + 1),
      inSyncReplicas: [1]
    }))
  }
}

function entries(values: Record<string, string>, isDefault = false): ConfigEntry[] {
  return Object.entries(values).map(([name, value]) => ({
    name,
    value,
    isDefault,
    isSensitive: false
  }))
}

const anything = { create: true, replicationFactor: undefined, grow: false }

const topicFacts: TargetTopicFacts = {
  topic: 'orders',
  partitions: 6,
  replicationFactor: 3,
  sourceConfigs: entries({ 'cleanup.policy': 'compact' }),
  hasOldSources: false,
  found: undefined,
  targetConfigs: undefined,
  targetBrokers: 3,
  targetDefaults: new Map(),
  wasInStep: false,
  creation: anything
}

test("a missing topic is created as large as the source's, with the configs that decide fidelity", () => {
  const { action, partitionsAfter, replicationFactor, configs, findings } =
    planTargetTopic(topicFacts)
  assert.deepEqual([action, partitionsAfter, replicationFactor], ['create', 6, 3])
  assert.deepEqual(configs, { 'cleanup.policy': 'compact' })
  assert.deepEqual(findings, [])
})

test('fewer replicas than on the source are a finding, and so are unreadable configs', () => {
  const { replicationFactor, findings } = planTargetTopic({
    ...topicFacts,
    targetBrokers: 1,
    sourceConfigs: undefined
  })
  assert.equal(replicationFactor, 1)
  const kinds = findings.map(({ kind }) => kind)
  assert.deepEqual(kinds, ['fewer-replicas', 'created-without-configs'])
  const fixOf = (hasOldSources: boolean) =>
    planTargetTopic({ ...topicFacts, sourceConfigs: undefined, hasOldSources }).findings[0]?.fix
  assert.match(fixOf(false) ?? '', /grant DescribeConfigs/)
  assert.match(fixOf(true) ?? '', /make it by hand first/)
  const asked = { ...anything, replicationFactor: 2 }
  const [finding] = planTargetTopic({ ...topicFacts, creation: asked }).findings
  assert.match(`${finding?.text} ${finding?.fix}`, /2 replicas instead of 3.*--replication-factor/)
})

test('--no-create-topics leaves a missing topic alone, and its lanes would stop', () => {
  const { action, refusal } = planTargetTopic({
    ...topicFacts,
    creation: { ...anything, create: false }
  })
  assert.deepEqual([action, refusal?.reason], ['missing', 'target-topic-missing'])
})

test('a topic grows when it was in step, or when that is asked for', () => {
  const small = { ...topicFacts, found: topicOf('orders', 2, 3) }
  const left = planTargetTopic(small)
  assert.deepEqual([left.action, left.partitionsAfter], ['too-small', 2])
  assert.match(left.findings[0]?.fix ?? '', /--grow-partitions/)
  assert.equal(planTargetTopic({ ...small, wasInStep: true }).action, 'grow')
  assert.equal(planTargetTopic({ ...small, creation: { ...anything, grow: true } }).action, 'grow')
})

test('min.insync.replicas above the replicas there are is said, since older brokers refuse every write then', () => {
  const { findings } = planTargetTopic({
    ...topicFacts,
    found: topicOf('orders', 6, 1),
    targetConfigs: entries({ 'min.insync.replicas': '2' })
  })
  assert.match(findings[0]?.text ?? '', /min\.insync\.replicas is 2 .* 1 replica: brokers before/)
  const created = planTargetTopic({
    ...topicFacts,
    replicationFactor: 1,
    targetDefaults: new Map([['min.insync.replicas', '2']])
  })
  assert.ok(created.findings.some(({ kind }) => kind === 'min-insync-replicas'))
})

test('a target topic that nobody lets us see is refused', () => {
  const found = { ...topicOf('orders', 0), failure: failure(29, 'TOPIC_AUTHORIZATION_FAILED') }
  const { action, refusal } = planTargetTopic({ ...topicFacts, found })
  assert.deepEqual([action, refusal?.reason], ['refused', 'target-topic-refused'])
})

function failure(code: number, name: string): KafkaFailure {
  return { code, name, message: 'no', retriable: false, fatal: false }
}

const differences: readonly [name: string, source: string, target: string, meaning?: RegExp][] = [
  ['compression.type', 'producer', 'gzip', /compresses it anew/],
  ['compression.type', 'producer', 'producer'],
  ['compression.type', 'lz4', 'producer'],
  ['max.message.bytes', '1000', '999', /more than 999 bytes are split/],
  ['max.message.bytes', '1000', '2000'],
  ['message.timestamp.type', 'CreateTime', 'LogAppendTime', /time of their arrival/],
  ['message.timestamp.type', 'LogAppendTime', 'CreateTime', /become the times of the records/],
  ['retention.ms', '-1', '604800000', /after 7 days, the source never/],
  ['retention.ms', '604800000', '3600000', /after 1 h, the source after 7 days/],
  ['retention.ms', '3600000', '-1'],
  ['retention.bytes', '-1', '1000', /keeps 1000 bytes/],
  ['cleanup.policy', 'delete', 'compact', /without a key/],
  ['cleanup.policy', 'compact', 'delete', /deletes old records/],
  ['cleanup.policy', 'compact,delete', 'delete,compact'],
  ['cleanup.policy', 'compact,delete', 'compact', /keeps records/]
]

for (const [name, source, target, meaning] of differences) {
  test(`a difference of ${name}, ${source} to ${target}, ${meaning ? 'matters' : 'is fine'}`, () => {
    const found = compareConfigs(entries({ [name]: source }), entries({ [name]: target }))
    assert.equal(found.length, meaning ? 1 : 0)
    if (meaning) assert.match(found[0]?.meaning ?? '', meaning)
  })
}

function group(members: Partial<GroupDescription['members'][number]>[], assignor: string) {
  return {
    state: members.length > 0 ? 'Stable' : 'Empty',
    assignor,
    members: members.map((member, index) => ({
      memberId: `m${index}`,
      instanceId: '',
      clientId: 'mirror',
      host: '/10.0.0.7',
      partitions: [],
      ...member
    }))
  }
}

test('a MirrorMaker in the group has to be stopped first; a mirror there shares the partitions', () => {
  const facts = {
    group: 'g',
    instanceId: undefined,
    isAssignedByBroker: false,
    streams: 1,
    lanesByLeader: new Map([[1, 8]])
  }
  const eager = inspectGroup({ ...facts, description: group([{}], 'range') })
  assert.deepEqual(
    eager.map(({ kind }) => kind),
    ['eager-member']
  )
  assert.match(`${eager[0]?.text} ${eager[0]?.fix}`, /"range" \(mirror at 10\.0\.0\.7\).*stop them/)
  const peer = inspectGroup({ ...facts, description: group([{}], 'cooperative-sticky') })
  assert.deepEqual(
    peer.map(({ kind }) => kind),
    ['members-present']
  )
  assert.deepEqual(inspectGroup({ ...facts, description: group([], '') }), [])
  const forming = inspectGroup({ ...facts, description: group([{}], '') })
  assert.equal(forming[0]?.kind, 'members-present')
  const served = { ...facts, isAssignedByBroker: true, description: group([{}], 'range') }
  assert.equal(inspectGroup(served)[0]?.kind, 'members-present')
})

test('members and streams beyond the number of partitions are named', () => {
  const findings = inspectGroup({
    group: 'g',
    description: group([{ instanceId: 'a' }, {}], 'cooperative-sticky'),
    instanceId: 'a',
    isAssignedByBroker: false,
    streams: 4,
    lanesByLeader: new Map([
      [1, 1],
      [2, 1]
    ])
  })
  assert.deepEqual(
    findings.map(({ kind }) => kind),
    [
      'members-present',
      'instance-id-taken',
      'members-beyond-partitions',
      'streams-beyond-partitions'
    ]
  )
  assert.equal(findings.at(-1)?.fix, 'give --num.streams 1')
})

test('configs that may not be read are one finding, with the command that grants the right', () => {
  const side = {
    side: 'target',
    alias: 'west',
    bootstrapServers: 'west:9092',
    principal: 'User:mirror'
  } as const
  const denied = failure(29, 'TOPIC_AUTHORIZATION_FAILED')
  const [finding] = explainConfigs(side, [
    { topic: 'orders', failure: denied },
    { topic: 'payments', failure: denied }
  ])
  assert.equal(
    finding?.fix,
    'kafka-acls --bootstrap-server west:9092 --add --allow-principal User:mirror --operation DescribeConfigs --topic orders --topic payments'
  )
  const late = failure(-185, '_TIMED_OUT')
  assert.equal(explainConfigs(side, [{ topic: 'orders', failure: late }])[0]?.fix, undefined)
  assert.deepEqual(explainConfigs(side, []), [])
})

test('a source from before Kafka 0.11 is said to be old, with what that costs and why batches are rebuilt', () => {
  const unsupported = failure(-165, '_UNSUPPORTED_FEATURE')
  const side = { side: 'source', alias: 'east', bootstrapServers: '', principal: '' } as const
  assert.deepEqual(explainConfigs(side, [{ topic: 'orders', failure: unsupported }]), [])
  const reasonOf = (fetchVersion: number) => {
    const headers = [headersOf('orders', 0, [batch(0, { magic: 1 })])]
    const world = { topics: { orders: 1 }, ends: { 'orders-0': 10 }, headers, fetchVersion }
    const { links, warnings } = planOf(world)
    const isSaid = warnings.some(({ kind }) => kind === 'old-source')
    return [links[0]?.topics[0]?.lanes[0]?.reason, isSaid]
  }
  assert.deepEqual(reasonOf(3), ['old-broker', true])
  assert.deepEqual(reasonOf(4), ['old-format', false])
})

test('a thousand topics with one trouble are one warning', () => {
  const findings = Array.from({ length: 1_000 }, (_, index) => {
    return { kind: 'k', topic: `t${index}`, text: 'is bad', fix: 'mend it' }
  })
  const warnings = mergeFindings([...findings, { kind: 'other', text: 'alone' }])
  assert.deepEqual(warnings.map(describeWarning), [
    't0, t1, t2, t3, t4 and 995 more: is bad\n  fix: mend it',
    'alone'
  ])
})

test('partitions are written as runs', () => {
  assert.equal(describePartitions([0, 1, 2, 5, 7, 8]), '[0-2,5,7-8]')
})

interface World {
  topics: Record<string, number>
  target?: Record<string, number>
  ends?: Record<string, number>
  /** First offsets that are young enough. */
  fresh?: Record<string, number>
  headers?: PartitionHeaders[]
  alias?: string
  fetchVersion?: number
}

function sourceOf({
  topics,
  ends = {},
  fresh = {},
  headers = [],
  alias = 'east',
  fetchVersion = 18
}: World): SourceFacts {
  const names = Object.entries(topics).flatMap(([topic, partitions]) =>
    Array.from({ length: partitions }, (_, partition) => `${topic}-${partition}`)
  )
  const all = (value: (name: string) => number) =>
    new Map(names.map(name => [name, value(name)] as const))
  return {
    alias,
    clusterId: alias,
    bootstrapServers: `${alias}:9092`,
    principal: 'User:mirror',
    brokers: [{ id: 1, host: alias, port: 9092 }],
    configs: { entries: new Map(Object.keys(topics).map(topic => [topic, []])), refused: [] },
    own: {
      source: { alias, connection: {}, group: { 'group.id': 'mirror' } },
      link: { isolation: 'read_committed', streams: 1 },
      autoOffsetReset: 'earliest',
      commitIntervalMs: 5_000
    } as unknown as SourceFacts['own'],
    topics: Object.entries(topics).map(([topic, partitions]) => ({
      topic,
      id: '',
      partitions,
      replicationFactor: 1
    })),
    leftOut: [{ topic: '__consumer_offsets', why: 'internal to Kafka' }],
    isHandled: () => false,
    notMatched: 4,
    fetchVersion,
    leaders: all(() => 1),
    group: group([], ''),
    committed: new Map(),
    logStarts: all(() => 0),
    readableEnds: all(name => ends[name] ?? 0),
    logEnds: all(name => ends[name] ?? 0),
    freshFrom: all(name => fresh[name] ?? 0),
    headers: new Map(headers.map(entry => [`${entry.topic}-${entry.partition}`, entry]))
  }
}

function targetOf(topics: Record<string, number>): TargetFacts {
  return {
    alias: 'west',
    clusterId: 'west',
    bootstrapServers: 'west:9092',
    principal: 'User:mirror',
    brokers: [{ id: 1, host: 'west', port: 9092 }],
    configs: { entries: new Map(Object.keys(topics).map(topic => [topic, []])), refused: [] },
    topics: new Map(
      Object.entries(topics).map(([topic, partitions]) => [topic, topicOf(topic, partitions)])
    ),
    logStarts: new Map(),
    logEnds: new Map(),
    memory: memoryOf(86_400_000)
  }
}

function planOf(...worlds: World[]): Plan {
  const facts: Facts = {
    sources: worlds.map(sourceOf),
    target: targetOf(worlds[0]?.target ?? {}),
    creation: anything,
    now
  }
  return buildPlan(facts, 10)
}

function headersOf(topic: string, partition: number, batches: BatchHeader[]): PartitionHeaders {
  return { topic, partition, logStartOffset: 0, highWatermark: 0, lastStableOffset: 0, batches }
}

test('bytes and time come from the batches that were looked at, for the other lanes of a topic too', () => {
  const { links, totals } = planOf({
    topics: { orders: 2 },
    ends: { 'orders-0': 1_000, 'orders-1': 500 },
    headers: [headersOf('orders', 0, [batch(0), batch(10, { bytes: 3_000 })])]
  })
  const topic = links[0]?.topics[0]
  // 4,000 bytes for 20 offsets.
  assert.deepEqual(
    topic?.lanes.map(({ records, bytes, path, reason }) => [records, bytes, path, reason]),
    [
      [1_000, 200_000, 'shallow', 'shallow'],
      [500, 100_000, 'unknown', 'not-looked-at']
    ]
  )
  assert.deepEqual([topic?.records, topic?.bytes, topic?.seconds], [1_500, 300_000, 0.03])
  assert.deepEqual([totals.records, totals.bytes, totals.lanesNotCounted], [1_500, 300_000, 0])
})

test('lanes beyond the partitions of the target would stop, and the others copy', () => {
  const { links, totals, warnings } = planOf({
    topics: { orders: 3 },
    target: { orders: 1 },
    ends: { 'orders-0': 10, 'orders-1': 10, 'orders-2': 10 },
    headers: [headersOf('orders', 0, [batch(0)])]
  })
  assert.deepEqual(
    links[0]?.topics[0]?.lanes.map(({ outcome, reason }) => [outcome, reason]),
    [
      ['copies', 'shallow'],
      ['stops', 'too-few-partitions'],
      ['stops', 'too-few-partitions']
    ]
  )
  assert.deepEqual([totals.lanesByOutcome.stops, totals.heldRecords], [2, 20])
  assert.deepEqual(
    warnings.map(({ kind, topics }) => [kind, topics]),
    [['too-few-partitions', ['orders']]]
  )
})

test('topics of one name at two sources share a target topic as large as the larger one', () => {
  const { links, totals } = planOf(
    { topics: { orders: 2 }, alias: 'east' },
    { topics: { orders: 5 }, alias: 'north' }
  )
  assert.deepEqual(
    links.map(({ topics }) => topics[0]?.target.partitionsAfter),
    [5, 5]
  )
  assert.deepEqual([totals.topics, totals.topicsByAction.create, totals.lanes], [1, 1, 7])
})

test('what nobody lets us read is said, and the rest is planned', () => {
  const denied = failure(30, 'GROUP_AUTHORIZATION_FAILED')
  const source = {
    ...sourceOf({ topics: { orders: 1 }, ends: { 'orders-0': 10 } }),
    group: { failure: denied },
    committed: { failure: denied }
  }
  const facts = { sources: [source], target: targetOf({ orders: 1 }), creation: anything, now }
  const { links, warnings } = buildPlan(facts, 100)
  assert.equal(links[0]?.topics[0]?.lanes[0]?.outcome, 'unknown')
  assert.match(warnings[0]?.fix ?? '', /--operation Read --group mirror$/)
})

test('a pattern that matches nothing is said', () => {
  const { warnings } = planOf({ topics: {} })
  assert.deepEqual(
    warnings.map(({ kind }) => kind),
    ['nothing-matched']
  )
})

test('lanes whose offsets another program committed are looked at first, and few of each topic', () => {
  const world = sourceOf({
    topics: Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`t${index}`, 10])),
    ends: Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [
        [`t${index}-3`, 10],
        [`t${index}-4`, 99]
      ]).flat()
    )
  })
  const entry = { topic: 't7', partition: 3, offset: 5, metadata: '' }
  const positions = choosePositions({ ...world, committed: new Map([['t7-3', entry]]) }, 'w', false)
  assert.equal(positions.length, 1_000)
  assert.deepEqual(
    positions.slice(6, 8).map(({ topic, partition, offset }) => [topic, partition, offset]),
    [
      ['t6', 4, 0],
      ['t7', 3, 5]
    ]
  )
})

const ages: readonly [
  what: string,
  changes: Partial<Parameters<typeof countAged>[0]>,
  number | null
][] = [
  ['all of them', { freshFrom: -1 }, 90],
  ['those before the first young one', { freshFrom: 40 }, 30],
  ['none behind it', { freshFrom: 10 }, 0],
  ['none behind a start that is young', { freshFrom: 5 }, 0],
  ['not more than can be read', { freshFrom: 120 }, 90],
  ['none where the target counts from the arrival', { freshFrom: -1, isAppendTime: true }, 0],
  ['nobody knows', { freshFrom: undefined }, null],
  ['nothing to copy', { freshFrom: undefined, end: 10 }, 0],
  ['a start that is not known', { start: undefined }, null]
]

for (const [what, changes, expected] of ages) {
  test(`records that go one batch at a time: ${what}`, () => {
    const facts = { start: 10, end: 100, freshFrom: -1, isAppendTime: false, ...changes }
    assert.equal(countAged(facts), expected)
  })
}

const dayMs = 86_400_000

test('a target remembers for its setting less the margin, and for a day when it does not tell', () => {
  assert.equal(freshSince(memoryOf(undefined), now), now - dayMs + 1_200_000)
  assert.equal(freshSince(memoryOf(3_600_000), now), now - 2_400_000)
  assert.equal(freshSince(memoryOf(1), now), now)
})

function agedFix(ageMs: number | null, expiryMs?: number) {
  const oldestTimestamp = ageMs === null ? null : now - ageMs
  const target = { memory: memoryOf(expiryMs), bootstrapServers: 'west:9092' }
  return inspectAge([{ topic: 'orders', agedRecords: 1, oldestTimestamp }], target, now)[0]
}

// The setting is a 32-bit number: it cannot hold a month.
test('the advice holds the oldest record and the copy, as far as the setting goes', () => {
  const set = /--add-config producer\.id\.expiration\.ms=(\d+)\.( That is the most)?/
  const fixOf = (ageMs: number | null) => set.exec(agedFix(ageMs)?.fix ?? '')?.slice(1)
  assert.deepEqual(fixOf(2.5 * dayMs), [`${4 * dayMs}`, undefined])
  assert.deepEqual(fixOf(60 * dayMs), ['2147483647', ' That is the most'])
  assert.deepEqual(fixOf(null), ['2147483647', ' That is the most'])
  assert.equal(agedFix(60 * dayMs, 2_147_483_647)?.fix, undefined)
  assert.match(
    agedFix(dayMs)?.text ?? '',
    /older than 23h 40m .* is not told, and taken as 86400000/
  )
})

test('old history is told by topic, in the sums, and in one warning with the advice', () => {
  const old = { firstTimestamp: now - 3 * dayMs, maxTimestamp: now - 2 * dayMs }
  const plan = planOf({
    topics: { orders: 2, log: 1, young: 1 },
    ends: { 'orders-0': 100, 'orders-1': 100, 'log-0': 50, 'young-0': 10 },
    fresh: { 'orders-0': -1, 'orders-1': 60, 'log-0': -1 },
    headers: [headersOf('orders', 0, [batch(0, old)]), headersOf('young', 0, [batch(0)])]
  })
  assert.deepEqual(
    plan.links[0]?.topics.map(topic => [topic.agedRecords, topic.oldestTimestamp]),
    [
      [160, now - 3 * dayMs],
      [50, null],
      [0, now]
    ]
  )
  assert.equal(plan.totals.agedRecords, 210)
  const [warning, ...others] = plan.warnings.filter(({ kind }) => kind === 'aged-records')
  assert.deepEqual([others.length, warning?.topics], [0, ['orders', 'log']])
  assert.match(warning?.fix ?? '', /producer\.id\.expiration\.ms=432000000\.$/)
  const text = showPlan(plan, { width: 200, hasLanes: false }).join('\n')
  assert.match(text, /ONE BY ONE/)
  assert.match(text, /^orders +2 .* 80%$/m)
  assert.match(text, /^young +1 .* -$/m)
  assert.match(text, /210 of these records go one batch at a time: see the warning/)
})

test('the text names what is left out, what would stop, and the assumed rate', () => {
  const plan = planOf({
    topics: { orders: 3, __mine: 1 },
    target: { orders: 1 },
    ends: { 'orders-0': 10, 'orders-1': 10, 'orders-2': 10 },
    headers: [headersOf('orders', 0, [batch(0)])]
  })
  const text = showPlan(plan, { width: 200, hasLanes: true }).join('\n')
  assert.match(text, /topics: 2 matched, 4 not matched, 1 left out/)
  assert.match(text, /left out: __consumer_offsets \(internal to Kafka\)/)
  assert.match(text, /begin with __: __mine/)
  assert.match(text, /orders +3 +has only 1 +shallow \(lz4\), 2 stop +30 +3\.0 kB +under 1s/)
  assert.match(text, /orders \[1-2\] would stop \(too-few-partitions\)/)
  assert.match(text, /at an assumed 10 MB\/s \(--rate\)/)
  assert.match(text, /2 lanes would stop$/)
})
