// Owns waiting for a condition with a limit, in place of sleeping.

import { setTimeout as delay } from 'node:timers/promises'

export type WaitOptions = {
  limitMs?: number
  everyMs?: number
  /** Added to the error: what was there in place of what was waited for. */
  describe?: () => string | Promise<string>
}

/** Asks again and again; gives the first answer that is not undefined or false. */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  { limitMs = 60_000, everyMs = 50, describe = () => '' }: WaitOptions = {}
): Promise<T> {
  const deadline = Date.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > deadline) {
      throw new Error(`waited ${limitMs} ms for ${what}\n${await describe()}`)
    }
    await delay(everyMs)
  }
}
