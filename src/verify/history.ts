// The records that were the same on both sides last: a record that comes again is a double of one of them.

/** Records; a batch that was sent twice is far smaller. */
export const mostRemembered = 32_768

export class History {
  readonly #parts: Float64Array[] = []
  #length = 0
  /** How often each is in the parts; only kept once somebody has asked. */
  #counts: Map<number, number> | undefined

  push(identities: Float64Array): void {
    if (identities.length === 0) return
    this.#parts.push(identities)
    this.#length += identities.length
    if (this.#counts) for (const identity of identities) add(this.#counts, identity)
    this.#forget()
  }

  /** Records that came before those that are known. */
  recall(earlier: readonly Float64Array[]): void {
    this.#parts.unshift(...earlier)
    for (const identities of earlier) {
      this.#length += identities.length
      if (this.#counts) for (const identity of identities) add(this.#counts, identity)
    }
    this.#forget()
  }

  has(identity: number): boolean {
    if (!this.#counts) {
      this.#counts = new Map()
      for (const part of this.#parts) for (const each of part) add(this.#counts, each)
    }
    return this.#counts.has(identity)
  }

  #forget(): void {
    for (let [oldest] = this.#parts; oldest; [oldest] = this.#parts) {
      if (this.#length - oldest.length < mostRemembered) return
      this.#parts.shift()
      this.#length -= oldest.length
      if (this.#counts) for (const identity of oldest) remove(this.#counts, identity)
    }
  }
}

function add(counts: Map<number, number>, identity: number): void {
  counts.set(identity, (counts.get(identity) ?? 0) + 1)
}

function remove(counts: Map<number, number>, identity: number): void {
  const left = (counts.get(identity) ?? 0) - 1
  if (left > 0) counts.set(identity, left)
  else counts.delete(identity)
}
