import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeCheckpoint } from '../../src/mirror/checkpoint.ts'
import { atLeastOnce, exactlyOnce } from '../../src/mirror/delivery.ts'
import type { BatchHeader, KafkaFailure, PartitionMetadata } from '../../src/native/index.ts'
import { describeAbove, findAbove } from '../../src/status/above-limit.ts'
import { writeJson } from '../../src/status/json.ts'
import { lanesToRead, listLanes, topicsOfGroup, withLeader } from '../../src/status/lanes.ts'
import { describeLink } from '../../src/status/link-status.ts'
import { nameLanes } from '../../src/status/notes.ts'
import { fitLines, wrapLine } from '../../src/status/screen.ts'
import { writeText } from '../../src/status/text.ts'
import { lanesAbove, sortByLag } from '../../src/status/totals.ts'
import type { LaneStatus, LinkFacts, LinkStatus } from '../../src/status/types.ts'

const now = 1_700_000_000_000

function failure(code: number, name: string): KafkaFailure {
  return { code, name, message: 'said the broker', retriable: false, fatal: false }
}

function partition(number: number, leader = 1): PartitionMetadata {
  return { partition: number, leader, replicas: [1], inSyncReplicas: [1] }
}

function header(fields: Partial<BatchHeader>): BatchHeader {
  return {
    baseOffset: 0,
    lastOffset: 9,
    records: 10,
    bytes: 100,
    magic: 2,
    codec: 'none',
    firstTimestamp: now,
    maxTimestamp: now,
    isAppendTime: false,
    isTransactional: false,
    isControl: false,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    ...fields
  }
}

const brokers = [{ id: 1, host: 'kafka-1', port: 9_092 }]
const orders = { topic: 'orders', partition: 0 }

/** One lane, `orders-0`: committed 100, end 120, held by a member; with changes. */
function facts(changes: Partial<LinkFacts> = {}): LinkFacts {
  const end = { ...orders, offset: 120 }
  return {
    group: 'mirror',
    isolation: 'read_committed',
    readAt: now,
    committed: [{ ...orders, offset: 100, metadata: '' }],
    description: {
      state: 'Stable',
      assignor: 'cooperative-sticky',
      coordinator: { id: 1, host: 'kafka-1', port: 9_092 },
      members: [
        {
          memberId: 'm-1',
          instanceId: '',
          clientId: 'mirror-0',
          host: '/10.0.0.7',
          partitions: [orders]
        }
      ]
    },
    metadata: { brokers, topics: [{ topic: 'orders', id: '', partitions: [partition(0)] }] },
    topics: ['orders'],
    readableEnds: [end],
    highWatermarks: [end],
    headers: headersOf({ firstTimestamp: now - 65_000 }),
    target: undefined,
    ...changes
  }
}

const names = { source: 'east', target: undefined, askedTopics: [] }

function describe(changes: Partial<LinkFacts> = {}): LinkStatus {
  return describeLink(facts(changes), names)
}

function lane(changes: Partial<LinkFacts> = {}): LaneStatus {
  return describe(changes).lanes[0] as LaneStatus
}

function headersOf(fields: Partial<BatchHeader>): LinkFacts['headers'] {
  const log = { logStartOffset: 0, highWatermark: 120, lastStableOffset: 120 }
  return [{ ...orders, ...log, batches: [header(fields)] }]
}

test('a lane: offsets, lag, leader and owner', () => {
  const { committed, logEnd, lag, leader, owner, troubles } = lane()
  assert.deepEqual([committed, logEnd, lag], [100, 120, 20])
  assert.deepEqual(leader, brokers[0])
  assert.deepEqual(owner, { clientId: 'mirror-0', host: '10.0.0.7', memberId: 'm-1' })
  assert.deepEqual(troubles, [])
})

test('the time lag is the age of the first batch that waits', () => {
  assert.equal(lane().lagMs, 65_000)
})

test('where brokers stamp arrival, that is the time', () => {
  const fields = { firstTimestamp: 0, maxTimestamp: now - 3_000, isAppendTime: true }
  assert.equal(lane({ headers: headersOf(fields) }).lagMs, 3_000)
})

test('a batch from the future is not a negative age, and one without time has none', () => {
  assert.equal(lane({ headers: headersOf({ firstTimestamp: now + 60_000 }) }).lagMs, 0)
  assert.equal(lane({ headers: headersOf({ firstTimestamp: -1 }) }).lagMs, undefined)
  assert.deepEqual(lane({ headers: [] }).troubles, ['age-unknown'])
})

test('a lane that is caught up has no time lag, whatever its last batch says', () => {
  const { lag, lagMs } = lane({ committed: [{ ...orders, offset: 120, metadata: '' }] })
  assert.deepEqual([lag, lagMs], [0, 0])
})

test('records behind an open transaction are not lag, and are told', () => {
  const { lanes, notes } = describe({
    readableEnds: [{ ...orders, offset: 100 }],
    highWatermarks: [{ ...orders, offset: 150 }]
  })
  assert.equal(lanes[0]?.lag, 0)
  assert.match(notes.join('\n'), /open transaction .*: orders-0$/)
})

test('a commit of somebody who reads uncommitted is not a negative lag', () => {
  const { lag, troubles } = lane({
    readableEnds: [{ ...orders, offset: 90 }],
    highWatermarks: [{ ...orders, offset: 120 }]
  })
  assert.equal(lag, 0)
  assert.deepEqual(troubles, ['open-transaction'])
})

test('a commit beyond the end of the log is no lag of 0', () => {
  const end = [{ ...orders, offset: 7 }]
  const { lag, troubles } = lane({ readableEnds: end, highWatermarks: end })
  assert.equal(lag, undefined)
  assert.deepEqual(troubles, ['beyond-end'])
})

test('a partition without leader, a deleted topic, a smaller topic: each its own trouble', () => {
  const nothing = { readableEnds: [], highWatermarks: [] }
  const withTopics = (partitions: PartitionMetadata[]) => ({
    ...nothing,
    metadata: {
      brokers,
      topics: partitions.length > 0 ? [{ topic: 'orders', id: '', partitions }] : []
    }
  })
  assert.deepEqual(lane(withTopics([partition(0, -1)])).troubles, ['no-leader'])
  assert.deepEqual(lane(withTopics([])).troubles, ['topic-missing'])
  const smaller = describe({
    ...withTopics([partition(0)]),
    readableEnds: [{ ...orders, offset: 120 }],
    committed: [
      { ...orders, offset: 100, metadata: '' },
      { topic: 'orders', partition: 1, offset: 5, metadata: '' }
    ]
  })
  assert.deepEqual(smaller.lanes[1]?.troubles, ['partition-missing'])
  assert.match(smaller.notes.join('\n'), /made anew with fewer\): orders-1/)
})

test('a failed answer for a partition leaves its cells empty', () => {
  const failed = [{ ...orders, offset: -1, failure: failure(6, 'NOT_LEADER_OR_FOLLOWER') }]
  const { logEnd, lag, troubles } = lane({ readableEnds: failed, highWatermarks: failed })
  assert.deepEqual([logEnd, lag], [undefined, undefined])
  assert.deepEqual(troubles, ['end-unknown'])
})

test('records deleted before they were mirrored, and a topic that may not be read', () => {
  const log = { logStartOffset: -1, highWatermark: -1, lastStableOffset: -1, batches: [] }
  const read = (code: number) => [{ ...orders, ...log, failure: failure(code, 'X') }]
  assert.deepEqual(lane({ headers: read(1) }).troubles, ['records-gone'])
  assert.deepEqual(lane({ headers: read(29) }).troubles, ['not-readable'])
})

test('all partitions of a topic are lanes, committed or not', () => {
  const { lanes, notes, totals } = describe({
    metadata: {
      brokers,
      topics: [{ topic: 'orders', id: '', partitions: [partition(1), partition(0)] }]
    }
  })
  assert.deepEqual(
    lanes.map(({ partition, committed }) => [partition, committed]),
    [
      [0, 100],
      [1, undefined]
    ]
  )
  assert.equal(totals.lanesUnknown, 1)
  assert.ok(notes.includes('nothing is committed for orders-1'))
})

const checkpoint = {
  algorithm: 1,
  targetClusterId: 'west-id',
  producerId: 7,
  producerEpoch: 0,
  nextSequence: 3,
  targetEnd: 100,
  isInStep: true,
  level: exactlyOnce,
  sourceTopicId: '',
  targetTopicId: '',
  leaderEpoch: -1
}

const commits: readonly [what: string, metadata: string, reason: string, trouble: string[]][] = [
  ['nobody of ours', '', 'no-metadata', []],
  ['another program', 'whatever', 'foreign-commit', []],
  ['this mirror', encodeCheckpoint(checkpoint), '', []],
  [
    'this mirror after a takeover',
    encodeCheckpoint({ ...checkpoint, level: atLeastOnce('foreign-commit') }),
    'foreign-commit',
    []
  ],
  [
    'a mirror to elsewhere',
    encodeCheckpoint({ ...checkpoint, targetClusterId: 'north-id' }),
    'other-target',
    ['other-target']
  ],
  [
    'a mirror that stopped for good',
    encodeCheckpoint({ ...checkpoint, keptStop: 'target-went-back' }),
    '',
    ['still-stopped']
  ],
  ['a newer heliostat', 'h9;x=1', 'newer-format', ['newer-format']]
]

for (const [what, metadata, reason, troubles] of commits) {
  test(`a commit of ${what} tells the delivery level`, () => {
    const { topics } = facts().metadata
    const target = {
      isReached: true,
      clusterId: 'west-id',
      metadata: { brokers, topics },
      ends: [{ ...orders, offset: 55 }]
    } as const
    const found = lane({ committed: [{ ...orders, offset: 100, metadata }], target })
    assert.equal(found.delivery, reason === '' ? 'exactly-once' : 'at-least-once')
    assert.equal(found.deliveryReason, reason)
    assert.equal(found.targetEnd, 55)
    assert.deepEqual(found.troubles, troubles)
  })
}

test('a target that cannot be reached costs its own column alone, and the exit code', () => {
  const { lanes, notes, isIncomplete } = describe({
    target: { isReached: false, why: 'read metadata: _TRANSPORT (-195): refused' }
  })
  assert.equal(lanes[0]?.lag, 20)
  assert.equal(lanes[0]?.targetEnd, undefined)
  assert.deepEqual(lanes[0]?.troubles, [])
  assert.match(notes.join('\n'), /target's offsets are not known: .*refused/)
  assert.equal(isIncomplete, true)
})

test('a topic that the target lacks', () => {
  const target = { isReached: true, clusterId: 'w', metadata: { brokers, topics: [] }, ends: [] }
  const { notes, isIncomplete } = describe({ target: { ...target, isReached: true } })
  assert.ok(notes.includes('not on the target: orders-0'))
  assert.equal(isIncomplete, false)
})

test('without the right to describe the group: no owners, and the right is named', () => {
  const { lanes, notes, groupStatus } = describe({
    description: failure(30, 'GROUP_AUTHORIZATION_FAILED')
  })
  assert.equal(lanes[0]?.owner, undefined)
  assert.equal(lanes[0]?.lag, 20)
  assert.equal(groupStatus.state, undefined)
  assert.match(
    notes.join('\n'),
    /no Describe on group "mirror".*kafka-acls --add .* --group 'mirror'/
  )
})

const group = { assignor: '', members: [] }

test('an empty group is told, and an unknown one is a failure', () => {
  const empty = describe({ description: { ...group, state: 'Empty' } })
  assert.match(empty.notes.join('\n'), /no member is in group "mirror" \(Empty\)/)
  assert.equal(empty.isIncomplete, false)
  const nobody = { committed: [], topics: [], description: { ...group, state: 'Dead' } }
  const unknown = describe(nobody)
  assert.match(unknown.notes.join('\n'), /group "mirror" is not known to the source/)
  assert.equal(unknown.isIncomplete, true)
})

test('a topic that was asked for and is nowhere', () => {
  const { notes } = describeLink(facts(), { ...names, askedTopics: ['orders', 'ordesr'] })
  assert.match(notes.join('\n'), /topic "ordesr" is not on the source/)
})

test('topics of the group are those committed and those held', () => {
  const { description } = facts()
  const committed = [{ topic: 'old', partition: 0, offset: 1, metadata: '' }]
  assert.deepEqual(topicsOfGroup(committed, description), ['old', 'orders'])
  assert.deepEqual(topicsOfGroup(committed, failure(30, 'X')), ['old'])
})

test('only lanes with a leader are asked for their ends', () => {
  const metadata = {
    brokers,
    topics: [{ topic: 'orders', id: '', partitions: [partition(0), partition(1, -1)] }]
  }
  const lanes = listLanes(['orders', 'gone'], metadata, [
    { topic: 'gone', partition: 3, offset: 1, metadata: '' }
  ])
  assert.deepEqual(
    lanes.map(({ topic, partition }) => `${topic}-${partition}`),
    ['orders-0', 'orders-1', 'gone-3']
  )
  assert.deepEqual(withLeader(lanes, metadata), [orders])
})

test('headers are read where something waits, the longest queue first', () => {
  const at = (partition: number, offset: number) => ({ topic: 'orders', partition, offset })
  const committed = [at(0, 10), at(1, 10), at(2, 10), at(3, -1)].map(row => ({
    ...row,
    metadata: ''
  }))
  const ends = [at(0, 11), at(1, 10), at(2, 99), at(3, 5)]
  assert.deepEqual(lanesToRead(committed, ends), [at(2, 10), at(0, 10)])
})

test('above a limit: more lag than that, and what nobody knows; not a log that is empty', () => {
  const of = (lag: number | undefined, logEnd?: number): LaneStatus => ({
    ...lane(),
    lag,
    logEnd,
    highWatermark: logEnd
  })
  const lanes = [of(5, 10), of(6, 10), of(undefined, 10), of(undefined), of(undefined, 0)]
  assert.deepEqual(lanesAbove(lanes, 5), [lanes[1], lanes[2], lanes[3]])
  assert.deepEqual(
    sortByLag(lanes).map(({ lag }) => lag),
    [undefined, undefined, undefined, 6, 5]
  )
})

test('lanes above the limit are named', () => {
  const status = describe()
  const above = findAbove([status], 19)
  assert.equal(describeAbove(above, 19, true), 'above --max-lag 19: orders-0 (20)')
  assert.equal(describeAbove(above, 19, false), 'above --max-lag 19: east: orders-0 (20)')
  assert.deepEqual(findAbove([status], 20), [])
  assert.equal(describeAbove([], 20, true), undefined)
})

test('many lanes are named by the first of them', () => {
  const lanes = Array.from({ length: 9 }, (_, index) => `t-${index}`)
  assert.equal(nameLanes(lanes), 't-0, t-1, t-2, t-3, t-4 and 4 more')
  assert.equal(nameLanes(lanes.slice(0, 6)), 't-0, t-1, t-2, t-3, t-4, t-5')
})

test('the table has the columns of kafka-consumer-groups, and the totals below', () => {
  const status = describe()
  const lines = writeText([status], { width: 300, sort: 'name' }).flatMap(block => block.lines)
  assert.deepEqual(lines, [
    'group mirror (Stable, 1 member, cooperative-sticky, coordinator kafka-1:9092)',
    'TOPIC   PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG  TIME-LAG  LEADER            OWNER     HOST      DELIVERY       REASON       BATCHES',
    'orders          0             100             120   20     1m 5s  kafka-1:9092 (1)  mirror-0  10.0.0.7  at-least-once  no-metadata  -',
    'total: 1 lane of 1 topic, lag 20 records in 1 lane, oldest 1m 5s',
    'TIME-LAG: age of the first batch that is not mirrored yet, by the timestamp in its header'
  ])
})

test('what the mirrors of a group have done is told a lane, and in all', () => {
  const deeds = { paths: { shallow: 1_200, holes: 3, control: 2 }, lost: 41 }
  const metadata = encodeCheckpoint({ ...checkpoint, deeds })
  const status = describe({ committed: [{ ...orders, offset: 100, metadata }] })
  const text = writeText([status], { width: 300, sort: 'name' }).flatMap(block => block.lines)
  const batches = '1,200 shallow, 3 holes, 2 control'
  assert.ok(text[2]?.endsWith(` ${batches}`), text[2])
  assert.ok(text.includes(`batches since the first commit: ${batches}`), text.join('\n'))
  assert.ok(text.includes('note: source offsets deleted before they were mirrored: orders-0 (41)'))
  const [link] = JSON.parse(writeJson([status], now, undefined)).links
  assert.deepEqual(link.lanes[0].batches, deeds.paths)
  assert.deepEqual([link.lanes[0].lost, link.totals.lost], [41, 41])
})

test('a narrow terminal loses columns, never rows or the lag', () => {
  const [, table] = writeText([describe()], { width: 60, sort: 'name' })
  assert.equal(table?.lines.length, 2)
  assert.match(
    table?.lines[0] ?? '',
    /^TOPIC {2,}PARTITION {2,}CURRENT-OFFSET {2,}LOG-END-OFFSET {2,}LAG$/
  )
})

test('several links stand below each other, also one that cannot be read', () => {
  const broken = { source: 'west', target: 'hub', group: 'g', error: 'west does not answer' }
  const lines = writeText([broken, describe()], { width: 300, sort: 'name' }).flatMap(
    block => block.lines
  )
  assert.deepEqual(lines.slice(0, 3), ['west -> hub, group g', 'error: west does not answer', ''])
  assert.match(lines[3] ?? '', /^group mirror/)
})

test('JSON has every key, with null for what is not known', () => {
  const text = writeJson([describe({ readableEnds: [] })], now, undefined)
  assert.ok(!text.includes('\n'))
  const { at, links, ...more } = JSON.parse(text)
  assert.equal(at, '2023-11-14T22:13:20.000Z')
  assert.equal(links[0].lanes[0].lag, null)
  assert.equal(links[0].target, null)
  assert.deepEqual(more, {})
  assert.deepEqual(JSON.parse(writeJson([], now, [])).aboveMaxLag, [])
})

test('a screen that is too low cuts tables, and keeps totals and notes', () => {
  const table = {
    lines: ['TITLE', ...Array.from({ length: 8 }, (_, row) => `${row}`)],
    isTable: true
  }
  const blocks = [
    { lines: ['head'], isTable: false },
    table,
    { lines: ['total', 'note'], isTable: false }
  ]
  assert.equal(fitLines(blocks, 12).length, 12)
  assert.deepEqual(fitLines(blocks, 8), [
    'head',
    'TITLE',
    '0',
    '1',
    '2',
    '... and 5 more lanes',
    'total',
    'note'
  ])
  assert.equal(fitLines([...blocks, ...blocks], 12).length, 12)
})

test('sentences are wrapped at spaces, and words that are too long are cut', () => {
  assert.deepEqual(wrapLine('a bb ccc', 4), ['a bb', 'ccc'])
  assert.deepEqual(wrapLine('abcdef g', 4), ['abcd', 'ef g'])
  assert.deepEqual(wrapLine('', 4), [''])
})
