// Owns what all pools of worker threads have in common.

import { Piscina } from 'piscina'

export type { Piscina }

type PoolOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>

// Piscina requires a worker's module before it tries to import it. A thread that is ended while it requires an ES
// module takes the whole process with it (v8::Module::IsGraphAsync in Node 20.19 to 20.20), while one that imports it
// ends alone.
const importOnly = '--no-experimental-require-module'
const execArgv = process.allowedNodeEnvironmentFlags.has(importOnly) ? [importOnly] : []

/** Of the worker's module the default export takes the tasks. Threads see nothing of the process's environment. */
export function threadPool<Task, Result>(
  worker: URL,
  options: Omit<PoolOptions, 'filename'>
): Piscina<Task, Result> {
  return new Piscina<Task, Result>({ filename: worker.href, env: {}, execArgv, ...options })
}
