// Owns the bench's command line.

import { parseArgs } from 'node:util'
import { type ContenderName, contenderNames } from './contender.ts'
import { type Scenario, scenarios } from './scenarios.ts'

export interface Options {
  cells: Scenario[]
  /** Undefined: those of each cell. */
  contenders: ContenderName[] | undefined
  /** Undefined: those of each cell. */
  repeats: number | undefined
  warmUp: boolean
  limitMs: number
  results: string | undefined
}

export class UsageError extends Error {}

// A fifth of the data shows the same order of things, and nothing that may be quoted.
const quickScale = 0.2

export const usage = `npm run bench -- [options]
  --only stub|real     cells with these ends only
  --cell NAME          this cell only; may be repeated: ${scenarios.map(({ name }) => name).join(', ')}
  --contenders A,B     these only: ${contenderNames.join(', ')}
  --repeats N          runs of each contender in place of the cell's number
  --scale X            times the data of each cell
  --quick              one run each, a fifth of the data, no warm-up
  --limit-seconds N    longest time of one run (default 300)
  --results FOLDER     where the report goes (default bench/results)

npm run bench -- reseal [options]
  how fast one worker thread rebuilds batches, for each codec; needs no brokers
npm run bench -- verify [options]
  how fast \`heliostat verify\` reads whole topics, beside Kafka's own consumers
`

export function parseOptions(argv: readonly string[]): Options | 'help' {
  const flags = read(argv)
  if (flags.help) return 'help'
  const quick = flags.quick === true
  const scale = positive('scale', flags.scale) ?? (quick ? quickScale : 1)
  const only = oneOf('only', ['stub', 'real'] as const, flags.only)
  const names = scenarios.map(({ name }) => name)
  const cells = (flags.cell ?? []).map(name => oneOf('cell', names, name))
  return {
    cells: scenarios
      .filter(({ ends }) => only === undefined || ends === only)
      .filter(({ name }) => cells.length === 0 || cells.includes(name))
      .map(scenario => scaled(scenario, scale)),
    contenders: flags.contenders
      ?.split(',')
      .flatMap(name => oneOf('contenders', contenderNames, name) ?? []),
    repeats: positive('repeats', flags.repeats) ?? (quick ? 1 : undefined),
    warmUp: !quick,
    limitMs: (positive('limit-seconds', flags['limit-seconds']) ?? 300) * 1000,
    results: flags.results
  }
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        only: { type: 'string' },
        cell: { type: 'string', multiple: true },
        contenders: { type: 'string' },
        repeats: { type: 'string' },
        scale: { type: 'string' },
        quick: { type: 'boolean' },
        'limit-seconds': { type: 'string' },
        results: { type: 'string' },
        help: { type: 'boolean' }
      }
    }).values
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause })
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
