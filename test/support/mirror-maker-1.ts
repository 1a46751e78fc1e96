// Owns Kafka's own MirrorMaker 1, of the last Kafka that has it: what a mirror takes over from, and gives back to.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { quickJvm, spawnJava } from './jvm.ts'
import { fetchJars, sourceVersion } from './kafka-jars.ts'

export type MirrorMaker1 = {
  /** What it wrote: warnings and errors. */
  output(): string
  hasEnded(): boolean
  /** SIGTERM lets it flush and commit, SIGKILL does not; resolves when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** Starts it with the arguments that its script takes. */
export async function startMirrorMaker1(
  t: TestContext,
  folder: string,
  args: string[]
): Promise<MirrorMaker1> {
  const { java, classPath, logging } = await fetchJars(sourceVersion)
  const flags = ['-Xmx320m', ...quickJvm, ...logging, '-cp', classPath]
  const child = spawnJava(java, [...flags, 'kafka.tools.MirrorMaker', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', chunk => {
      output += chunk
    })
  }
  t.after(() => end(child, 'SIGKILL'))
  return {
    output: () => output,
    hasEnded: () => hasEnded(child),
    end: signal => end(child, signal)
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}
