// Owns a listing of where a process spends its time, by perf: by thread, and by function.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeFolder, removeFolder } from '../test/support/process-folder.ts'

const run = promisify(execFile)

/** Odd, so that it does not beat in time with anything. */
const samplesPerSecond = 499
const leastPercent = 0.5

/** Why there can be no listing here; undefined where there can. */
export async function lacksPerf(): Promise<string | undefined> {
  try {
    await run('perf', ['--version'])
    return undefined
  } catch {
    return 'perf is not there (Debian: linux-perf), so nothing tells where the time goes'
  }
}

export interface Profiling {
  /** To be asked for once the process has ended: the listing, or why there is none. */
  listing(): Promise<string>
}

export async function profile(pid: number): Promise<Profiling> {
  const folder = await makeFolder()
  const data = join(folder, 'perf.data')
  const record = ['record', '-q', '-F', `${samplesPerSecond}`, '-e', 'cpu-clock', '-o', data]
  const perf = spawn('perf', [...record, '-p', `${pid}`], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  perf.stderr.on('data', chunk => {
    said += chunk
  })
  const ended = once(perf, 'exit')
  const report = async (sort: string) => {
    const flags = ['--stdio', '--no-children', '-g', 'none', '--percent-limit', `${leastPercent}`]
    const { stdout } = await run('perf', ['report', '-i', data, ...flags, '--sort', sort])
    const lines = stdout.split('\n').filter(line => line !== '' && !line.startsWith('#'))
    // Columns for which perf knows nothing are dashes far to the right.
    return lines.map(line => line.replace(/[\s-]+$/, '')).join('\n')
  }
  return {
    async listing() {
      const [code] = await ended
      try {
        if (code !== 0) return `perf ended with ${code}: ${said.trim()}`
        return `by thread\n\n${await report('comm')}\n\nby function\n\n${await report('dso,symbol')}\n`
      } finally {
        await removeFolder(folder)
      }
    }
  }
}
