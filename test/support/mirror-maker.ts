// Owns a mirror that is started by the stand-in for MirrorMaker's script, with files that the test can change.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MirrorProcess, plainEnvironment } from './mirror-process.ts'

// The compiled file lies in dist/test/support.
export const root = fileURLToPath(new URL('../../../', import.meta.url))
export const script = `${root}bin/kafka-mirror-maker.sh`

/** A folder that goes with the test. */
export async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-maker-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A report belongs into `report.json` of the folder. */
export function startMirrorMaker(t: TestContext, folder: string, args: string[]): MirrorProcess {
  const child = spawn(script, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder,
    env: plainEnvironment()
  })
  const mirror = new MirrorProcess(child, folder)
  t.after(async () => {
    mirror.kill('SIGKILL')
    await mirror.exited
  })
  return mirror
}
