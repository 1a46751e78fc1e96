// Owns a sweep: one variant of an answer after another, each followed by an honest one, on several lanes at once. A lane
// that a variant stops is begun anew where it stood, as the mirror's owner would.

import { type Answer, absurdValues, type Field, withField } from './answer-writer.ts'
import type { Call, Reply } from './scripted-broker.ts'
import type { ScriptedLink } from './scripted-link.ts'
import { waitFor } from './wait.ts'

export type Variant = { name: string; spoil(answer: Answer): Partial<Reply> }

/** The body ends at each of its bytes, in a frame that says so. */
export function truncations({ bytes }: Answer): Variant[] {
  return Array.from(bytes, (_, size) => ({
    name: `${size} of ${bytes.length} bytes`,
    spoil: answer => ({ body: answer.bytes.subarray(0, size) })
  }))
}

/** The connection ends at each byte of the frame: length and correlation id stand before the body. */
export function cuts({ bytes }: Answer): Variant[] {
  return Array.from({ length: bytes.length + 8 }, (_, cutAt) => ({
    name: `cut at byte ${cutAt}`,
    spoil: () => ({ cutAt })
  }))
}

/** Every field has each of its absurd values. */
export function absurdities(
  { fields }: Answer,
  isMeant = (_: Field, __: bigint) => true
): Variant[] {
  return fields.flatMap(field =>
    absurdValues(field)
      .filter(value => isMeant(field, value))
      .map(value => ({
        name: `${field.name} = ${value}`,
        spoil: answer => ({ body: withField(answer, field, value) })
      }))
  )
}

export class Sweep<Honest> {
  readonly #share: { lane: number; lanes: number }
  readonly #make: (answer: Answer) => Variant[]
  #variants: Variant[] | undefined
  #isHonestNext = false
  /** For messages. */
  last = ''

  /** Takes every nth variant, beginning with its own place, so that all lanes together take all. */
  constructor(share: { lane: number; lanes: number }, make: (answer: Answer) => Variant[]) {
    this.#share = share
    this.#make = make
  }

  get isDone(): boolean {
    return this.#variants?.length === 0
  }

  reply({ answer, encode }: Call<Honest>): Reply {
    const honest = encode(answer)
    this.#variants ??= this.#make(honest).filter(
      (_, index) => index % this.#share.lanes === this.#share.lane
    )
    const variant = this.#isHonestNext ? undefined : this.#variants.shift()
    this.#isHonestNext = variant !== undefined
    if (variant === undefined) return { body: honest.bytes }
    this.last = variant.name
    return { body: honest.bytes, ...variant.spoil(honest) }
  }
}

/** Until every variant was answered and every lane has brought all its source has. */
export async function finishSweeps(
  opened: ScriptedLink,
  topic: string,
  sweeps: readonly Sweep<never>[] | readonly { isDone: boolean; last: string }[]
): Promise<{ stops: string[] }> {
  const stops: string[] = []
  const lanes = opened.add(
    topic,
    sweeps.map((_, partition) => partition)
  )
  const isFinished = (partition: number) => {
    const lane = opened.lane(lanes[partition] as number)
    if (lane.state === 'stopped') {
      stops.push(`${sweeps[partition]?.last}: ${lane.reason}`)
      lanes[partition] = opened.beginAnew(topic, partition, lane)
      return false
    }
    return (
      sweeps[partition]?.isDone && lane.checkpoint >= opened.source.source(topic, partition).end
    )
  }
  const open = () =>
    sweeps.map((_, partition) => partition).filter(partition => !isFinished(partition))
  await waitFor('every variant to be answered', () => open().length === 0, {
    limitMs: 120_000,
    everyMs: 10,
    describe: () =>
      JSON.stringify(open().map(at => [sweeps[at]?.last, opened.lane(lanes[at] as number)]))
  })
  return { stops }
}
