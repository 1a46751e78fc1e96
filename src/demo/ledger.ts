// What was written to, or read from, each partition: how many records, and a hash over all in order.

import { createHash, type Hash } from 'node:crypto'

interface Page {
  records: number
  bytes: number
  hash: Hash
}

export class Ledger {
  readonly #pages: Page[]

  constructor(partitions: number) {
    this.#pages = Array.from({ length: partitions }, () => ({
      records: 0,
      bytes: 0,
      hash: createHash('sha256')
    }))
  }

  get records(): number {
    return this.#pages.reduce((sum, page) => sum + page.records, 0)
  }

  /** Bytes of keys and values. */
  get bytes(): number {
    return this.#pages.reduce((sum, page) => sum + page.bytes, 0)
  }

  enter(partition: number, key: Buffer | null, value: Buffer | null, timestamp: number): void {
    const page = this.#pages[partition]
    if (!page) throw new RangeError(`there is no partition ${partition}`)
    page.records++
    page.bytes += (key?.length ?? 0) + (value?.length ?? 0)
    // Lengths keep a byte from moving between key and value unseen.
    page.hash.update(`${timestamp} ${key?.length ?? -1} ${value?.length ?? -1}\n`)
    if (key) page.hash.update(key)
    if (value) page.hash.update(value)
  }

  /** One sentence for each partition that differs; none when both ledgers are equal. */
  differences(read: Ledger): string[] {
    return this.#pages.flatMap((page, partition) => {
      const other = read.#pages[partition]
      if (other?.records !== page.records) {
        return `partition ${partition}: ${page.records} records written, ${other?.records ?? 0} read`
      }
      if (digest(page) === digest(other)) return []
      return `partition ${partition}: contents or order differ`
    })
  }
}

/** A copy is closed, so that the page can go on. */
function digest(page: Page): string {
  return page.hash.copy().digest('hex')
}
