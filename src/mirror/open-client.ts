// Makes clients: settings that librdkafka refuses are the user's to mend.

import { ConfigError, describeFailure } from '../errors.ts'
import { Cluster, Group, type Properties } from '../native/index.ts'

/** Throws a ConfigError that begins with `name` when a setting is refused. */
export function openCluster(name: string, properties: Properties): Cluster {
  return open(name, () => new Cluster(properties))
}

/** As `openCluster`. */
export function openGroup(name: string, properties: Properties): Group {
  return open(name, () => new Group(properties))
}

function open<Client>(name: string, make: () => Client): Client {
  try {
    return make()
  } catch (error) {
    const cause = describeFailure(name, error)
    throw new ConfigError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
