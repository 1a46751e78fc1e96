// Waits for work that runs side by side, so that nothing is under way any more when one part of it has failed.

/** All results in order, or the first failure once every part has ended. */
export async function allSettled<Result>(work: readonly Promise<Result>[]): Promise<Result[]> {
  const ended = await Promise.allSettled(work)
  return ended.map(part => {
    if (part.status === 'rejected') throw part.reason
    return part.value
  })
}
