// Finds out what is the matter with a connection: by the failure itself, or by a look at the port of the broker.

import type { KafkaFailure, Properties } from '../native/index.ts'
import { isBeforeApiVersions } from './age-probe.ts'
import { addressIn } from './client-texts.ts'
import {
  type Advice,
  adviseOnAge,
  adviseOnHandshake,
  adviseOnLogin,
  adviseOnPort,
  usesTls
} from './connection-trouble.ts'
import { probeTls } from './tls-probe.ts'

/** Of a long list of bootstrap servers the first ones tell what is the matter with all. */
const addressesProbed = 3

/** Undefined when there is nothing to look at. */
export async function adviseOn(
  failure: KafkaFailure | undefined,
  connection: Properties
): Promise<Advice | undefined> {
  const advice = adviseOnLogin(failure)
  if (advice) return advice
  const looks = await Promise.all(
    addressesOf(failure, connection).map(async address => ({
      address,
      finding: await probeTls(address, connection)
    }))
  )
  const telling = looks.find(({ finding }) => finding.kind !== 'no-connection') ?? looks[0]
  if (!telling) return undefined
  const { address, finding } = telling
  if (failure?.name === '_SSL' && finding.kind === 'trusted') return adviseOnHandshake(address)
  const isOpen = finding.kind === (usesTls(connection) ? 'trusted' : 'no-tls')
  if (isOpen && (await isBeforeApiVersions(address, connection))) return adviseOnAge(address)
  return adviseOnPort(address, finding, connection)
}

function addressesOf(failure: KafkaFailure | undefined, connection: Properties): string[] {
  const named = failure && addressIn(failure.message)
  if (named !== undefined) return [named]
  const servers = (connection['bootstrap.servers'] ?? '').split(',').map(server => server.trim())
  return servers.filter(server => server !== '').slice(0, addressesProbed)
}
