// Owns the pair of brokers that real cells share, as long as mirrors reach it in the same way.

import { type Brokers, startBrokers } from './real-ends.ts'
import type { RealScenario } from './scenarios.ts'

type Pair = Awaited<ReturnType<typeof startBrokers>>

export class SharedBrokers {
  #way: string | undefined
  #pair: Pair | undefined

  /** The pair of the last cell or, where the way to it is another, a fresh one in its place. */
  async of({ tls, roundTripMs, far }: RealScenario): Promise<Brokers> {
    const way = { tls, roundTripMs, far }
    const text = JSON.stringify(way)
    if (this.#pair !== undefined && this.#way === text) return this.#pair
    await this.close()
    this.#pair = await startBrokers(way)
    this.#way = text
    return this.#pair
  }

  async close(): Promise<void> {
    const pair = this.#pair
    this.#pair = undefined
    await pair?.close()
  }
}
