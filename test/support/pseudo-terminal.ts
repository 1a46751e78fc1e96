// Owns a terminal that can be closed while a program runs on it. Python, which the build needs anyway, opens it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { isRunning } from './jvm.ts'
import { plainEnvironment } from './mirror-process.ts'
import { waitFor } from './wait.ts'

export type OnTerminal = {
  /** Of the program itself. */
  pid: number
  /** What it has written to the terminal. */
  output(): string
  /** The terminal goes, as when its window is closed; its foreground processes are sent SIGHUP. */
  close(): Promise<void>
  /** Waits for the program's end and gives its exit code. */
  exit(limitMs?: number): Promise<number>
}

const python = `
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv('/bin/sh', ['sh', '-c'] + sys.argv[1:])
while 0 not in select.select([terminal, 0], [], [])[0]:
    try:
        os.write(1, os.read(terminal, 4096))
    except OSError:
        break
os.close(terminal)
`

/**
 * Runs a program by `sh` on a terminal, with everything on it or with a line of the shell such as
 * `nohup "$@" > log 2>&1`. The shell ends with the terminal, and so its processes are sent SIGHUP; a second shell
 * between them stays for the exit code.
 */
export async function runOnTerminal(
  t: TestContext,
  folder: string,
  program: string[],
  line = '"$@"'
): Promise<OnTerminal> {
  const exitPath = join(folder, 'exit-code')
  const inner = `trap '' HUP; ${line} & echo "pid $!"; wait $!; echo $? > exit-code`
  const script = `cd '${folder}'; ( ${inner} ) & wait`
  const child = spawn('python3', ['-c', python, script, 'sh', ...program], {
    // As a person would see it: with the line that is drawn over itself.
    env: { ...plainEnvironment(), CI: '', TERM: 'xterm' }
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      output += chunk
    })
  }
  const pid = Number(
    await waitFor('the process id', () => /pid (\d+)\r?\n/.exec(output)?.[1], {
      describe: () => output
    })
  )
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.stdin.end('close\n')
    await ended
  }
  t.after(async () => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL')
    await close()
  })
  const exit = async (limitMs?: number) => {
    const read = async () => (await readFile(exitPath, 'utf8').catch(() => '')).trim() || undefined
    return Number(await waitFor('the exit code', read, { ...(limitMs && { limitMs }) }))
  }
  return { pid, output: () => output, close, exit }
}
