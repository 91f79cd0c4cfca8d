import type { RegistryLogin } from '@gantry/control'
import { Fault } from '@gantry/kernel'

type Login = NonNullable<RegistryLogin>

/** `X-Registry-Auth`: base64url JSON of one login; clients send an empty one too. Never told to anybody. */
export function loginOf(header: string | string[] | undefined, domain: string): RegistryLogin {
  return loginIn(decoded(header), domain)
}

/** `X-Registry-Config`: logins by the registry's address. */
export function loginsOf(header: string | string[] | undefined): Login[] {
  return Object.entries(decoded(header)).flatMap(([address, value]) => {
    const login = typeof value === 'object' && value !== null ? loginIn({ ...value }, registryAt(address)) : null
    return login ? [login] : []
  })
}

/** Docker Hub is the registry without a name. */
export function registryAt(address: string): string {
  const domain = address.replace(/^https?:\/\//i, '').replace(/\/.*$/, '')
  return /^(index\.|registry-1\.)?docker\.io$/i.test(domain) ? '' : domain
}

/** A login as a JSON object of the API has it. */
export function loginIn(fields: Readonly<Record<string, unknown>>, domain: string): RegistryLogin {
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : '')
  const [username, password] = [text('username'), text('password')]
  if (password === '' && (text('identitytoken') !== '' || text('registrytoken') !== '')) {
    const reason = 'log in with a user name and a password or an access token'
    throw new Fault('request.unsupported', { feature: 'A login by an identity token', reason })
  }
  return username === '' ? null : { domain, username, password }
}

function decoded(header: string | string[] | undefined): Readonly<Record<string, unknown>> {
  if (typeof header !== 'string' || header === '') return {}
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // What is in it must not be repeated.
  }
  throw new Fault('request.invalid', { problem: 'invalid X-Registry-Auth or X-Registry-Config header' })
}
