// Owns real Kafka clusters for tests: KRaft brokers (each also a controller) on loopback with their data in a
// temporary folder.

import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from './connection.ts'
import { quickJvm, spawnJava } from './jvm.ts'
import { fetchJars, type KafkaJars, sourceVersion, targetVersion } from './kafka-jars.ts'
import {
  type BrokerSecurity,
  type ListenerOptions,
  listenersOf,
  prepareSecurity,
  type SecuredListener,
  securedName
} from './kafka-security.ts'
import { formattedTemplate, storageFormat } from './kafka-storage.ts'
import { freePorts } from './ports.ts'
import { makeFolder, removeFolder } from './process-folder.ts'
import { Reader, Writer } from './wire.ts'

export type ClusterOptions = {
  version: string
  /** Brokers in the cluster, each also a controller. */
  nodes?: number
  /** Lines of server.properties, over the defaults of this file. */
  config?: Record<string, string | number | boolean>
  /** Those of one broker, over all others; the first is 1. */
  nodeConfig?: (node: number) => Record<string, string | number | boolean>
  /** The most that each JVM may take for its objects, as in -Xmx. */
  heap?: string
  /** Compiles all that is hot: for what is measured, at the cost of a slower start. */
  isFast?: boolean
  security?: BrokerSecurity
  /** Further listeners, by their names in capitals. */
  listeners?: Record<string, ListenerOptions>
  /** What a single broker gives clients of these listeners as its address: that of a proxy. */
  advertised?: Record<string, string>
}

export type KafkaNode = {
  id: number
  host: string
  port: number
  dataDir: string
  /** Undefined while the node is down. */
  readonly pid: number | undefined
  /** What the broker wrote: warnings and errors. */
  log(): Promise<string>
  /** Sends a signal. SIGKILL and SIGTERM resolve when the process has ended, others at once. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Ends the broker in good order. */
  stop(): Promise<void>
  /**
   * Starts it again, on its port and its data, and waits until it answers. After a SIGKILL that takes at least
   * `broker.session.timeout.ms`: until then the cluster takes it for a double of itself.
   */
  start(): Promise<void>
}

export type KafkaCluster = {
  version: string
  clusterId: string
  /** The plain-text listeners; the principal there is a super user. */
  bootstrap: string
  /** The secured listeners, when security was asked for. */
  secured: SecuredListener | undefined
  /** The further listeners that were asked for. */
  listeners: Readonly<Record<string, SecuredListener>>
  nodes: KafkaNode[]
  /** Ends every broker and removes its data; may be called more than once. */
  close(): Promise<void>
}

const startLimitMs = 120_000
const defaultHeap = '400m'
/** For clusters of several: a killed broker may come back when its session is over, which is less than a JVM takes. */
export const shortSessions = {
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 500
}
/** Brokers look at so many seconds before they throttle, in place of eleven. */
export const shortQuotaWindows = { 'quota.window.num': 3 }
const fastJvm = ['-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']

/** Starts a cluster and waits until all of its brokers answer and know each other. */
export async function startBroker(options: ClusterOptions): Promise<KafkaCluster> {
  const { version, heap = defaultHeap, isFast = false } = options
  const jvm = isFast ? fastJvm : [...quickJvm, ...(await archivedClasses(version))]
  return startCluster(options, [`-Xmx${heap}`, ...jvm])
}

async function startCluster(options: ClusterOptions, jvm: string[]): Promise<KafkaCluster> {
  const count = options.nodes ?? 1
  const listeners = listenersOf(options.security, options.listeners ?? {})
  const names = Object.keys(listeners)
  const [jars, ports] = await Promise.all([
    fetchJars(options.version),
    freePorts(count * (2 + names.length))
  ])
  const folder = await makeFolder()
  const listenerPorts = names.map((_, index) =>
    ports.slice(count * (2 + index), count * (3 + index))
  )
  const hasAcls = options.security?.acls === true
  const security = await prepareSecurity(listeners, hasAcls, folder, listenerPorts)
  const clusterId = randomBytes(16).toString('base64url')
  const addresses = ports.slice(0, count).map(port => `127.0.0.1:${port}`)
  const voters = ports
    .slice(count, count * 2)
    .map((port, index) => `${index + 1}@127.0.0.1:${port}`)
  const nodes = addresses.map((_, index) => {
    const [port, controllerPort] = [ports[index] as number, ports[count + index] as number]
    return new Node(index + 1, port, join(folder, `node-${index + 1}`), jars, jvm, {
      ...defaults(count),
      ...security.config,
      'node.id': index + 1,
      'process.roles': 'broker,controller',
      'controller.quorum.voters': voters.join(','),
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'PLAINTEXT',
      listeners: [
        `PLAINTEXT://127.0.0.1:${port}`,
        `CONTROLLER://127.0.0.1:${controllerPort}`,
        ...security.listeners(index)
      ].join(','),
      'listener.security.protocol.map': `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${security.protocolMap}`,
      'log.dirs': join(folder, `node-${index + 1}`, 'data'),
      ...advertisedConfig(
        [`PLAINTEXT://127.0.0.1:${port}`, ...security.listeners(index)],
        options.advertised
      ),
      ...options.config,
      ...options.nodeConfig?.(index + 1)
    })
  })
  const close = async () => {
    await Promise.all(nodes.map(node => node.kill('SIGKILL')))
    await removeFolder(folder)
  }
  try {
    await Promise.all(nodes.map(node => node.format(clusterId, security.formatArguments)))
    await Promise.all(nodes.map(node => node.start(count)))
  } catch (error) {
    await close()
    throw error
  }
  const { version } = options
  const bootstrap = addresses.join(',')
  const { [securedName]: secured, ...others } = security.secured
  return { version, clusterId, bootstrap, secured, listeners: others, nodes, close }
}

/**
 * Maps the classes that a broker of this version once had loaded, which halves the time to its first answer. A JVM that
 * the archive does not fit goes on without it.
 */
async function archivedClasses(version: string): Promise<string[]> {
  const { cache } = await fetchJars(version)
  const archive = join(cache, 'broker-classes.jsa')
  if (!existsSync(archive)) {
    const own = `${archive}.${process.pid}`
    const cluster = await startCluster({ version }, [
      ...quickJvm,
      `-XX:ArchiveClassesAtExit=${own}`
    ])
    await cluster.nodes[0]?.stop()
    await cluster.close()
    await rename(own, archive)
  }
  return [`-XX:SharedArchiveFile=${archive}`]
}

/** The usual pair, started side by side: an older source and a newer target. */
export async function startPair(
  options: { source?: Partial<ClusterOptions>; target?: Partial<ClusterOptions> } = {}
): Promise<{ source: KafkaCluster; target: KafkaCluster; close(): Promise<void> }> {
  const started = await Promise.allSettled([
    startBroker({ version: sourceVersion, ...options.source }),
    startBroker({ version: targetVersion, ...options.target })
  ])
  const clusters = started.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  const close = async () => {
    await Promise.all(clusters.map(cluster => cluster.close()))
  }
  const [source, target] = clusters
  if (source !== undefined && target !== undefined) return { source, target, close }
  await close()
  throw started.find(result => result.status === 'rejected')?.reason
}

function defaults(nodes: number): Record<string, string | number | boolean> {
  const replicas = Math.min(3, nodes)
  return {
    'auto.create.topics.enable': false,
    // Records of the tests are as old as they say: a topic that is to lose them asks for it.
    'log.retention.ms': -1,
    'default.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 2,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A killed broker may come back only when its session is over: the default of 9 s makes such tests slow.
    'broker.session.timeout.ms': 6_000,
    'broker.heartbeat.interval.ms': 1_000
  }
}

export function advertisedConfig(
  listeners: readonly string[],
  advertised: Record<string, string> = {}
): Record<string, string> {
  if (Object.keys(advertised).length === 0) return {}
  const told = listeners.map(listener => {
    const [name] = listener.split('://') as [string]
    return name in advertised ? `${name}://${advertised[name]}` : listener
  })
  return { 'advertised.listeners': told.join(',') }
}

export class Node implements KafkaNode {
  readonly id: number
  readonly host = '127.0.0.1'
  readonly port: number
  readonly dataDir: string
  readonly #folder: string
  readonly #jars: KafkaJars
  readonly #jvm: string[]
  readonly #properties: Record<string, string | number | boolean>
  #child: ChildProcess | undefined

  constructor(
    id: number,
    port: number,
    folder: string,
    jars: KafkaJars,
    jvm: string[],
    properties: Record<string, string | number | boolean>
  ) {
    this.id = id
    this.port = port
    this.dataDir = join(folder, 'data')
    this.#folder = folder
    this.#jars = jars
    this.#jvm = jvm
    this.#properties = properties
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  log(): Promise<string> {
    return readFile(join(this.#folder, 'broker.log'), 'utf8').catch(() => '')
  }

  /** Writes server.properties; brokers of ZooKeeper fill their data folder themselves. */
  async configure(): Promise<void> {
    await mkdir(this.dataDir, { recursive: true })
    const lines = Object.entries(this.#properties).map(([key, value]) => `${key}=${value}`)
    await writeFile(this.#configPath, `${lines.join('\n')}\n`)
  }

  /** Writes server.properties and an empty, formatted data folder. */
  async format(clusterId: string, extra: string[]): Promise<void> {
    await this.configure()
    if (extra.length > 0) return storageFormat(this.#jars, this.#configPath, clusterId, extra)
    await cp(await formattedTemplate(this.#jars), this.dataDir, { recursive: true })
    const directoryId = randomBytes(16).toString('base64url')
    const meta = {
      version: 1,
      'cluster.id': clusterId,
      'node.id': this.id,
      'directory.id': directoryId
    }
    const metaLines = Object.entries(meta).map(([key, value]) => `${key}=${value}\n`)
    await writeFile(join(this.dataDir, 'meta.properties'), metaLines.join(''))
  }

  async start(brokers = 1): Promise<void> {
    if (this.#child !== undefined) throw new Error(`broker ${this.id} is already running`)
    const { java, classPath, logging } = this.#jars
    // A JVM that is killed leaves the codecs that it has unpacked: here they go with the cluster.
    const flags = [...logging, ...this.#jvm, `-Djava.io.tmpdir=${this.#folder}`]
    const output = openSync(join(this.#folder, 'broker.log'), 'a')
    const args = [...flags, '-cp', classPath, 'kafka.Kafka', this.#configPath]
    const child = spawnJava(java, args, { stdio: ['ignore', output, output], cwd: this.#folder })
    closeSync(output)
    this.#child = child
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    await this.#untilAnswering(child, brokers)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), 30_000)
    await this.kill('SIGTERM')
    clearTimeout(timer)
  }

  get #configPath(): string {
    return join(this.#folder, 'server.properties')
  }

  async #untilAnswering(child: ChildProcess, brokers: number): Promise<void> {
    const deadline = Date.now() + startLimitMs
    while (!(await knowsBrokers(this.port, this.id, brokers))) {
      const ended = child.exitCode !== null || child.signalCode !== null
      if (ended || Date.now() > deadline) {
        const what = ended ? `ended with ${child.exitCode ?? child.signalCode}` : 'does not answer'
        await this.kill('SIGKILL')
        throw new Error(
          `Kafka ${this.#jars.version} broker ${this.id} ${what}:\n${tail(await this.log())}`
        )
      }
      await delay(50)
    }
  }
}

function tail(log: string): string {
  return log.split('\n').slice(-40).join('\n')
}

/** Whether the broker answers ApiVersions, and its Metadata lists itself and enough others. */
async function knowsBrokers(port: number, id: number, brokers: number): Promise<boolean> {
  const connection = await Connection.open('127.0.0.1', port).catch(() => undefined)
  if (connection === undefined) return false
  const timer = setTimeout(() => connection.close(), 5_000)
  try {
    await connection.request(18, 0, Buffer.alloc(0))
    // Metadata v1 with an empty list asks for no topic.
    const reader = new Reader(await connection.request(3, 1, new Writer().int32(0).done()))
    const ids = reader.array(() => {
      const broker = reader.int32()
      reader.string()
      reader.int32()
      reader.nullableString()
      return broker
    })
    return ids.length >= brokers && ids.includes(id)
  } catch {
    return false
  } finally {
    clearTimeout(timer)
    connection.close()
  }
}
