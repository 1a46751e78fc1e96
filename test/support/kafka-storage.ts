// Owns the formatting of a broker's data folder before its first start.

import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KafkaJars } from './kafka-jars.ts'
import { runJava } from './kafka-tools.ts'

export async function storageFormat(
  jars: KafkaJars,
  config: string,
  clusterId: string,
  extra: string[]
): Promise<void> {
  // One argument: an id may begin with a dash.
  const args = ['format', `--cluster-id=${clusterId}`, '--config', config, ...extra]
  const { code, stdout, stderr } = await runJava(jars, 'kafka.tools.StorageTool', args)
  if (code !== 0) throw new Error(`StorageTool failed with ${code}: ${stdout}${stderr}`)
}

// A formatted folder differs between clusters in meta.properties only, so one run of the tool (more than a second of
// JVM start) serves every cluster of a version.
export async function formattedTemplate(jars: KafkaJars): Promise<string> {
  const template = join(jars.cache, 'formatted')
  if ((await readdir(template).catch(() => [])).length > 0) return template
  const folder = await mkdtemp(join(jars.cache, 'format-'))
  try {
    const data = join(folder, 'data')
    const config = join(folder, 'server.properties')
    const lines = [
      'process.roles=broker,controller',
      'node.id=1',
      'controller.quorum.voters=1@127.0.0.1:9093',
      'controller.listener.names=CONTROLLER',
      'listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
      `log.dirs=${data}`
    ]
    await writeFile(config, lines.join('\n'))
    await storageFormat(jars, config, randomBytes(16).toString('base64url'), [])
    await rename(data, template).catch(async error => {
      // Another process was first.
      if ((await readdir(template).catch(() => [])).length === 0) throw error
    })
    return template
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
