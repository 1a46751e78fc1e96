// The handler `mask`: writes something else, or a hash, in the place of fields of JSON values.

import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type FieldSpan, JsonFields } from '../json-fields.ts'
import type { HandlerModule } from '../record.ts'
import {
  ArgumentError,
  missing,
  readArguments,
  readChoice,
  readText,
  readTexts
} from './arguments.ts'
import { readPath } from './field-path.ts'

export const example = '{ fields: [customer.email, card.number] }'

/** What stands in the place of a field. */
type Cover = (value: Buffer, field: FieldSpan) => Buffer

/** Only the bytes of the fields change. A value without them stays as it is, and so does a tombstone. */
export function makeMask(args: unknown, folder: string): HandlerModule {
  const {
    fields,
    with: replacement,
    hash,
    'key-file': keyFile
  } = readArguments(
    args,
    {
      fields: value => readTexts(value).map(readPath),
      with: value => Buffer.from(JSON.stringify(value)),
      hash: readChoice(['sha256', 'sha512'] as const),
      'key-file': readText
    },
    example
  )
  if (fields === undefined) throw missing('fields', example)
  refuseOverlaps(fields)
  if (hash !== undefined && replacement !== undefined) {
    throw new ArgumentError('with and hash exclude each other')
  }
  if (hash === undefined && keyFile !== undefined) {
    throw new ArgumentError('key-file: there is no hash that it is for. Write hash: sha256')
  }
  const key = keyFile === undefined ? undefined : readKey(resolve(folder, keyFile))
  const constant = replacement ?? Buffer.from('"****"')
  const cover = hash === undefined ? () => constant : hashing(hash, key)
  const json = new JsonFields(fields)
  return {
    default(record) {
      const { value } = record
      if (value === null) return record
      const parts: Buffer[] = []
      let at = 0
      for (const field of json.find(value)) {
        parts.push(value.subarray(at, field.start), cover(value, field))
        at = field.end
      }
      if (at > 0) record.value = Buffer.concat([...parts, value.subarray(at)])
      return record
    }
  }
}

/** Of what a text says, so that other spellings of it have the same hash; of everything else as it is written. */
function hashing(algorithm: 'sha256' | 'sha512', key: Buffer | undefined): Cover {
  const begin = () => (key ? createHmac(algorithm, key) : createHash(algorithm))
  return (value, { start, end }) => {
    const text = value.toString('utf8', start, end)
    const content = text.startsWith('"') ? String(JSON.parse(text)) : text
    return Buffer.from(`"${begin().update(content).digest('hex')}"`)
  }
}

/** A line end behind the key is no part of it. */
function readKey(file: string): Buffer {
  try {
    const bytes = readFileSync(file)
    const key = Buffer.from(bytes.toString('latin1').replace(/\r?\n$/, ''), 'latin1')
    if (key.length > 0) return key
  } catch (cause) {
    throw new ArgumentError(`key-file: ${(cause as Error).message}`, { cause })
  }
  throw new ArgumentError(`key-file: ${file} is empty`)
}

function refuseOverlaps(fields: readonly (readonly string[])[]): void {
  for (const [index, outer] of fields.entries()) {
    const inner = fields.find(
      (path, at) => at !== index && outer.every((name, place) => path[place] === name)
    )
    if (inner === undefined) continue
    const names = [inner, outer].map(path => path.join('.'))
    throw new ArgumentError(
      names[0] === names[1]
        ? `fields: ${names[0]} is given twice`
        : `fields: ${names[0]} lies in ${names[1]}. Give one of them`
    )
  }
}
