// Owns the one line that says why something could not be had, and the error of a command line that asks for it.

/** A command line that cannot be followed: told with the usage, before anything runs. */
export class UsageError extends Error {}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What a promise fails with, or undefined when it does not. */
export function reasonItFails(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(() => undefined, reasonOf)
}
