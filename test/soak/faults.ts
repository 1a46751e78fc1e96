// Owns the faults of a soak: what each does to its victim, for how long, and how that is healed.

import { setTimeout as delay } from 'node:timers/promises'
import type { KafkaNode } from '../support/kafka-broker.ts'
import type { Random } from '../support/random.ts'
import type { FaultyProxy } from './faulty-proxy.ts'
import type { Member, Members } from './members.ts'

export type Scene = {
  members: Members
  brokers: { source: KafkaNode[]; target: KafkaNode[] }
  proxies: FaultyProxy[]
  /** Exit codes of mirrors that were asked to end. */
  exits: Map<string, number>
}

/** What a fault needs for itself until it is healed. */
export type Victim = Member | KafkaNode | FaultyProxy

export type Fault = {
  name: string
  /** How often it is chosen, against the others. */
  weight: number
  /** Those that it may be done to; none while there is nobody. */
  victims(scene: Scene): readonly Victim[]
  /** Resolves when it is healed. */
  work(victim: Victim, random: Random, scene: Scene): Promise<void>
}

/** Further members than this do not join. */
const mostMembers = 4

function ofMembers(
  name: string,
  weight: number,
  work: (member: Member, random: Random, scene: Scene) => Promise<unknown>,
  isForWitness = false
): Fault {
  return {
    name,
    weight,
    victims: ({ members }) => members.live.filter(({ isWitness }) => isForWitness || !isWitness),
    work: async (victim, random, scene) => {
      await work(victim as Member, random, scene)
    }
  }
}

function ofBrokers(
  name: string,
  weight: number,
  side: 'source' | 'target',
  work: (node: KafkaNode, random: Random) => Promise<unknown>
): Fault {
  return {
    name: `${side} ${name}`,
    weight,
    victims: ({ brokers }) => brokers[side],
    work: async (victim, random) => {
      await work(victim as KafkaNode, random)
    }
  }
}

function ofProxies(
  name: string,
  weight: number,
  work: (proxy: FaultyProxy, random: Random) => Promise<unknown>
): Fault {
  return {
    name,
    weight,
    victims: ({ proxies }) => proxies,
    work: async (victim, random) => {
      const proxy = victim as FaultyProxy
      await work(proxy, random)
      proxy.heal()
    }
  }
}

export const killedMirror = 'mirror killed'

export const faults: readonly Fault[] = [
  ofMembers(killedMirror, 8, async (member, random, { members }) => {
    await members.end(member, 'SIGKILL')
    await delay(random.pick([0, 0, 500, 3_000]))
    await members.join()
  }),
  ofMembers('mirror asked to end', 3, async (member, _random, { members, exits }) => {
    const code = `${await members.end(member, 'SIGTERM')}`
    exits.set(code, (exits.get(code) ?? 0) + 1)
    await members.join()
  }),
  ofMembers(
    'mirror asleep',
    3,
    async ({ process }, random) => {
      process.kill('SIGSTOP')
      await delay(random.between(300, 9_000))
      process.kill('SIGCONT')
    },
    true
  ),
  {
    name: 'mirror joins for a while',
    weight: 2,
    victims: ({ members }) => (members.live.length < mostMembers ? members.live.slice(0, 1) : []),
    async work(_, random, { members }) {
      const guest = await members.join()
      await delay(random.between(500, 8_000))
      // Another fault may have ended it.
      if (members.live.includes(guest))
        await members.end(guest, random.pick(['SIGTERM', 'SIGKILL']))
    }
  },
  ofBrokers('broker killed', 3, 'target', killBroker),
  ofBrokers('broker killed', 1, 'source', killBroker),
  ofBrokers('broker restarted', 1, 'target', async node => {
    await node.stop()
    await startAgain(node)
  }),
  ofBrokers('broker asleep', 2, 'target', sleep),
  ofBrokers('broker asleep', 1, 'source', sleep),
  ofProxies('connection slow', 2, async (proxy, random) => {
    proxy.slow(random.between(5, 200))
    await delay(random.between(1_000, 8_000))
  }),
  ofProxies('connection cut', 2, async (proxy, random) => {
    proxy.cut()
    await delay(random.between(100, 6_000))
  }),
  ofProxies('answers lost', 3, async (proxy, random) => {
    proxy.mute()
    await delay(random.between(50, 2_000))
  })
]

async function killBroker(node: KafkaNode, random: Random): Promise<void> {
  await node.kill('SIGKILL')
  await delay(random.pick([0, 0, 2_000]))
  await startAgain(node)
}

const mostStarts = 5

/** A broker whose start falls into another's fault may give up and exit. */
async function startAgain(node: KafkaNode): Promise<void> {
  for (let starts = 1; ; starts++) {
    try {
      return await node.start()
    } catch (error) {
      if (starts === mostStarts) throw error
    }
  }
}

async function sleep(node: KafkaNode, random: Random): Promise<void> {
  await node.kill('SIGSTOP')
  await delay(random.between(200, 7_000))
  await node.kill('SIGCONT')
}

/** By weight, among those that have a victim at all. */
export function chooseFault(random: Random): Fault {
  const total = faults.reduce((sum, { weight }) => sum + weight, 0)
  let place = random.between(1, total)
  for (const fault of faults) {
    place -= fault.weight
    if (place <= 0) return fault
  }
  throw new Error('the weights do not add up')
}
