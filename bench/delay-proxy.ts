// Owns the process of one delaying proxy, which makes a broker on this machine a far one.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { nativePart } from './native-parts.ts'

export class DelayProxy {
  /** What the broker is to give its clients as its own. */
  readonly port: number
  readonly #child: ChildProcess

  /** Half the round trip is spent each way. */
  static async start(roundTripMs: number): Promise<DelayProxy> {
    const child = spawn(await nativePart('delay_proxy'), [`${(roundTripMs / 2) * 1_000}`], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    // A proxy that ended early shows when it is closed; its stdin may fail before.
    child.stdin.on('error', () => {})
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the delaying proxy has ended with ${code}`)
    })
    const line = once(createInterface({ input: child.stdout }), 'line')
    const [port] = (await Promise.race([line, ended])) as [string]
    ended.catch(() => {}) // `close` waits for the end itself
    return new DelayProxy(child, Number(port))
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Once, before anybody connects. */
  forwardTo(port: number): void {
    this.#child.stdin?.write(`${port}\n`)
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await ended
  }
}
