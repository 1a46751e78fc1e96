// The benchmark's command line, and the tables that it chooses from.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../bench/failure.ts'
import { walk } from '../../bench/matrix.ts'
import { contendersOf, measuringOptions, type Options, parseOptions } from '../../bench/options.ts'
import { defaultCells, placeIn, scenarios, series } from '../../bench/scenarios.ts'

function parse(line: string): Options {
  const options = parseOptions(line === '' ? [] : line.split(' '))
  assert.ok(options !== 'help' && 'cells' in options)
  return options
}

function namesOf(line: string): string[] {
  return parse(line).cells.map(({ name }) => name)
}

const allNames = scenarios.map(({ name }) => name)

test('without options the default set runs, the full set is every cell and the walk', () => {
  assert.deepEqual(namesOf(''), [...defaultCells])
  assert.deepEqual(namesOf('--set default'), [...defaultCells])
  const walked = walk.map(({ name }) => name)
  assert.deepEqual(namesOf('--set full'), [...allNames, ...walked])
})

test('a cell is chosen by its name whatever its set', () => {
  assert.deepEqual(namesOf('--cell stub-backlog --cell real-16k'), ['real-16k', 'stub-backlog'])
})

test('a cell of the matrix stands behind those of the table, each once', () => {
  const line = '--cell real:gzip --cell stub-4k --cell real-gzip --cell stub:4k'
  assert.deepEqual(namesOf(line), ['stub-4k', 'real-gzip'])
})

const copy = ['--command', 'copy=mirror {source} {target} {topic}']

test('a command takes part between real brokers, like any other contender', () => {
  const options = parseOptions(copy)
  assert.ok(options !== 'help' && 'cells' in options)
  for (const cell of options.cells) {
    const names: string[] = [...cell.contenders, ...(cell.ends === 'real' ? ['copy'] : [])]
    assert.deepEqual(contendersOf(cell, options), names)
  }
  const alone = parseOptions([...copy, '--contenders', 'copy'])
  assert.ok(alone !== 'help' && 'cells' in alone)
  assert.deepEqual(
    alone.cells.map(cell => [cell.name, contendersOf(cell, alone)]),
    [['real-256k', ['copy']]]
  )
})

test('refused: a command that would never run, and two of one name', () => {
  const refusal = (argv: readonly string[], message: RegExp) =>
    assert.throws(
      () => parseOptions(argv),
      error => error instanceof UsageError && message.test(error.message)
    )
  refusal([...copy, '--only', 'stub'], /^--command: copy takes part in none of the cells/)
  refusal([...copy, '--contenders', 'heliostat'], /^--command: copy takes part in none/)
  refusal([...copy, ...copy], /^--command: there are two of the name copy$/)
  refusal(['--contenders', 'copy'], /^--contenders: expected one of heliostat, .*, got copy$/)
})

test('ends and contenders narrow the set', () => {
  assert.deepEqual(namesOf('--only real'), ['real-256k'])
  assert.deepEqual(namesOf('--contenders raw-relay'), ['stub-256k', 'stub-16k', 'stub-4k'])
})

test('a quick run moves a fifth of the data once, without a warm-up', () => {
  const { cells, repeats, warmUp } = parse('--quick --cell stub-backlog')
  assert.deepEqual([repeats, warmUp], [1, false])
  const [cell] = cells
  assert.ok(cell?.ends === 'stub')
  assert.equal(cell.totalWireBytes, 7.2e9)
})

test('one file to compare with runs the bench first, two files are compared alone', () => {
  assert.equal(parse('--compare old.json --quick').compare, 'old.json')
  assert.deepEqual(parseOptions(['--compare', 'old.json', 'new.json']), {
    old: 'old.json',
    new: 'new.json'
  })
})

const refused: [line: string, message: RegExp][] = [
  ['--set half', /^--set: expected one of default, full, got half$/],
  ['--set full --cell stub-4k', /^--cell and --set exclude each other/],
  ['--cell stub-5k', /^--cell stub-5k: expected parts of .*, got 5k$/],
  ['--cell stub-4k --only real', /^none of the cells stub-4k has the ends and contenders/],
  ['--contenders mirror-maker-1 --only stub', /^none of the cells .* has the ends and contenders/],
  ['old.json new.json', /^expected options only, got old\.json/],
  ['--compare old.json new.json third.json', /two results at most, got also third\.json$/],
  ['--compare old.json new.json --quick', /^--quick has no meaning beside two results/],
  ['--compare', /--compare/],
  ['--repeats 0', /^--repeats: expected a number above 0, got 0$/],
  ['--nonsense', /--nonsense/]
]

for (const [line, message] of refused) {
  test(`refused: ${line}`, () => {
    assert.throws(
      () => parseOptions(line.split(' ')),
      error => error instanceof UsageError && message.test(error.message)
    )
  })
}

test('only options that change how a cell is measured count as settings', () => {
  const line =
    '--set full --cell a --contenders b --command c=d --results c --compare d --quick --repeats 5'
  assert.deepEqual({ ...measuringOptions(line.split(' ')) }, { quick: true, repeats: '5' })
  assert.deepEqual({ ...measuringOptions(['--of-another-commit']) }, { 'of-another-commit': true })
})

test('the sets and the series name cells that there are, each with an x of its own', () => {
  const named = [...defaultCells, ...series.flatMap(({ cells }) => cells)]
  assert.deepEqual(
    named.filter(name => !allNames.includes(name)),
    []
  )
  assert.equal(new Set(allNames).size, allNames.length)
  for (const { x, cells } of series) {
    const members = scenarios.filter(({ name }) => cells.includes(name))
    assert.equal(new Set(members.map(member => placeIn(member, x))).size, cells.length)
    assert.equal(new Set(members.map(({ ends }) => ends)).size, 1)
  }
})
