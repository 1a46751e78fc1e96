// Two results of the benchmark beside each other, and the files that they are read from.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { compareResults } from '../../bench/comparison.ts'
import { markdownComparison, terminalComparison } from '../../bench/comparison-report.ts'
import { UsageError } from '../../bench/failure.ts'
import { readResult, writeResult } from '../../bench/result-files.ts'
import { projectRoot } from '../support/kafka-jars.ts'
import { cellOf, resultOf, runsOf } from './bench-results.ts'

/** The comparison of one cell with one contender. */
function changesOf(old: readonly number[], now: readonly number[]) {
  const results = [old, now].map(rates =>
    resultOf([cellOf('stub-4k', ...runsOf('heliostat', rates))])
  )
  const [before, after] = results
  assert.ok(before && after)
  const [compared] = compareResults(before, after).contenders
  assert.ok(compared)
  return compared.changes
}

test('ratios are new to old, median to median', () => {
  const old = resultOf([
    cellOf('stub-4k', ...runsOf('heliostat', [100, 200, 900], { cpu: 0.4, rss: 80 }))
  ])
  const now = resultOf([
    cellOf('stub-4k', ...runsOf('heliostat', [10, 300, 400], { cpu: 0.2, rss: 100 }))
  ])
  const { cell, contender, changes } = compareResults(old, now).contenders[0] ?? {}
  assert.deepEqual([cell, contender], ['stub-4k', 'heliostat'])
  assert.equal(changes?.rate.ratio, 1.5)
  assert.equal(changes?.cpu.ratio, 0.5)
  assert.equal(changes?.memory.ratio, 1.25)
})

test('between real brokers records count, between stub ends the bytes on the wire', () => {
  const result = resultOf([
    cellOf('real-256k', ...runsOf('heliostat', [100])),
    cellOf('stub-256k', ...runsOf('heliostat', [100]))
  ])
  const [real, stub] = compareResults(result, result).contenders
  assert.equal(real?.changes.rate.new.median, 200)
  assert.equal(stub?.changes.rate.new.median, 100)
})

test('a ratio is marked when each median lies outside of the spread of the other', () => {
  assert.equal(changesOf([100, 110, 120], [130, 140, 150]).rate.isOutside, true)
  assert.equal(changesOf([130, 140, 150], [100, 110, 120]).rate.isOutside, true)
  // The spreads overlap, the medians are outside all the same.
  assert.equal(changesOf([100, 110, 135], [130, 140, 150]).rate.isOutside, true)
  assert.equal(changesOf([100, 110, 145], [130, 140, 150]).rate.isOutside, false)
  assert.equal(changesOf([100, 110, 120], [105, 140, 150]).rate.isOutside, false)
})

test('a single run has no spread and marks nothing', () => {
  assert.equal(changesOf([100], [200]).rate.isOutside, false)
  assert.equal(changesOf([100, 101], [200]).rate.isOutside, false)
})

test('cells and contenders that only one has measured are named; a failed run measured nothing', () => {
  const failed = { contender: 'raw-relay', repeat: 1, failure: 'failed: no port' }
  const old = resultOf([
    cellOf('stub-4k', ...runsOf('heliostat', [1]), ...runsOf('raw-relay', [1])),
    cellOf('stub-16k', ...runsOf('heliostat', [1]))
  ])
  const now = resultOf([
    cellOf('stub-4k', ...runsOf('heliostat', [1]), failed, ...runsOf('splice-relay', [1])),
    cellOf('stub-backlog', ...runsOf('heliostat', [1]))
  ])
  const { onlyOld, onlyNew, contenders } = compareResults(old, now)
  assert.deepEqual(onlyOld, ['stub-4k raw-relay', 'stub-16k'])
  assert.deepEqual(onlyNew, ['stub-4k splice-relay', 'stub-backlog'])
  assert.deepEqual(
    contenders.map(({ cell, contender }) => `${cell} ${contender}`),
    ['stub-4k heliostat']
  )
})

test('what was not the same is told: machine, kernel, versions, settings, data; the commit is not', () => {
  const old = resultOf([cellOf('stub-4k', ...runsOf('heliostat', [1]))])
  const cell = cellOf('stub-4k', ...runsOf('heliostat', [1]))
  const now = resultOf(
    [{ ...cell, scenario: { ...cell.scenario, partitions: 32, says: 'other words' } }],
    {
      machine: { ...old.machine, cores: 4, kernel: 'Linux 6.2' },
      versions: { ...old.versions, commit: 'fedcba9876', node: '22.0.0' },
      settings: { argv: ['--scale', '2', '--cell', 'stub-4k'] },
      contenders: { heliostat: 'with two streams', 'splice-relay': 'new' }
    }
  )
  assert.deepEqual(compareResults(old, now).differences, [
    'cores: 2 → 4',
    'kernel: Linux 6.1 → Linux 6.2',
    'node: 20.19.0 → 22.0.0',
    'option scale: none → 2',
    'heliostat: as it is → with two streams',
    'stub-4k partitions: 16 → 32'
  ])
})

test('terminal and Markdown show the same: commits, notes, ratios with their marks', () => {
  const old = resultOf([
    cellOf('stub-4k', ...runsOf('heliostat', [1_000, 1_100])),
    cellOf('stub-16k', ...runsOf('heliostat', [1]))
  ])
  const now = resultOf([cellOf('stub-4k', ...runsOf('heliostat', [2_000, 2_200]))], {
    machine: { ...old.machine, kernel: 'Linux 6.2' }
  })
  const comparison = compareResults(old, now)
  for (const text of [terminalComparison(comparison), markdownComparison(comparison)]) {
    assert.match(text, /2\.00 \* \(1,050 → 2,100\)/)
    assert.match(text, /1\.00 \(0\.500 → 0\.500\)/)
    assert.match(text, /may not be comparable.*\n[ -]+kernel: Linux 6\.1 → Linux 6\.2/)
    assert.match(text, /Only in the old result:\n[ -]+stub-16k/)
    assert.ok(!text.includes('Only in the new result'))
  }
  assert.match(markdownComparison(comparison), /^\| stub-4k \| heliostat \|/m)
})

test('results without anything in common say so instead of an empty table', () => {
  const old = resultOf([cellOf('stub-4k', ...runsOf('heliostat', [1]))])
  const now = resultOf([cellOf('stub-16k', ...runsOf('heliostat', [1]))])
  const text = terminalComparison(compareResults(old, now))
  assert.match(text, /No cell and contender was measured in both\.$/)
})

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('every result that is kept can be read, and equals itself', async () => {
  const folder = join(projectRoot(), 'bench', 'results')
  // Those of latency are of another kind, and are not compared.
  const files = (await readdir(folder)).filter(name => /^\d.*\.json$/.test(name))
  assert.ok(files.length > 0)
  for (const file of files) {
    const result = await readResult(join(folder, file))
    const { differences, onlyOld, onlyNew, contenders } = compareResults(result, result)
    assert.deepEqual([differences, onlyOld, onlyNew], [[], [], []])
    assert.ok(contenders.length > 0)
    assert.ok(contenders.every(({ changes }) => changes.rate.ratio === 1))
  }
})

test('a result is written with its charts and the comparison, and read again', async t => {
  const folder = await folderFor(t)
  const [lost] = runsOf('raw-relay', [900])
  assert.ok(lost)
  const runs = [...runsOf('heliostat', [1_000]), { ...lost, movingCpuSeconds: Number.NaN }]
  const result = resultOf([cellOf('stub-4k', ...runs)])
  const path = await writeResult(result, folder, compareResults(result, result))
  assert.deepEqual(await readResult(path.replace(/md$/, 'json')), result)
  const markdown = await readFile(path, 'utf8')
  assert.match(markdown, /^## Compared: /m)
  const images = [...markdown.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(match => match[1] ?? '')
  assert.equal(images.length, 2)
  for (const image of images) assert.match(await readFile(join(folder, image), 'utf8'), /^<svg /)
})

test('a file that is not there, no JSON or of another form is refused with its name and why', async t => {
  const folder = await folderFor(t)
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const good = resultOf([cellOf('stub-4k', ...runsOf('heliostat', [1]))])
  const broken = structuredClone(good) as { cells: { runs: object[] }[] }
  broken.cells[0]?.runs.splice(0, 1, { contender: 'heliostat', repeat: 1, movingSeconds: '1' })
  const cases: [path: string, why: RegExp][] = [
    [join(folder, 'none.json'), /cannot be read: ENOENT/],
    [folder, /cannot be read: EISDIR/],
    [await write('text.json', 'MB/s: many'), /no JSON: /],
    [await write('list.json', '[]'), /no result of this benchmark: expected an object$/],
    [await write('empty.json', '{}'), /startedAt is no text$/],
    [await write('cells.json', JSON.stringify({ ...good, cells: [{}] })), /cells\[0\]\.scenario/],
    [
      await write('run.json', JSON.stringify(broken)),
      /cells\[0\]\.runs\[0\]\.wireBytes is no number$/
    ]
  ]
  for (const [path, why] of cases) {
    await assert.rejects(readResult(path), error => {
      assert.ok(error instanceof UsageError)
      assert.ok(error.message.startsWith(`--compare: ${path}: `), error.message)
      assert.match(error.message, why)
      return true
    })
  }
})

test('a result that cannot be read ends the bench before anything runs', async () => {
  const main = join(projectRoot(), 'dist', 'bench', 'main.js')
  const { code, stdout, stderr } = await new Promise<Record<string, unknown>>(resolve =>
    execFile(process.execPath, [main, '--compare', 'none.json'], (error, stdout, stderr) =>
      resolve({ code: error?.code, stdout, stderr })
    )
  )
  assert.equal(code, 2)
  assert.equal(stdout, '')
  assert.match(String(stderr), /^--compare: none\.json: cannot be read: ENOENT.*\n\nnpm run bench/)
})
