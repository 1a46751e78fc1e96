// Which settings may come from where: what runs a command or reads a file is not taken from anywhere.

import type { Setting } from '../properties-file.ts'

// librdkafka hands it to a shell.
const fileOnly: ReadonlySet<string> = new Set(['sasl.kerberos.kinit.cmd'])

const readsFiles =
  /^(?:(?:ssl|https)\..*\.location|sasl\.kerberos\.keytab|sasl\.oauthbearer\.token\.endpoint\.url|sasl\.oauthbearer\..*file|sasl\.oauthbearer\.jwks\.endpoint\.url)$/

/** Whether a variable may not name it: a file or the address of a token service. */
export function isLocalOnly(name: string): boolean {
  return fileOnly.has(name) || readsFiles.test(name)
}

export function refusePlace({ name, from }: Setting): string | undefined {
  if (from === undefined) return undefined
  if (fileOnly.has(name)) return `${name}: it is a command. Set it in the file of the cluster`
  if (from !== 'environment' || !readsFiles.test(name)) return undefined
  return `${name}: a variable may not say what is read. Set it in the file of the cluster, or by an override flag`
}
