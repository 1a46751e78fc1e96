// Starts other programs: their output is ours, signals reach them, their exit code comes back.

import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Resolves to the exit code, 128 + n after signal n. */
export function run(program, args, { env = process.env } = {}) {
  const child = spawn(program, args, { cwd: root, stdio: 'inherit', env })
  const forward = signal => {
    // Ctrl-C reaches all programs of a terminal by itself; a second one would end the child at once.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward)
      resolve(code ?? 128 + constants.signals[signal])
    })
  })
}

export function node(...args) {
  return run(process.execPath, args)
}

/** What a program prints, or undefined when it cannot be run. */
export function output(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return status === 0 ? `${stdout}${stderr}` : undefined
}
