// Remembers records that have no like on the other side yet: one that turns up later was moved, not lost.

import type { Difference } from './differences.ts'

/** Of each side. Beyond it a record that was moved counts as missing here and as extra there. */
const mostRemembered = 65_536

export class Strays {
  readonly #byIdentity = new Map<number, Difference[]>()
  #count = 0

  get isEmpty(): boolean {
    return this.#count === 0
  }

  remember(identity: number, difference: Difference): void {
    if (this.#count >= mostRemembered) return
    const found = this.#byIdentity.get(identity)
    if (found) found.push(difference)
    else this.#byIdentity.set(identity, [difference])
    this.#count++
  }

  /** The first of them, which is then found. */
  take(identity: number): Difference | undefined {
    const found = this.#byIdentity.get(identity)
    const difference = found?.shift()
    if (!found || !difference) return undefined
    if (found.length === 0) this.#byIdentity.delete(identity)
    this.#count--
    return difference
  }
}
