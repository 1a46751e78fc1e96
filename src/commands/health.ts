// `heliostat health`: asks the mirror on this host how it is, for images without curl.
// It is run every few seconds: nothing here loads the native addon.

import { healthOptions } from '../config/options.ts'
import { readOptions } from '../config/read-options.ts'
import { UsageError } from '../errors.ts'
import { askHealth } from '../status/ask-health.ts'
import { describeHealth, splitAddress } from '../status/health.ts'

const limitMs = 2_000

export async function health(flags: Readonly<Record<string, unknown>>): Promise<number> {
  const { http, ready, verbose } = readOptions(healthOptions, flags, process.env)
  if (http === 'off') {
    throw new UsageError(
      'the mirror serves no HTTP (--http off), so its health cannot be asked for: give it an address'
    )
  }
  const address = splitAddress(http)
  const path = `/${ready ? 'readyz' : 'livez'}${verbose ? '?verbose' : ''}`
  const answer = await askHealth({ ...address, path, limitMs })
  const { isGood, lines } = describeHealth(answer, {
    address: http,
    isReady: ready,
    isVerbose: verbose
  })
  process.stdout.write(`${lines.join('\n')}\n`)
  return isGood ? 0 : 1
}
