import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noDifferences } from '../../src/verify/differences.ts'
import { showResult } from '../../src/verify/show.ts'
import type { LaneVerdict } from '../../src/verify/types.ts'

function different(partition: number): LaneVerdict {
  const first = { class: 'missing', sourceOffset: 7, targetOffset: null, text: 'offset 7' } as const
  return {
    topic: 'orders',
    partition,
    sourceCluster: 'east',
    targetTopic: 'orders',
    state: 'different',
    why: '',
    matched: 9,
    source: null,
    target: null,
    counts: { ...noDifferences(), missing: 1 },
    first,
    firstOfClass: [first],
    beyondCommit: 0,
    remarks: []
  }
}

const figures = {
  durationMs: 1_000,
  bytesRead: 1,
  records: 1,
  passedRecords: 0,
  recordBytes: 0,
  threads: 1,
  workedMs: 0
}

test('of very many lanes that differ the first are told, and how many there are', () => {
  const show = (lanes: number) =>
    showResult(
      {
        verdicts: Array.from({ length: lanes }, (_, index) => different(index)),
        figures,
        foreignCommits: 0
      },
      { width: 200, since: { kind: 'start' }, isCounts: false }
    )
  const isAboutLane = (line: string) => /^ {2}orders-\d+ \(east\): 1 missing/.test(line)
  const [few, many] = [show(100), show(1_234)]
  assert.equal(few.filter(isAboutLane).length, 100)
  assert.ok(!few.some(line => line.includes('lanes more')))
  assert.equal(many.filter(isAboutLane).length, 100)
  assert.ok(many.includes('  and 1,134 lanes more with the like (--format json)'))
  assert.ok(many.some(line => line.startsWith('1234 lanes, 0 equal, 1234 different')))
})
