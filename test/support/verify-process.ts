// Owns `heliostat verify` as users run it: the command in a process of its own, its exit code and what it prints.

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Summary } from '../../src/verify/summary.ts'
import type { LaneVerdict } from '../../src/verify/types.ts'
import type { VerifyFigures } from '../../src/verify/verification.ts'
import { plainEnvironment } from './mirror-process.ts'

// The compiled file lies in dist/test/support.
const command = fileURLToPath(new URL('../../../bin/heliostat', import.meta.url))
const execute = promisify(execFile)

export type VerifyOptions = {
  source: { bootstrap: string }
  target: { bootstrap: string }
  whitelist: string
  group: string
  furtherSources?: readonly { bootstrap: string }[]
  flags?: readonly string[]
}

export type Verified = {
  code: number
  err: string
  summary: Summary
  figures: VerifyFigures
  lanes: LaneVerdict[]
}

/** With its verdicts; a run that could not begin has none. */
export async function verify(t: TestContext, options: VerifyOptions): Promise<Verified> {
  const flags = [...(options.flags ?? []), '--format', 'json']
  const { code, out, err } = await runVerify(t, { ...options, flags })
  return { code, err, ...(out === '' ? {} : JSON.parse(out)) }
}

export type Ended = { code: number; out: string; err: string }

/** What people see. */
export async function runVerify(t: TestContext, options: VerifyOptions): Promise<Ended> {
  const { source, target, whitelist, group, furtherSources = [], flags = [] } = options
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-verify-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const args = ['verify', '--whitelist', whitelist, ...flags]
  for (const [index, { bootstrap }] of [source, ...furtherSources].entries()) {
    const path = join(folder, `source-${index}.properties`)
    await writeFile(path, `bootstrap.servers=${bootstrap}\ngroup.id=${group}\n`)
    args.push('--consumer.config', path)
  }
  const path = join(folder, 'target.properties')
  await writeFile(path, `bootstrap.servers=${target.bootstrap}\n`)
  args.push('--producer.config', path)
  try {
    const { stdout, stderr } = await execute(process.execPath, [command, ...args], {
      env: plainEnvironment(),
      maxBuffer: 64 * 1_048_576
    })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}
