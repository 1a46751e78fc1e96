// What a sasl.jaas.config says, under the names of librdkafka.

import { type LoginModule, parseJaas } from './jaas.ts'

export interface Login {
  properties: [name: string, value: string][]
  /** How many options of the module have no equal here. Not named: a broken quote makes names of values. */
  unused: number
}

/** Options of a login module by class, and what they are called here. */
const modules: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['PlainLoginModule', userAndPassword()],
  ['ScramLoginModule', userAndPassword()],
  [
    'Krb5LoginModule',
    new Map([
      ['keyTab', 'sasl.kerberos.keytab'],
      ['principal', 'sasl.kerberos.principal'],
      ['serviceName', 'sasl.kerberos.service.name']
    ])
  ],
  [
    'OAuthBearerLoginModule',
    new Map([
      ['clientId', 'sasl.oauthbearer.client.id'],
      ['clientSecret', 'sasl.oauthbearer.client.secret'],
      ['scope', 'sasl.oauthbearer.scope']
    ])
  ]
])

// What only tells the JVM how to go about it.
const harmless =
  /^(?:useKeyTab|storeKey|useTicketCache|doNotPrompt|isInitiator|debug|refreshKrb5Config|renewTGT)$/

/** Throws an Error that says what is wrong and what to set, and never quotes a value. */
export function readLogin(text: string): Login {
  let login: LoginModule
  try {
    login = parseJaas(text)
  } catch (error) {
    const form =
      'Set org.apache.kafka.common.security.plain.PlainLoginModule required username="…" password="…";'
    throw new Error(`${(error as Error).message}. ${form}`)
  }
  const names = modules.get(login.name)
  if (!names) {
    const known = [...modules.keys()].join(', ')
    throw new Error(`the login module ${login.className} cannot run here. Set one of ${known}`)
  }
  checkOptions(login, names)
  return translate(login, names)
}

function checkOptions(login: LoginModule, names: ReadonlyMap<string, string>): void {
  if (login.options.has('tokenauth')) {
    throw new Error(
      'delegation tokens (tokenauth) cannot be used here. Set a user and its password'
    )
  }
  const unsigned = [...login.options.keys()].find(name => name.startsWith('unsecuredLogin'))
  if (unsigned !== undefined) {
    throw new Error(
      `${unsigned}: unsigned tokens are for tests only. Set clientId and clientSecret`
    )
  }
  for (const name of ['username', 'password']) {
    if (names.has(name) && !login.options.get(name))
      throw new Error(`the ${name} is missing. Set ${name}="…"`)
  }
  for (const name of ['keyTab', 'principal', 'serviceName']) {
    // librdkafka puts them into a command for a shell.
    if (/["'`$;|&<>(){}\\\s%]/.test(login.options.get(name) ?? ''))
      throw new Error(`${name} has a sign in it that a shell would act on. Set another one`)
  }
  if (login.name === 'Krb5LoginModule' && !login.options.has('principal'))
    throw new Error('the principal is missing. Set keyTab="…" principal="…"')
}

function translate(login: LoginModule, names: ReadonlyMap<string, string>): Login {
  const found: Login = { properties: [], unused: 0 }
  const extensions: string[] = []
  for (const [option, value] of login.options) {
    const name = names.get(option)
    if (name !== undefined) found.properties.push([name, value])
    else if (login.name === 'OAuthBearerLoginModule' && option.startsWith('extension_'))
      extensions.push(`${option.slice('extension_'.length)}=${value}`)
    else if (!harmless.test(option)) found.unused++
  }
  if (extensions.length > 0)
    found.properties.push(['sasl.oauthbearer.extensions', extensions.join(',')])
  return found
}

function userAndPassword(): ReadonlyMap<string, string> {
  return new Map([
    ['username', 'sasl.username'],
    ['password', 'sasl.password']
  ])
}
