// A source from before Kafka 0.11: Fetch 3 of 0.10.1, and Fetch 2 of 0.10.0, which cuts any message off.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { laneColumns, laneValue } from '../../src/native/index.ts'
import { encodeMessage, encodeWrapped, type OldMessage } from '../support/old-messages.ts'
import { rebuildBatches } from '../support/rebuilt-batches.ts'
import { api } from '../support/scripted-answers.ts'
import { openScriptedLink, type ScriptedLink } from '../support/scripted-link.ts'
import type { SourcePartition } from '../support/scripted-partitions.ts'

const topic = 'old'
const partitions = [0, 1, 2]
/** Above the least that a Fetch asks of a partition, and above the megabyte that it asks for at first. */
const valueBytes = [10, 90_000, 10, 300_000, 3_000_000, 10]

async function openOldSource(t: TestContext, fetchVersion: number): Promise<ScriptedLink> {
  const topics = { [topic]: { partitions: partitions.length } }
  const versions = {
    [api.fetch]: [0, fetchVersion] as const,
    [api.metadata]: [0, fetchVersion - 1] as const,
    [api.apiVersions]: [0, 0] as const
  }
  const source = { topics, versions: { ...versions, [api.produce]: [0, 2] as const } }
  const opened = await openScriptedLink(t, { source, target: { topics } })
  for (const partition of partitions) fill(opened.source.source(topic, partition), partition)
  return opened
}

/** Each size as a message of its own, and as one of two in a wrapper. */
function fill(log: SourcePartition, partition: number): void {
  for (const bytes of valueBytes) {
    const offset = log.end
    const magic = partition === 0 ? 0 : 1
    const value = `${partition}:${offset} `.padEnd(bytes, 'x')
    const message: OldMessage = { magic, offset, key: null, value, timestamp: 1_600_000_000_000 }
    if (bytes < 1_000) {
      const second = { ...message, offset: offset + 1, value: `${partition}:${offset + 1}` }
      const wrapped = encodeWrapped([message, second], { ...second, codec: 'gzip' })
      log.appendMessage(wrapped, [value, second.value], offset + 2)
    } else {
      log.appendMessage(encodeMessage(message), [value], offset + 1)
    }
  }
}

for (const fetchVersion of [2, 3]) {
  test(`every record of every size arrives by Fetch ${fetchVersion}`, async t => {
    const opened = await openOldSource(t, fetchVersion)
    const { link } = opened
    rebuildBatches(t, link)
    const lanes = opened.add(topic, partitions, { targetMaxBatchBytes: 4_000_000 })
    for (const [partition, lane] of lanes.entries()) {
      const { values } = opened.source.source(topic, partition)
      await opened.untilRecords(lane, values.length)
      assert.deepEqual(opened.target.target(topic, partition).values, values)
    }
    const rows = link.snapshot().lanes
    for (let row = 0; row < rows.length / laneColumns.length; row++) {
      assert.ok(laneValue(rows, row, 'resealOldBroker') > 0)
      assert.equal(laneValue(rows, row, 'resealOldFormat'), 0)
      assert.equal(laneValue(rows, row, 'lastStableOffset'), laneValue(rows, row, 'highWatermark'))
    }
  })
}

test('a message whose length lies beyond what was asked for, and beyond all that comes, stops its lane', async t => {
  const opened = await openOldSource(t, 2)
  const log = opened.source.source(topic, 0)
  const cut = encodeMessage({ magic: 1, offset: log.end, key: null, value: 'never whole' })
  cut.writeInt32BE(1_000_000, 8)
  log.appendMessage(cut, [], log.end + 1)
  const { link } = opened
  rebuildBatches(t, link)
  const [lane] = opened.add(topic, [0], { targetMaxBatchBytes: 4_000_000 }) as [number]
  const { reason, checkpoint } = await opened.untilStopped(lane)
  assert.deepEqual([reason, checkpoint], ['malformed', log.end - 1])
})
