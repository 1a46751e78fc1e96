// The soak's entry: random faults for a time, then the ledger; exit code 1 on any difference.

import { findFaulty, showLedger } from './ledger.ts'
import { parseOptions, type SoakOptions, UsageError, usage } from './options.ts'
import { soak } from './soak.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  let options: SoakOptions | 'help'
  try {
    options = parseOptions(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    return 2
  }
  if (options === 'help') {
    console.log(usage)
    return 0
  }
  let isEndAsked = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      isEndAsked = true
      console.log(`${signal}: no further faults; a second one ends at once`)
    })
  }
  const { seed, minutes, kills } = options
  console.log(`soak --seed ${seed} --minutes ${minutes} --kills ${kills}`)
  const ledger = await soak(options, { say: console.log, isEndAsked: () => isEndAsked })
  console.log(`\n${showLedger(ledger)}`)
  return findFaulty(ledger).length === 0 ? 0 : 1
}
