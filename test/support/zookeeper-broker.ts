// Owns real Kafka brokers from before KRaft: one broker, and the ZooKeeper that it needs, on loopback.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { quickJvm, spawnJava } from './jvm.ts'
import { type KafkaCluster, Node } from './kafka-broker.ts'
import { fetchJars, isBeforeOne, type KafkaJars } from './kafka-jars.ts'
import { freePorts } from './ports.ts'
import { makeFolder, removeFolder } from './process-folder.ts'
import { withClient } from './raw-client.ts'
import { waitFor } from './wait.ts'

/** The last version in which a topic may keep the formats before 2 and whose clients and tools still run. */
export const oldVersion = '2.8.2'

/** The last of 0.10, and the first: Fetch 3 and 2 are the newest that they have. */
export const lastOfTen = '0.10.2.2'
export const firstOfTen = '0.10.0.1'

export type ZooKeeperBrokerOptions = {
  version?: string
  /** Lines of server.properties, over the defaults of this file. */
  config?: Record<string, string | number | boolean>
}

/** Starts both and waits until the broker answers. */
export async function startZooKeeperBroker(
  options: ZooKeeperBrokerOptions = {}
): Promise<KafkaCluster> {
  const { version = oldVersion, config = {} } = options
  const [jars, ports] = await Promise.all([fetchJars(version), freePorts(2)])
  const [port, zooKeeperPort] = ports as [number, number]
  const folder = await makeFolder()
  const zooKeeper = await startZooKeeper(jars, join(folder, 'zookeeper'), zooKeeperPort)
  const node = new Node(1, port, join(folder, 'node-1'), jars, ['-Xmx320m', ...quickJvm], {
    ...defaults,
    'broker.id': 1,
    'zookeeper.connect': `127.0.0.1:${zooKeeperPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': join(folder, 'node-1', 'data'),
    ...config
  })
  const close = async () => {
    await Promise.all([node.kill('SIGKILL'), end(zooKeeper)])
    await removeFolder(folder)
  }
  try {
    await untilListening(zooKeeper, zooKeeperPort)
    await node.configure()
    await node.start()
    const bootstrap = `127.0.0.1:${port}`
    const clusterId = isBeforeOne(version) ? '' : await readClusterId(bootstrap)
    return {
      version,
      clusterId,
      bootstrap,
      secured: undefined,
      listeners: {},
      nodes: [node],
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

const defaults = {
  'auto.create.topics.enable': false,
  'log.retention.ms': -1,
  'offsets.topic.num.partitions': 4,
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.num.partitions': 4,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'group.initial.rebalance.delay.ms': 0
}

async function startZooKeeper(
  jars: KafkaJars,
  folder: string,
  port: number
): Promise<ChildProcess> {
  await mkdir(folder, { recursive: true })
  const config = join(folder, 'zookeeper.properties')
  const lines = [`dataDir=${folder}`, `clientPort=${port}`, 'clientPortAddress=127.0.0.1']
  await writeFile(config, `${[...lines, 'admin.enableServer=false'].join('\n')}\n`)
  const flags = ['-Xmx128m', ...quickJvm, ...jars.logging, '-cp', jars.classPath]
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  return spawnJava(jars.java, [...flags, main, config], { stdio: 'ignore', cwd: folder })
}

async function untilListening(zooKeeper: ChildProcess, port: number): Promise<void> {
  const isListening = () => {
    if (hasEnded(zooKeeper)) throw new Error(`ZooKeeper ended with ${zooKeeper.exitCode}`)
    return new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  }
  await waitFor('ZooKeeper to listen', isListening, { limitMs: 60_000 })
}

async function readClusterId(bootstrap: string): Promise<string> {
  return withClient(bootstrap, async client => {
    return (await client.metadata([])).clusterId ?? ''
  })
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
