// What only shows when all settings of a cluster are looked at together.

import { checkLogin } from './credentials.ts'
import type { Draft } from './rule.ts'
import { checkTimes } from './times.ts'

export function checkTogether(draft: Draft): void {
  checkLogin(draft)
  checkClientKey(draft)
  checkTimes(draft)
}

function checkClientKey(draft: Draft): void {
  const key = nameOf('ssl.key', draft)
  const certificate = nameOf('ssl.certificate', draft)
  if ((key === undefined) === (certificate === undefined)) return
  const [name, what, set] = key
    ? [key, 'a certificate', 'ssl.certificate.location']
    : [certificate as string, 'a key', 'ssl.key.location']
  const origin = draft.origins.get(`connection ${name}`) ?? name
  draft.problems.push(`${origin}: ${name}: it needs ${what} to go with it. Set ${set}`)
}

function nameOf(prefix: string, draft: Draft): string | undefined {
  return [`${prefix}.location`, `${prefix}.pem`].find(name => draft.connection.get(name))
}
