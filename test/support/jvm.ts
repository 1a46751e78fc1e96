// Owns the Java processes of the tests: none outlives the process that started it.

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { isMainThread } from 'node:worker_threads'

/** For short runs: the quickest start, at the cost of peak speed. Not for anything that is measured. */
export const quickJvm = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto']

const children = new Set<ChildProcess>()
// The kernel ends the child even when this process is killed. It watches the thread that started the child, so only
// the main thread may use it; elsewhere, and off Linux, the exit handler has to do.
const dieWithParent =
  process.platform === 'linux' && isMainThread && spawnSync('setpriv', ['--version']).status === 0

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export function spawnJava(java: string, args: string[], options: SpawnOptions): ChildProcess {
  const child = dieWithParent
    ? spawn('setpriv', ['--pdeathsig', 'KILL', java, ...args], { ...options, detached: false })
    : spawn(java, args, { ...options, detached: false })
  children.add(child)
  child.once('exit', () => children.delete(child))
  child.once('error', () => children.delete(child))
  return child
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
