// Owns a stretch of random faults: several at a time, each on a victim of its own, until it is over and all is healed.

import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../support/random.ts'
import { chooseFault, type Scene, type Victim } from './faults.ts'

/** Faults that go on at the same time, at most. */
const mostAtOnce = 4
const leastPauseMs = 100
const mostPauseMs = 2_500

/** Counts what it does in `done`, by name, and notes when. */
export async function makeFaults(
  scene: Scene,
  random: Random,
  { done, note }: { done: Map<string, number>; note: (what: string) => void },
  isOver: () => boolean
): Promise<void> {
  const busy = new Map<Victim, Promise<void>>()
  let failure: unknown
  while (!isOver() && failure === undefined) {
    await delay(random.between(leastPauseMs, mostPauseMs))
    const fault = chooseFault(random)
    // Drawn for every fault, so that what follows does not depend on whether there is a victim.
    const own = random.split()
    const victims = fault.victims(scene).filter(victim => !busy.has(victim))
    if (victims.length === 0 || busy.size >= mostAtOnce) continue
    const victim = own.pick(victims)
    const what = `${fault.name}: ${nameOf(victim)}`
    note(what)
    const working = fault
      .work(victim, own, scene)
      .catch(error => {
        failure ??= error
      })
      .finally(() => {
        note(`healed: ${what}`)
        busy.delete(victim)
      })
    busy.set(victim, working)
    done.set(fault.name, (done.get(fault.name) ?? 0) + 1)
  }
  await Promise.all(busy.values())
  if (failure !== undefined) throw failure
}

function nameOf(victim: Victim): string {
  if ('name' in victim) return victim.name
  return 'id' in victim ? `broker ${victim.id}` : victim.address
}
