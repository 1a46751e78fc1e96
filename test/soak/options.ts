// Owns the soak's command line.

import { parseArgs } from 'node:util'

export type SoakOptions = {
  minutes: number
  seed: number
  /** The run does not end before so many kills of mirrors. */
  kills: number
}

export class UsageError extends Error {}

export const usage = `npm run soak -- [options]
  --minutes N   how long faults are made (default 5)
  --kills N     goes on until so many mirrors were killed, if that takes longer (default 0)
  --seed N      the same faults again, as far as time allows (default: another one each time)
`

export function parseOptions(argv: readonly string[]): SoakOptions | 'help' {
  const flags = read(argv)
  if (flags.help) return 'help'
  return {
    minutes: numberOf('minutes', flags.minutes, 0.1) ?? 5,
    kills: numberOf('kills', flags.kills, 0) ?? 0,
    seed: numberOf('seed', flags.seed, 0) ?? Date.now() % 1_000_000
  }
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        minutes: { type: 'string' },
        kills: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean' }
      }
    }).values
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause })
  }
}

function numberOf(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number) && number >= least) return number
  throw new UsageError(`--${name} takes a number from ${least} on, not "${text}"`)
}
