// Cipher suites: IANA's names, which Java files use, as OpenSSL calls them.

/** Suites up to TLS 1.2 by IANA name. OpenSSL drops TLS_, _WITH_ and the underscores. */
const suites = new Map(
  [
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-SHA384',
    'ECDHE-RSA-AES256-SHA384',
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-RSA-AES128-SHA256',
    'ECDHE-ECDSA-AES256-SHA',
    'ECDHE-RSA-AES256-SHA',
    'ECDHE-ECDSA-AES128-SHA',
    'ECDHE-RSA-AES128-SHA',
    'DHE-RSA-AES256-GCM-SHA384',
    'DHE-RSA-AES128-GCM-SHA256',
    'DHE-RSA-AES256-SHA256',
    'DHE-RSA-AES128-SHA256',
    'AES256-GCM-SHA384',
    'AES128-GCM-SHA256',
    'AES256-SHA256',
    'AES128-SHA256',
    'AES256-SHA',
    'AES128-SHA'
  ].map(name => [ianaName(name), name])
)
suites.set('TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305')
suites.set('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305')
suites.set('TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'DHE-RSA-CHACHA20-POLY1305')

export interface Ciphers {
  ciphers: string[]
  unknown: string[]
}

/** TLS 1.3 always offers its own few suites, so their names are left out of the list. */
export function opensslCiphers(list: string): Ciphers {
  const result: Ciphers = { ciphers: [], unknown: [] }
  for (const name of list.split(/[,:\s]+/).filter(Boolean)) {
    if (/^TLS_(?:AES|CHACHA20)_/.test(name)) continue
    const cipher = suites.get(name) ?? [...suites.values()].find(known => known === name)
    if (cipher === undefined) result.unknown.push(name)
    else result.ciphers.push(cipher)
  }
  return result
}

function ianaName(name: string): string {
  const [, exchange, bits, rest] = /^(.*?)-?AES(\d+)-(.*)$/.exec(name) as RegExpExecArray
  const key = exchange === '' ? 'RSA' : (exchange as string).replaceAll('-', '_')
  const cipher = (rest as string).startsWith('GCM') ? rest : `CBC-${rest}`
  return `TLS_${key}_WITH_AES_${bits}_${(cipher as string).replaceAll('-', '_')}`
}
