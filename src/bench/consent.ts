// Asks whoever sits at the terminal whether it may be done.

import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'

/** True for y and yes alone. The end of the input, or `stop`, is a no. */
export async function isAllowed(
  input: Readable,
  output: Writable,
  stop: AbortSignal
): Promise<boolean> {
  // The terminal itself turns Ctrl-C into a signal, which the command handles.
  const lines = createInterface({ input, output, terminal: false })
  const ended = new AbortController()
  lines.once('close', () => ended.abort())
  try {
    const signal = AbortSignal.any([stop, ended.signal])
    const answer = await lines.question('Go on? [y/N] ', { signal })
    return /^y(es)?$/i.test(answer.trim())
  } catch (error) {
    if (stop.aborted || ended.signal.aborted) return false
    throw error
  } finally {
    lines.close()
  }
}
