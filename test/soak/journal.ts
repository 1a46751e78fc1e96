// Owns what a soak leaves behind for whoever has to find out why it failed: each mirror's log, and when which fault
// began and was healed. It goes when nothing was wrong.

import { appendFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MirrorProcess } from '../support/mirror-process.ts'

export type Journal = {
  folder: string
  noteFault(what: string): void
  keepLog(name: string, mirror: MirrorProcess): Promise<void>
  remove(): Promise<void>
}

export async function openJournal(seed: number): Promise<Journal> {
  const folder = await mkdtemp(join(tmpdir(), `heliostat-soak-${seed}-`))
  const faults = join(folder, 'faults.log')
  return {
    folder,
    noteFault: what => appendFileSync(faults, `${new Date().toISOString()} ${what}\n`),
    keepLog(name, { lines, errors }) {
      const texts = lines.map(line => `${JSON.stringify(line)}\n`)
      return writeFile(join(folder, `${name}.log`), [...texts, errors].join(''))
    },
    remove: () => rm(folder, { recursive: true, force: true })
  }
}
