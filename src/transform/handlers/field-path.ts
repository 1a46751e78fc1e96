// Reads which fields of a JSON value a handler means.

import { splitPath } from '../json-fields.ts'
import { ArgumentError } from './arguments.ts'

/** `customer.email`; a dot in a name is written `\.`. An ArgumentError where a name is empty. */
export function readPath(path: string): string[] {
  const names = splitPath(path)
  if (names) return names
  throw new ArgumentError(`"${path}" has an empty name. Write customer.email`)
}
