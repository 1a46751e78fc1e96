// Owns the bench's command line.

import { parseArgs } from 'node:util'
import { type Contender, contenderNames } from './contender.ts'
import { commandContender } from './contenders/command.ts'
import { reasonOf, UsageError } from './failure.ts'
import { matrixCell, matrixUsage, walk } from './matrix.ts'
import { defaultCells, type Scenario, scenarios, sets } from './scenarios.ts'

export interface Options {
  cells: Scenario[]
  /** Undefined: those of each cell. */
  contenders: string[] | undefined
  /** Further contenders of this run, by name; they take part between real brokers. */
  commands: ReadonlyMap<string, Contender>
  /** Undefined: those of each cell. */
  repeats: number | undefined
  warmUp: boolean
  limitMs: number
  results: string | undefined
  /** A result that this run is compared with afterwards. */
  compare: string | undefined
}

/** Two results to read and compare; nothing runs. */
export interface ComparedFiles {
  old: string
  new: string
}

// A fifth of the data shows the same order of things, and nothing that may be quoted.
const quickScale = 0.2

export const usage = `npm run bench -- [options]
  --set default|full   the default set, which takes under ten minutes on two cores, or every cell
                       and a walk through the matrix
  --only stub|real     cells with these ends only
  --cell NAME          this cell only, of the list or of the matrix; may be repeated
  --contenders A,B     these only: ${contenderNames.join(', ')}
  --command 'NAME=SHELL COMMAND'
                       a further contender, between real brokers: one command that mirrors until SIGTERM, with
                       {source} {target} {topic} {group} {folder}, in TLS cells {sourceCa} {targetCa}; may be repeated
  --repeats N          runs of each contender in place of the cell's number
  --scale X            times the data of each cell
  --quick              one run each, a fifth of the data, no warm-up
  --limit-seconds N    longest time of one run (default 300)
  --results FOLDER     where the report goes (default bench/results)
  --compare OLD.json   afterwards, the ratios to an earlier result

npm run bench -- --compare OLD.json NEW.json
  the ratios of two results; nothing runs
npm run bench -- latency [options]
  how long records take through a mirror at a steady rate, beside a consumer of the source
npm run bench -- reseal [options]
  how fast worker threads rebuild batches, for each codec; needs no brokers
npm run bench -- verify [options]
  how fast \`heliostat verify\` reads whole topics, beside Kafka's own consumers

cells (* in the default set):
${listCells()}

cells of the matrix: real or stub, then a part of each factor that is not its * one, as real:zstd:100:4k:tls:20ms
  ${matrixUsage.replaceAll(' | ', '\n  ')}
`

function listCells(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length))
  const line = ({ name, says }: Scenario) =>
    `${defaultCells.includes(name) ? '*' : ' '} ${name.padEnd(width)}  ${says}`
  return scenarios.map(line).join('\n')
}

export function parseOptions(argv: readonly string[]): Options | ComparedFiles | 'help' {
  const { values: flags, positionals } = read(argv)
  if (flags.help) return 'help'
  if (positionals.length > 0) return comparedFiles(flags, positionals)
  const quick = flags.quick === true
  const scale = positive('scale', flags.scale) ?? (quick ? quickScale : 1)
  const commands = readCommands(flags.command ?? [])
  const contenders = flags.contenders
    ?.split(',')
    .flatMap(name => oneOf('contenders', [...contenderNames, ...commands.keys()], name) ?? [])
  return {
    cells: chooseCells(flags, { contenders, commands }).map(scenario => scaled(scenario, scale)),
    contenders,
    commands,
    repeats: positive('repeats', flags.repeats) ?? (quick ? 1 : undefined),
    warmUp: !quick,
    limitMs: (positive('limit-seconds', flags['limit-seconds']) ?? 300) * 1000,
    results: flags.results,
    compare: flags.compare
  }
}

/** Of a command line, those options that change how a cell is measured. Options of other commits are kept. */
export function measuringOptions(argv: readonly string[]): Readonly<Record<string, unknown>> {
  const { values } = parseArgs({
    args: [...argv],
    options: flagTable,
    strict: false,
    allowPositionals: true
  })
  const choosing = ['set', 'only', 'cell', 'contenders', 'command', 'results', 'compare']
  return Object.fromEntries(Object.entries(values).filter(([name]) => !choosing.includes(name)))
}

type Flags = ReturnType<typeof read>['values']

function comparedFiles(flags: Flags, [file = '', ...more]: readonly string[]): ComparedFiles {
  const { compare: old, ...others } = flags
  if (old === undefined) {
    throw new UsageError(`expected options only, got ${file}; --compare OLD.json NEW.json compares`)
  }
  if (more.length > 0) {
    throw new UsageError(`--compare: expected two results at most, got also ${more.join(' ')}`)
  }
  const [other] = Object.keys(others)
  if (other !== undefined) {
    throw new UsageError(`--${other} has no meaning beside two results: nothing is measured`)
  }
  return { old, new: file }
}

type Entrants = Pick<Options, 'contenders' | 'commands'>

/** Who takes part in a cell, by name. */
export function contendersOf(cell: Scenario, { contenders, commands }: Entrants): string[] {
  // The stub knows only the requests of the contenders here.
  const others = cell.ends === 'real' ? commands.keys() : []
  return [...cell.contenders, ...others].filter(name => contenders?.includes(name) ?? true)
}

function readCommands(texts: readonly string[]): Map<string, Contender> {
  const commands = new Map<string, Contender>()
  for (const { name, contender } of texts.map(commandContender)) {
    if (commands.has(name)) throw new UsageError(`--command: there are two of the name ${name}`)
    commands.set(name, contender)
  }
  return commands
}

function chooseCells(flags: Flags, entrants: Entrants): Scenario[] {
  const asked = flags.cell?.map(namedCell)
  if (asked !== undefined && flags.set !== undefined) {
    throw new UsageError('--cell and --set exclude each other: a cell is named whatever its set')
  }
  const set = oneOf('set', sets, flags.set) ?? 'default'
  const wanted = asked ?? (set === 'full' ? [...scenarios, ...walk] : defaultCells.map(namedCell))
  const only = oneOf('only', ['stub', 'real'] as const, flags.only)
  const cells = inOrder(wanted)
    .filter(({ ends }) => only === undefined || ends === only)
    .filter(cell => contendersOf(cell, entrants).length > 0)
  if (cells.length === 0) {
    const names = wanted.map(({ name }) => name).join(', ')
    throw new UsageError(`none of the cells ${names} has the ends and contenders asked for`)
  }
  const taking = new Set(cells.flatMap(cell => contendersOf(cell, entrants)))
  const idle = [...entrants.commands.keys()].find(name => !taking.has(name))
  if (idle !== undefined) {
    throw new UsageError(
      `--command: ${idle} takes part in none of the cells asked for; it needs one with real brokers, and --contenders has to name it`
    )
  }
  return cells
}

function namedCell(text: string): Scenario {
  return scenarios.find(({ name }) => name === text) ?? matrixCell(text)
}

/** Each once: those of the table as they stand there, then others. */
function inOrder(wanted: readonly Scenario[]): Scenario[] {
  const names = wanted.map(({ name }) => name)
  const others = wanted.filter(
    ({ name }, at) => names.indexOf(name) === at && scenarios.every(each => each.name !== name)
  )
  return [...scenarios.filter(({ name }) => names.includes(name)), ...others]
}

const flagTable = {
  set: { type: 'string' },
  only: { type: 'string' },
  cell: { type: 'string', multiple: true },
  contenders: { type: 'string' },
  command: { type: 'string', multiple: true },
  repeats: { type: 'string' },
  scale: { type: 'string' },
  quick: { type: 'boolean' },
  'limit-seconds': { type: 'string' },
  results: { type: 'string' },
  compare: { type: 'string' },
  help: { type: 'boolean' }
} as const

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flagTable, allowPositionals: true })
  } catch (cause) {
    throw new UsageError(reasonOf(cause), { cause })
  }
}

function scaled(scenario: Scenario, scale: number): Scenario {
  return scenario.ends === 'stub'
    ? { ...scenario, totalWireBytes: scenario.totalWireBytes * scale }
    : { ...scenario, totalRecordBytes: scenario.totalRecordBytes * scale }
}

function oneOf<T extends string>(
  flag: string,
  allowed: readonly T[],
  text: string | undefined
): T | undefined {
  if (text === undefined) return undefined
  const found = allowed.find(value => value === text)
  if (found === undefined) {
    throw new UsageError(`--${flag}: expected one of ${allowed.join(', ')}, got ${text}`)
  }
  return found
}

function positive(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0)) throw new UsageError(`--${flag}: expected a number above 0, got ${text}`)
  return value
}
