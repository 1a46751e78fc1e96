import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { threadPool } from '../../src/thread-pool.ts'

// A thread that is ended while it requires an ES module ends the process. That takes thousands of ends to be seen,
// so the way that a module is loaded is looked at instead.
test('the module of a worker is imported and never required', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-worker-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'worker.mjs')
  await writeFile(
    file,
    `Error.stackTraceLimit = 50
const { stack } = new Error('loaded')
export default () => stack`
  )
  const pool = threadPool<null, string>(pathToFileURL(file), { maxThreads: 1 })
  t.after(() => pool.destroy())
  const stack = await pool.run(null)
  assert.match(stack, /loaded[\s\S]*worker\.mjs/)
  assert.doesNotMatch(stack, /[Rr]equire|cjs/, stack)
})
