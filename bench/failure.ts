// Owns the one line that says why something could not be had.

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What a promise fails with, or undefined when it does not. */
export function reasonItFails(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(() => undefined, reasonOf)
}
