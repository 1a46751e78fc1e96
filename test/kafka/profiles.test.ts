// The profiles in config/ as they stand: each mirrors what it is given, whole and in its bytes.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { produceMixed } from '../support/corpus.ts'
import { compareBatchBytes, compareTopics } from '../support/digest.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { makeFolder, root, startMirrorMaker } from '../support/mirror-maker.ts'
import { type MirrorProcess, partitionsOf } from '../support/mirror-process.ts'

const records = 6_000

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

// Without a name: the files of the first steps.
const profiles = [
  { profile: '', link: {}, commitIntervalMs: 5_000 },
  { profile: 'reliable-', link: { maxInFlight: 5 }, commitIntervalMs: 1_000 },
  { profile: 'throughput-', link: { fetchMinBytes: 10_240, budgetBytes: 67_108_864 } },
  { profile: 'low-latency-', link: { fetchMinBytes: 1 } }
]

for (const { profile, link, commitIntervalMs = 5_000 } of profiles) {
  const name = profile === '' ? 'the plain files' : `the profile ${profile.slice(0, -1)}`

  test(`${name}: every record arrives unchanged`, { timeout: 150_000 }, async t => {
    const { source, target } = pair
    const topic = `profile-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 3)
    const load = { records, recordBytes: 200, codec: 'mixed', headers: true } as const
    await produceMixed(source.bootstrap, topic, load)
    const mirror = await startProfile(t, profile, topic)
    assert.equal(await mirror.exit(), 0, mirror.tail())
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
    assert.deepEqual(await compareBatchBytes(source.bootstrap, target.bootstrap, topic), [])
    const rows = partitionsOf(await mirror.report(), topic)
    assert.equal(
      rows.reduce((sum, row) => sum + row.records, 0),
      records
    )
    const [line] = mirror.linesLike({ msg: 'source configuration' })
    const used = line?.link as Record<string, unknown>
    for (const [setting, value] of Object.entries(link)) assert.equal(used[setting], value, setting)
    assert.equal(line?.commitIntervalMs, commitIntervalMs)
    const notes = mirror.linesLike({ msg: 'configuration note' })
    assert.deepEqual(
      notes.filter(({ note }) => `${note}`.includes('ignored')),
      []
    )
  })
}

/** With the addresses of the test's brokers in place of those in the files. */
async function startProfile(
  t: TestContext,
  profile: string,
  topic: string
): Promise<MirrorProcess> {
  const folder = await makeFolder(t)
  const args = ['--consumer.config', `${root}config/${profile}source.properties`]
  args.push('--producer.config', `${root}config/${profile}target.properties`)
  args.push('--consumer.config.override', `bootstrap.servers=${pair.source.bootstrap}`)
  args.push('--consumer.config.override', `group.id=${topic}`)
  args.push('--producer.config.override', `bootstrap.servers=${pair.target.bootstrap}`)
  args.push('--whitelist', topic, '--http', 'off', '--until-caught-up')
  return startMirrorMaker(t, folder, [...args, '--report', 'report.json'])
}
