// Finds out from the target what arrived on the other partitions to which handlers send records of a lane.

import type { Cluster, KafkaFailure } from '../native/index.ts'
import type { BranchEnd } from './branch-ends.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { BranchStart } from './fan-out.ts'
import { askResumes, type ResumeAnswer } from './resumes.ts'
import { inRounds } from './rounds.ts'

export interface BranchesAnswer {
  /** Those that can be told. */
  starts: BranchStart[]
  /** Of some it cannot be told any more: records may be doubled there. */
  isUnproved: boolean
  /** Ask again soon. */
  later?: { failure?: KafkaFailure }
  hasArrived: boolean
  /** One of which the target has lost what it had acknowledged. */
  lost?: BranchEnd
}

/** In the order of the checkpoints. */
export async function askBranches(
  target: Cluster,
  resuming: readonly { checkpoint: Checkpoint }[],
  timeoutMs: number
): Promise<BranchesAnswer[]> {
  const all = resuming.map(({ checkpoint: { branches = [] } }) =>
    branches.map(branch => {
      const { topic, partition } = branch
      return { topic, partition, checkpoint: branch }
    })
  )
  const answers = new Map<BranchEnd, ResumeAnswer>()
  // Several lanes may write to one partition.
  for (const round of inRounds(all.flat())) {
    const found = await askResumes(target, round, timeoutMs)
    for (const [at, { checkpoint }] of round.entries())
      answers.set(checkpoint, found[at] as ResumeAnswer)
  }
  return all.map(questions => {
    const found = questions.map(({ checkpoint: branch }) => ({
      branch,
      answer: answers.get(branch) as ResumeAnswer
    }))
    const starts = found.flatMap(({ branch, answer }) =>
      answer.kind === 'exact' ? { ...branch, arrived: answer.arrived } : []
    )
    const lost = found.find(
      ({ answer }) => answer.kind === 'went-back' || answer.kind === 'replaced'
    )
    const later = found.map(({ answer }) => answer).find(answer => answer.kind === 'later')
    return {
      starts,
      isUnproved: starts.length < questions.length,
      hasArrived: starts.some(({ arrived }) => arrived > 0),
      ...(lost && { lost: lost.branch }),
      ...(later && { later })
    }
  })
}
