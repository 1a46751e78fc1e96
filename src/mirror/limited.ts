// Waits for something, but not longer than is good.

/** False when the time was over first; the work goes on and its failure is then nobody's any more. */
export async function isDoneWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<false>(resolve => {
    timer = setTimeout(() => resolve(false), Math.max(0, limitMs))
  })
  const done = work.then(() => true)
  done.catch(() => undefined)
  try {
    return await Promise.race([done, limit])
  } finally {
    clearTimeout(timer)
  }
}
