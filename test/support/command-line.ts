// Owns commands that are run by the test in one process of their own, one after the other: a new one each takes long.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Outcome {
  code: number
  out: string
  err: string
}

const mainUrl = new URL('../../src/cli.js', import.meta.url).href
const script = `
const { main } = await import(${JSON.stringify(mainUrl)})
const environment = { ...process.env }
process.on('message', async ({ args, variables }) => {
  process.env = { ...environment, ...variables }
  const said = { out: '', err: '' }
  process.stdout.write = text => ((said.out += text), true)
  process.stderr.write = text => ((said.err += text), true)
  const code = await main(args)
  process.send({ code, ...said })
})`

export class CommandLine {
  readonly #child

  /** Paths among the arguments begin in the folder. */
  constructor(folder: string) {
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc']
    })
  }

  run(...args: string[]): Promise<Outcome> {
    return this.runWith({}, args)
  }

  /** With these variables beside those of the test. */
  async runWith(
    variables: Readonly<Record<string, string>>,
    args: readonly string[]
  ): Promise<Outcome> {
    this.#child.send({ args, variables })
    const [outcome] = await once(this.#child, 'message', { signal: AbortSignal.timeout(20_000) })
    return outcome
  }

  close(): void {
    this.#child.disconnect()
  }
}
