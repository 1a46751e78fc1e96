// Ways to log in or to encrypt that librdkafka may have been built without: found at the start, not at a connect.

import type { Draft } from './rules/rule.ts'

interface Feature {
  /** As librdkafka calls it in `builtin.features`. */
  name: string
  what: string
  /** What has to be installed when librdkafka is built. */
  package: string
}

const features = {
  tls: { name: 'ssl', what: 'TLS', package: 'libssl-dev' },
  scram: { name: 'sasl_scram', what: 'SCRAM', package: 'libssl-dev' },
  kerberos: { name: 'sasl_gssapi', what: 'GSSAPI', package: 'libsasl2-dev' },
  oidc: { name: 'oidc', what: 'OAUTHBEARER by OIDC', package: 'libcurl4-openssl-dev' }
} as const satisfies Record<string, Feature>

/** One problem for each feature that the settings need and `built` lacks. */
export function missingFeatures(draft: Draft, built: readonly string[]): string[] {
  return neededFeatures(draft)
    .filter(([, feature]) => !built.includes(feature.name))
    .map(([setting, { what, package: name }]) => {
      const origin = draft.origins.get(`connection ${setting}`) ?? draft.side
      const then = `Install ${name} and build again: npm ci, then npm run build`
      return `${origin}: ${setting}: librdkafka was built without ${what}. ${then}`
    })
}

function neededFeatures({ connection }: Draft): [setting: string, feature: Feature][] {
  const protocol = connection.get('security.protocol') ?? ''
  const needed: [string, Feature][] = []
  if (protocol.includes('ssl')) needed.push(['security.protocol', features.tls])
  if (!protocol.startsWith('sasl_')) return needed
  const mechanism = connection.get('sasl.mechanism') ?? ''
  if (mechanism.startsWith('SCRAM')) needed.push(['sasl.mechanism', features.scram])
  if (mechanism === 'GSSAPI') needed.push(['sasl.mechanism', features.kerberos])
  if (connection.get('sasl.oauthbearer.method') === 'oidc')
    needed.push(['sasl.mechanism', features.oidc])
  return needed
}
