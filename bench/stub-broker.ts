// Owns the process of one stub broker: its start, its totals and its end.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { nativePart } from './native-parts.ts'

export interface StubTotals {
  requests: number
  batches: number
  records: number
  bytes: number
  outOfOrder: number
  badCrc: number
  /** On the monotonic clock, as `process.hrtime`; 0 when nothing came. */
  firstNs: number
  lastNs: number
  userSeconds: number
  systemSeconds: number
}

export class StubBroker {
  readonly port: number
  readonly rawPort: number
  readonly #child: ChildProcess
  readonly #lines: Interface

  static async start(options: Readonly<Record<string, string | number>>): Promise<StubBroker> {
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])
    const child = spawn(await nativePart('stub_broker'), args, {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    // A stub that ends early shows as a closed stdout; its stdin may fail before.
    child.stdin.on('error', () => {})
    const lines = createInterface({ input: child.stdout })
    const ports = await nextLine<{ port: number; rawPort: number }>(lines)
    return new StubBroker(child, lines, ports)
  }

  private constructor(
    child: ChildProcess,
    lines: Interface,
    ports: { port: number; rawPort: number }
  ) {
    this.#child = child
    this.#lines = lines
    this.port = ports.port
    this.rawPort = ports.rawPort
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** One call at a time. */
  totals(): Promise<StubTotals> {
    const line = nextLine<StubTotals>(this.#lines)
    this.#child.stdin?.write('stats\n')
    return line
  }

  /** Ends the process and gives its last totals. */
  async close(): Promise<StubTotals> {
    const ended = once(this.#child, 'exit')
    const line = nextLine<StubTotals>(this.#lines)
    this.#child.stdin?.end()
    const totals = await line
    await ended
    return totals
  }
}

function nextLine<T>(lines: Interface): Promise<T> {
  return new Promise((resolve, reject) => {
    const onLine = (line: string) => {
      lines.off('close', onClose)
      resolve(JSON.parse(line) as T)
    }
    const onClose = () => {
      lines.off('line', onLine)
      reject(new Error('the stub broker has ended'))
    }
    lines.once('line', onLine)
    lines.once('close', onClose)
  })
}
