// How a verification finds out what differs: the aligner against a slow reference, and the decisions around it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AlignedSide, Aligner } from '../../src/verify/aligner.ts'
import { type DifferenceClass, differenceClasses } from '../../src/verify/differences.ts'
import { splitTarget } from '../../src/verify/gathered.ts'
import { Ledger, type LedgerRules } from '../../src/verify/ledger.ts'
import { matchWindows } from '../../src/verify/match-windows.ts'
import { columnsOf, flags, type RecordRow } from '../../src/verify/record-columns.ts'
import { RecordQueue } from '../../src/verify/record-queue.ts'
import { chooseRuns, readSample } from '../../src/verify/sample.ts'
import { readSince } from '../../src/verify/since.ts'
import { type Random, randomFrom, seededRandom } from '../support/random.ts'

/** A record whose parts are numbers; its identity follows from them. */
function row(offset: number, key: number, value: number, time = 1_000 + key): RecordRow {
  const identity = key * 1e9 + value * 1e3 + (time % 1_000)
  return { offset, identity, key, value, headers: 0, time, flags: 0 }
}

function rowsOf(count: number, first = 0): RecordRow[] {
  return Array.from({ length: count }, (_, index) => row(first + index, first + index, 1))
}

/** New offsets in order, as a log has them. */
function asLog(rows: readonly RecordRow[]): RecordRow[] {
  return rows.map((each, offset) => ({ ...each, offset }))
}

/** Gives its rows a few at a time. */
class ListSide implements AlignedSide {
  readonly queue = new RecordQueue()
  readonly end: number
  readonly #rows: readonly RecordRow[]
  readonly #step: number
  #next = 0
  /** Most that the queue has held. */
  most = 0

  constructor(rows: readonly RecordRow[], step = 7) {
    this.#rows = rows
    this.#step = step
    this.end = (rows.at(-1)?.offset ?? -1) + 1
  }

  get isEnded(): boolean {
    return this.#next >= this.#rows.length
  }

  async fill(count: number): Promise<void> {
    while (this.queue.length < count && !this.isEnded) {
      this.queue.push(columnsOf(this.#rows.slice(this.#next, this.#next + this.#step)))
      this.#next += this.#step
    }
    this.most = Math.max(this.most, this.queue.length)
  }

  seek(offset: number): void {
    this.queue.clear()
    this.#next = this.#rows.findIndex(each => each.offset >= offset)
  }
}

const strict: LedgerRules = {
  committed: Number.MAX_SAFE_INTEGER,
  leads: { source: false, target: false },
  hasTimes: true,
  compacted: undefined,
  ignoresTargetRest: false
}

async function compare(
  source: readonly RecordRow[],
  target: readonly RecordRow[],
  rules: Partial<LedgerRules> = {},
  options: { mostWindow?: number; step?: number; committed?: number } = {}
): Promise<Ledger> {
  const ledger = new Ledger({ ...strict, ...rules })
  const { step = 7, ...rest } = options
  const sides = [new ListSide(source, step), new ListSide(target, step)] as const
  await new Aligner(...sides, ledger, { hasTimes: true, ...rest }).run()
  return ledger
}

function found({ judge }: Ledger): Partial<Record<DifferenceClass, number>> {
  return Object.fromEntries(Object.entries(judge.counts).filter(([, count]) => count > 0))
}

function firstOf({ judge }: Ledger) {
  const [first] = judge.told
  return [first?.class, first?.source?.offset, first?.target?.offset]
}

test('equal sides are equal, with one digest', async () => {
  const ledger = await compare(rowsOf(5_000), rowsOf(5_000))
  assert.deepEqual(found(ledger), {})
  assert.equal(ledger.matched, 5_000)
  assert.equal(ledger.digests().source, ledger.digests().target)
})

const single: [name: string, edit: (rows: RecordRow[]) => void, ReturnType<typeof firstOf>][] = [
  ['dropped', rows => rows.splice(700, 1), ['missing', 700, undefined]],
  ['doubled', rows => rows.splice(701, 0, rows[700] as RecordRow), ['duplicated', undefined, 701]],
  [
    'swapped with the next',
    rows => rows.splice(700, 2, rows[701] as RecordRow, rows[700] as RecordRow),
    ['reordered', 700, 701]
  ],
  [
    'changed in its value',
    rows => rows.splice(700, 1, row(700, 700, 2)),
    ['value-changed', 700, 700]
  ],
  [
    'changed in its time',
    rows => rows.splice(700, 1, row(700, 700, 1, 1)),
    ['timestamp-changed', 700, 700]
  ],
  [
    'changed in its key',
    rows => rows.splice(700, 1, row(700, 999_999, 1, 1_700)),
    ['key-changed', 700, 700]
  ],
  [
    'joined by another one',
    rows => rows.splice(700, 0, row(0, 888_888, 8)),
    ['extra', undefined, 700]
  ],
  ['dropped at the end', rows => rows.splice(1_999, 1), ['missing', 1_999, undefined]],
  ['dropped at the beginning', rows => rows.splice(0, 1), ['missing', 0, undefined]],
  [
    'doubled at the end',
    rows => rows.push(rows[1_999] as RecordRow),
    ['duplicated', undefined, 2_000]
  ]
]

for (const [name, edit, expected] of single) {
  test(`a record that is ${name} is found, and nothing else`, async () => {
    const target = rowsOf(2_000)
    edit(target)
    const ledger = await compare(rowsOf(2_000), asLog(target))
    assert.deepEqual(firstOf(ledger), expected)
    assert.deepEqual(found(ledger), { [expected[0] as string]: 1 })
    assert.notEqual(ledger.digests().source, ledger.digests().target)
  })
}

test('long runs that are missing or doubled are passed within bounded windows', async () => {
  const source = rowsOf(60_000)
  const missing = asLog([...source.slice(0, 1_000), ...source.slice(41_000)])
  const lost = await compare(source, missing, {}, { mostWindow: 4_096, step: 500 })
  assert.deepEqual(found(lost), { missing: 40_000 })
  assert.deepEqual(firstOf(lost), ['missing', 1_000, undefined])
  const doubled = asLog([...source.slice(0, 30_000), ...source.slice(10_000)])
  const twice = await compare(source, doubled, {}, { step: 500 })
  assert.deepEqual(found(twice), { duplicated: 20_000 })
  const farther = asLog([...source.slice(0, 50_000), ...source.slice(1_000)])
  for (const mostWindow of [4_096, 262_144]) {
    const again = await compare(source, farther, {}, { mostWindow, step: 500 })
    assert.deepEqual(found(again), { duplicated: 49_000 })
    assert.deepEqual(firstOf(again), ['duplicated', undefined, 50_000])
  }
})

test('the windows hold no more than they may', async () => {
  const source = new ListSide(rowsOf(100_000), 500)
  const target = new ListSide(asLog(rowsOf(100_000).slice(70_000)), 500)
  const ledger = new Ledger(strict)
  await new Aligner(source, target, ledger, { hasTimes: true, mostWindow: 4_096 }).run()
  assert.deepEqual(found(ledger), { missing: 70_000 })
  assert.ok(Math.max(source.most, target.most) <= 8_192 + 500, `${source.most} ${target.most}`)
})

test('sides with nothing in common are told apart and not aligned', async () => {
  const ledger = await compare(
    rowsOf(20_000),
    asLog(rowsOf(20_000, 500_000)),
    {},
    { mostWindow: 4_096 }
  )
  assert.deepEqual(ledger.unaligned, { source: 20_000, target: 20_000 })
  assert.equal(ledger.matched, 0)
})

test('when every value was changed, each record is one that was changed', async () => {
  const target = rowsOf(3_000).map(({ offset, key }) => row(offset, key, 2))
  assert.deepEqual(found(await compare(rowsOf(3_000), target)), { 'value-changed': 3_000 })
})

test('records behind the commit need not be there, and those before it must be', async () => {
  const source = rowsOf(1_000)
  const behind = await compare(source, source.slice(0, 900), { committed: 900 }, { committed: 900 })
  assert.deepEqual([found(behind), behind.beyond], [{}, 100])
  const further = await compare(
    source,
    source.slice(0, 950),
    { committed: 900 },
    { committed: 900 }
  )
  assert.deepEqual([found(further), further.beyond], [{}, 50])
  const before = await compare(source, source.slice(0, 890), { committed: 900 }, { committed: 900 })
  assert.deepEqual([found(before), before.beyond], [{ missing: 10 }, 100])
  const hole = asLog([...source.slice(0, 920), ...source.slice(921, 950)])
  const between = await compare(source, hole, { committed: 900 }, { committed: 900 })
  assert.deepEqual([found(between), firstOf(between)[1]], [{ missing: 1 }, 920])
})

test('a side that begins later is no difference where its log may', async () => {
  const all = rowsOf(10_000)
  const later = all.slice(6_000)
  const target = await compare(all, later, { leads: { source: true, target: false } })
  assert.deepEqual(
    [found(target), target.lead, target.matched],
    [{}, { source: 6_000, target: 0 }, 4_000]
  )
  const source = await compare(later, all, { leads: { source: false, target: true } })
  assert.deepEqual([found(source), source.lead], [{}, { source: 0, target: 6_000 }])
  const neither = await compare(later, all)
  assert.deepEqual(found(neither), { extra: 6_000 })
})

test('compaction may take what a later record of the key replaces, and nothing else', async () => {
  const compacted = { compacted: { tombstonesBefore: 500 } }
  const versions = Array.from({ length: 3_000 }, (_, index) => row(index, index % 50, index))
  const survivors = versions.filter(({ offset }) => offset >= 2_950 || offset % 3 === 0)
  assert.deepEqual(found(await compare(versions, survivors, compacted)), {})
  assert.deepEqual(found(await compare(survivors, versions, compacted)), {})
  const lost = survivors.filter(({ offset }) => offset !== 2_981)
  const ledger = await compare(versions, lost, compacted)
  assert.deepEqual(
    [found(ledger), firstOf(ledger)],
    [{ missing: 1 }, ['missing', 2_981, undefined]]
  )
  const changed = survivors.map(each =>
    each.offset === 2_981 ? row(2_981, each.key, 7_777) : each
  )
  assert.deepEqual(found(await compare(versions, changed, compacted)), { 'value-changed': 1 })
})

test('an old tombstone may be gone, a fresh one not', async () => {
  const compacted = { compacted: { tombstonesBefore: 2_000 } }
  const tombstone = (key: number, time: number) => ({
    ...row(0, key, 0, time),
    flags: flags.nullValue
  })
  const source = asLog([
    ...rowsOf(100),
    tombstone(1, 1_001),
    tombstone(2, 9_000),
    ...rowsOf(100, 200)
  ])
  const target = source.filter(({ value }) => value !== 0)
  const ledger = await compare(source, target, compacted)
  assert.deepEqual([found(ledger), firstOf(ledger)[1]], [{ missing: 1 }, 101])
})

test('records of several sources are told apart, each in its order', async t => {
  const random = seededRandom(t)
  const sources = [rowsOf(3_000), rowsOf(2_000, 50_000), rowsOf(500, 90_000)]
  const merged = merge(sources, random)
  const ledgers = await compareGathered(sources, merged)
  assert.deepEqual(ledgers.map(found), [{}, {}, {}])
  const second = merged.findIndex(({ key }) => key === 51_000)
  const edited = asLog(merged.filter((_, index) => index !== second))
  const lacking = await compareGathered(sources, edited)
  assert.deepEqual(lacking.map(found), [{}, { missing: 1 }, {}])
  const third = merged.findIndex(({ key }) => key === 90_100)
  const doubled = asLog([
    ...merged.slice(0, third + 5),
    merged[third] as RecordRow,
    ...merged.slice(third + 5)
  ])
  assert.deepEqual((await compareGathered(sources, doubled)).map(found), [
    {},
    {},
    { duplicated: 1 }
  ])
  const changed = merged.map(each => (each.key === 51_000 ? { ...row(0, 51_000, 9) } : each))
  const other = await compareGathered(sources, asLog(changed))
  assert.deepEqual(other.map(found), [{}, { 'value-changed': 1 }, {}])
})

test('records that several sources have alike belong to either', async t => {
  const random = seededRandom(t)
  const shared = (index: number) => (index % 3 === 0 ? 7 : index)
  const source = (first: number) =>
    asLog(Array.from({ length: 1_000 }, (_, index) => row(0, shared(first + index), 1, 1_000)))
  const sources = [source(0), source(50_000)]
  const ledgers = await compareGathered(sources, merge(sources, random))
  assert.deepEqual(ledgers.map(found), [{}, {}])
})

test('random edits are found as a slow reference finds them', async () => {
  // The same edits each time: with a few in ten thousand the aligner matches one record less than the longest
  // common order has, which moves it from one class to another and hides nothing.
  const random = randomFrom(Number(process.env.SEED ?? 1))
  for (let round = 0; round < 120; round++) {
    const source = rowsOf(random.between(1, 400))
    const target = asLog(edit(source, random))
    const ledger = await compare(source, target, {}, { step: random.between(1, 50) })
    const { missing, duplicated, reordered, extra, ...changed } = ledger.judge.counts
    const changes = Object.values(changed).reduce((sum, count) => sum + count, 0)
    const context = JSON.stringify({ round, counts: ledger.judge.counts })
    assert.equal(ledger.matched, slowCommon(source, target), context)
    assert.equal(ledger.matched + missing + reordered + changes, source.length, context)
    assert.equal(ledger.matched + extra + duplicated + reordered + changes, target.length, context)
    // One that was changed and moved as well is missing here and extra there.
    const gone = missing + changes
    assert.deepEqual({ gone, reordered, duplicated }, slowCounts(source, target), context)
  }
})

test('windows with records that repeat are matched in order, as many as can be', t => {
  const random = seededRandom(t)
  for (let round = 0; round < 300; round++) {
    const list = () =>
      Float64Array.from({ length: random.between(0, 60) }, () => random.between(0, 12))
    const [source, target] = [list(), list()]
    const { source: ours, target: theirs } = matchWindows(source, target)
    for (const [index, place] of ours.entries()) {
      assert.equal(source[place], target[theirs[index] as number])
      assert.ok(index === 0 || place > (ours[index - 1] as number))
      assert.ok(index === 0 || (theirs[index] as number) > (theirs[index - 1] as number))
    }
    const best = slowCommon([...source].map(asRow), [...target].map(asRow))
    assert.equal(ours.length, best)
  }
})

test('a sample begins with the first offset, ends with the last, and holds as much as was asked', () => {
  const runs = chooseRuns(100, 1_000_100, { share: 0.05 })
  assert.equal(runs[0]?.from, 100)
  assert.equal(runs.at(-1)?.end, 1_000_100)
  const total = runs.reduce((sum, { from, end }) => sum + end - from, 0)
  assert.ok(total > 49_000 && total <= 50_000, String(total))
  assert.ok(runs.every(({ from }, index) => index === 0 || from >= (runs[index - 1]?.end ?? 0)))
  assert.deepEqual(chooseRuns(0, 10, { records: 50 }), [{ from: 0, end: 10 }])
  assert.deepEqual(chooseRuns(5, 5, { records: 50 }), [])
})

test('what --since and --sample do not understand is a mistake of the user', () => {
  assert.deepEqual(readSince('checkpoint'), { kind: 'checkpoint' })
  assert.deepEqual(readSince('1700000000000'), { kind: 'time', ms: 1_700_000_000_000 })
  assert.deepEqual(readSince('2026-01-31T12:00:00Z'), { kind: 'time', ms: 1_769_860_800_000 })
  for (const text of ['yesterday', '2026-13-01', '12:00', '-5']) {
    assert.throws(() => readSince(text), /--since: expected/)
  }
  assert.deepEqual(readSample('2.5%'), { share: 0.025 })
  assert.deepEqual(readSample('1000'), { records: 1_000 })
  for (const text of ['0%', '101%', '0', 'some', '-1']) {
    assert.throws(() => readSample(text), /--sample: expected/)
  }
})

async function compareGathered(
  sources: readonly RecordRow[][],
  merged: readonly RecordRow[]
): Promise<Ledger[]> {
  const sides = sources.map(rows => new ListSide(rows, 100))
  const shares = splitTarget(new ListSide(merged, 100), sides)
  const ledgers = sources.map(() => new Ledger(strict))
  await Promise.all(
    sides.map((side, index) =>
      new Aligner(side, shares[index] as AlignedSide, ledgers[index] as Ledger, {
        hasTimes: true
      }).run()
    )
  )
  return ledgers
}

/** All of them, each in its order. */
function merge(sources: readonly RecordRow[][], random: Random): RecordRow[] {
  const left = sources.map(rows => [...rows])
  const merged: RecordRow[] = []
  while (left.some(rows => rows.length > 0)) {
    const chosen = left[random.between(0, left.length)]
    merged.push(...(chosen?.splice(0, random.between(1, 20)) ?? []))
  }
  return asLog(merged)
}

/** Some records dropped and added, and others either doubled and moved or changed: both at once has several readings. */
function edit(rows: readonly RecordRow[], random: Random): RecordRow[] {
  const edited = [...rows]
  const isChanged = random.between(0, 1) === 1
  for (let count = random.between(0, 8); count > 0; count--) {
    const at = random.between(0, edited.length)
    const chosen = edited[at]
    if (!chosen) continue
    const kind = random.between(0, 3)
    if (kind === 0) edited.splice(at, random.between(1, 10))
    else if (kind === 1) edited.splice(at, 0, row(0, 900_000 + at, 5))
    else if (isChanged) edited[at] = row(0, chosen.key, 500 + count)
    else if (kind === 2) edited.splice(at, 0, ...edited.slice(at, at + random.between(1, 10)))
    else edited.splice(random.between(0, edited.length), 0, ...edited.splice(at, 1))
  }
  return edited
}

/** Length of the longest common sequence, by the whole table. */
function slowCommon(source: readonly RecordRow[], target: readonly RecordRow[]): number {
  let above = new Array<number>(target.length + 1).fill(0)
  for (const { identity } of source) {
    const line = [0]
    for (const [index, other] of target.entries()) {
      const same = identity === other.identity ? (above[index] as number) + 1 : 0
      line.push(Math.max(same, above[index + 1] as number, line[index] as number))
    }
    above = line
  }
  return above[target.length] as number
}

/** By how often each record is on either side; which of two that changed places was moved does not matter. */
function slowCounts(source: readonly RecordRow[], target: readonly RecordRow[]) {
  const times = new Map<number, number>()
  for (const { identity } of target) times.set(identity, (times.get(identity) ?? 0) + 1)
  const ours = new Set(source.map(({ identity }) => identity))
  const gone = source.filter(({ identity }) => !times.has(identity))
  const doubled = [...times].filter(([identity]) => ours.has(identity))
  return {
    gone: gone.length,
    reordered: source.length - gone.length - slowCommon(source, target),
    duplicated: doubled.reduce((sum, [, count]) => sum + count - 1, 0)
  }
}

function asRow(identity: number): RecordRow {
  return { ...row(0, 0, 0), identity }
}

test('every class has its count', () => {
  assert.deepEqual(
    Object.keys(new Ledger(strict).judge.counts).sort(),
    [...differenceClasses].sort()
  )
})
