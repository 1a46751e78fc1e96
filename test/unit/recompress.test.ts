// Which topics are written in which codec, and what is said of those that are not.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { readRecompress } from '../../src/config/recompress.ts'
import { ConfigError, UsageError } from '../../src/errors.ts'
import { PassedCodecs } from '../../src/mirror/passed-codecs.ts'
import type { BatchHeader, Cluster, CodecName } from '../../src/native/index.ts'
import {
  type CodecRule,
  CodecRules,
  type CodecSettings,
  type TargetCompression
} from '../../src/topics/codec-rules.ts'

async function rulesFor(
  t: TestContext,
  topics: readonly string[],
  recompress: readonly string[],
  compression: TargetCompression = { levels: {} }
): Promise<CodecRule[]> {
  const rules = rulesOf(t, { recompress: readRecompress(recompress), compression })
  await rules.learn(topics)
  return topics.map(topic => rules.ruleFor(topic))
}

function rulesOf(t: TestContext, settings: CodecSettings): CodecRules {
  const rules = new CodecRules(settings)
  t.after(() => rules.close())
  return rules
}

test('the first pattern that matches a whole name counts, and the bare codec holds for the rest', async t => {
  const topics = ['logs.web', 'logs.app', 'orders', 'my-logs.web']
  const found = await rulesFor(t, topics, ['zstd:9', 'logs.a.*=gzip:1', 'logs.*=lz4'])
  assert.deepEqual(found, [
    { codec: 'lz4', levels: {}, isForced: true },
    { codec: 'gzip', levels: { gzip: 1 }, isForced: true },
    { codec: 'zstd', levels: { zstd: 9 }, isForced: true },
    { codec: 'zstd', levels: { zstd: 9 }, isForced: true }
  ])
})

test('what no pattern names goes by the file, whose levels hold for both', async t => {
  const compression: TargetCompression = { codec: 'lz4', levels: { gzip: 3, zstd: 5 } }
  const found = await rulesFor(t, ['a', 'b', 'c'], ['a=zstd', 'b=zstd:7'], compression)
  assert.deepEqual(found, [
    { codec: 'zstd', levels: { gzip: 3, zstd: 5 }, isForced: true },
    { codec: 'zstd', levels: { gzip: 3, zstd: 7 }, isForced: true },
    { codec: 'lz4', levels: { gzip: 3, zstd: 5 }, isForced: false }
  ])
})

test('compressed.topics of an old file limits its codec to them', async t => {
  const compression: TargetCompression = { codec: 'gzip', levels: {}, topics: ['b'] }
  const [a, b] = await rulesFor(t, ['a', 'b'], [], compression)
  assert.deepEqual([a?.codec, b?.codec], [undefined, 'gzip'])
})

test('a pattern may be any Java expression, also with = and : in it', async t => {
  const topics = ['eu-a', 'us-a', 'eu-b', 'x=y']
  const texts = ['(?i)(?:EU|US)-a=gzip', '(?=eu).*-b=snappy']
  const found = await rulesFor(t, topics, texts)
  assert.deepEqual(
    found.map(({ codec }) => codec),
    ['gzip', 'gzip', 'snappy', undefined]
  )
})

test('a pattern that runs away ends with an error and not never', { timeout: 30_000 }, async t => {
  const recompress = readRecompress(['(a+)+b=zstd'])
  const rules = rulesOf(t, { recompress, compression: { levels: {} } })
  await assert.rejects(rules.learn(['a'.repeat(60)]), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /^topic pattern: no answer within/)
    return true
  })
})

for (const [texts, problem] of [
  [['ztsd'], '--recompress: there is no codec "ztsd", did you mean "zstd"?; write CODEC'],
  [['orders'], '--recompress: there is no codec "orders"; write CODEC, CODEC:LEVEL or PATTERN='],
  [['orders='], '--recompress: there is no codec ""; write CODEC, CODEC:LEVEL or PATTERN=CODEC'],
  [['zstd:23'], '--recompress: expected a level of zstd from 1 to 22, got "23"'],
  [['gzip:0'], '--recompress: expected a level of gzip from 1 to 9, got "0"'],
  [['a=gzip:'], '--recompress: expected a level of gzip from 1 to 9, got ""'],
  [['gzip:1:2'], '--recompress: expected a level of gzip from 1 to 9, got "1:2"'],
  [['lz4:18'], '--recompress: expected a level of lz4 from 1 to 17, got "18"'],
  [['snappy:3'], '--recompress: snappy has no levels, got "snappy:3". Write snappy'],
  [['none:1'], '--recompress: none has no levels, got "none:1". Write none'],
  [['a)=zstd'], '--recompress: topic pattern: this ) has no ( before it\n  a)\n   ^'],
  [['=zstd'], '--recompress: topic pattern: it is empty'],
  [['a.*=zstd', 'a.*=gzip'], '--recompress: the pattern "a.*" is given twice. Give it once'],
  [['zstd', 'gzip'], '--recompress: two codecs are given for every topic. Give one']
] as const) {
  test(`${texts.join(' and ')} is refused`, () => {
    assert.throws(
      () => readRecompress(texts),
      (error: unknown) => {
        assert.ok(error instanceof UsageError)
        assert.equal(error.problems.length, 1)
        assert.ok(error.problems[0]?.startsWith(problem), error.problems[0])
        return true
      }
    )
  })
}

test('everything wrong is found in one run', () => {
  assert.throws(
    () => readRecompress(['snappy:3', '(=zstd', 'brotli']),
    (error: unknown) => error instanceof UsageError && error.problems.length === 3
  )
})

function headerOf(codec: CodecName, more: Partial<BatchHeader> = {}): BatchHeader {
  return {
    ...{ baseOffset: 5, lastOffset: 9, records: 5, bytes: 100, magic: 2, codec },
    ...{ firstTimestamp: 1, maxTimestamp: 2, isAppendTime: false, isTransactional: false },
    ...{ isControl: false, producerId: -1, producerEpoch: -1, baseSequence: -1 },
    ...more
  }
}

/** What is said of topics whose first batches are these. */
async function toldOf(
  t: TestContext,
  batches: Readonly<Record<string, BatchHeader[]>>,
  settings: CodecSettings
): Promise<{ told: Record<string, unknown>[]; asked: string[] }> {
  const told: Record<string, unknown>[] = []
  const asked: string[] = []
  const log = pino({ level: 'warn' }, { write: line => told.push(JSON.parse(line)) })
  const codecs = rulesOf(t, settings)
  await codecs.learn(Object.keys(batches))
  const readHeaders: Cluster['readHeaders'] = async places => {
    asked.push(...places.map(({ topic }) => topic))
    const ends = { logStartOffset: 0, highWatermark: 10, lastStableOffset: 10 }
    return places.map(({ topic, partition }) => {
      return { topic, partition, ...ends, batches: batches[topic] ?? [] }
    })
  }
  const passed = new PassedCodecs({
    source: { readHeaders },
    codecs,
    isolation: 'read_committed',
    log
  })
  const lanes = Object.keys(batches).flatMap(topic => [
    { topic, partition: 0, offset: 5 },
    { topic, partition: 1, offset: 5 }
  ])
  await passed.look(lanes)
  await passed.look(lanes)
  return { told, asked }
}

test('a codec of the file that passing batches do not have is told, once', async t => {
  const batches = { a: [headerOf('zstd')], b: [headerOf('lz4')], c: [headerOf('gzip')] }
  const compression: TargetCompression = { codec: 'zstd', levels: {} }
  const { told, asked } = await toldOf(t, batches, { recompress: [], compression })
  assert.deepEqual(asked, ['a', 'b', 'c'])
  assert.deepEqual(
    told.map(({ topic, codec, asked, fix }) => [topic, codec, asked, fix]),
    [['b', 'lz4', 'zstd', '--recompress zstd rebuilds those too']]
  )
})

test('nothing is told where batches have the codec, are rebuilt anyway, or no codec is asked for', async t => {
  const rebuilt = [
    headerOf('lz4', { magic: 1, records: -1 }),
    headerOf('lz4', { records: 3 }),
    headerOf('none', { isControl: true })
  ]
  const batches = { a: [headerOf('zstd')], b: rebuilt, c: [headerOf('gzip')] }
  const compression: TargetCompression = { codec: 'zstd', levels: {} }
  const recompress = readRecompress(['c=zstd'])
  const seen = await toldOf(t, batches, { recompress, compression })
  assert.deepEqual([seen.told, new Set(seen.asked)], [[], new Set(['a', 'b'])])
  const unasked = await toldOf(t, batches, { recompress: [], compression: { levels: {} } })
  assert.deepEqual(unasked, { told: [], asked: [] })
})
