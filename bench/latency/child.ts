// Owns a process of the latency benchmark beside the mirror: it takes a task, and its messages come in a known order.

import { type ChildProcess, fork } from 'node:child_process'
import { on, once } from 'node:events'

export class Child<Message extends { kind: string }> {
  readonly #process: ChildProcess
  readonly #messages: AsyncIterator<[Message]>
  readonly #name: string

  /** `program` is handed the task as JSON in its first argument. */
  constructor(name: string, program: URL, task: unknown) {
    this.#name = name
    this.#process = fork(program, [JSON.stringify(task)], { serialization: 'advanced' })
    const messages = on(this.#process, 'message', { close: ['exit'] })
    this.#messages = messages as AsyncIterator<[Message]>
  }

  /** The next message of this kind. Not to be called again before it is there. */
  async next<K extends Message['kind']>(kind: K): Promise<Extract<Message, { kind: K }>> {
    for (;;) {
      const next = await this.#messages.next()
      if (next.done === true) throw new Error(`${this.#name} ended before it told "${kind}"`)
      const [message] = next.value
      if (message.kind === kind) return message as Extract<Message, { kind: K }>
    }
  }

  post(message: { kind: string } & Record<string, string | number>): void {
    this.#process.send(message)
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }
}
