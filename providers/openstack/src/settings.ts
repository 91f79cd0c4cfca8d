import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Fault, reasonOf } from '@gantry/kernel'
import type { Credential, Interface, Named } from '@gantry/openstack'

/** Which OpenStack the server works beside, and who it is there. */
export interface CloudSettings {
  /** Keystone, with or without `/v3`. */
  readonly authUrl: string
  /** The service user's. */
  readonly credential: Credential
  /** Needed where there are several. */
  readonly region?: string
  readonly interface: Interface
  /** PEM; in place of the authorities that the machine trusts. */
  readonly caFile?: string
  /** Any certificate is good enough: for trying things out. */
  readonly insecure: boolean
  /** By type of service (`image`), in place of the catalog's. */
  readonly endpoints: Readonly<Record<string, string>>
}

type Fields = Readonly<Record<string, unknown>>

const topKeys = ['auth', 'auth_type', 'region_name', 'interface', 'endpoint_type', 'cacert', 'verify']
const authKeys = [
  'auth_url',
  'username',
  'user_id',
  'password',
  'project_name',
  'project_id',
  'user_domain_name',
  'user_domain_id',
  'project_domain_name',
  'project_domain_id',
  'application_credential_id',
  'application_credential_secret',
  'trust_id',
]
/** Where a cloud was set up with the names of Keystone's manual, as almost all are. */
const usualDomain = { id: 'default' }

/**
 * Reads the file, which has the keys that one cloud has in a `clouds.yaml`. Throws `machine.unfit` with a sentence for each
 * mistake. `warn` is told what does no harm yet: that others may read it, and keys that mean nothing here.
 */
export async function readCloudSettings(
  file: string,
  warn: (sentence: string) => void = () => undefined,
): Promise<CloudSettings> {
  const text = await textOf(file)
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0) {
    warn(`The file ${file} holds a password, and other users of this machine may read it: chmod 600 ${file}.`)
  }
  const { parse } = await import('yaml')
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    // Only the first line: the others show what stands in the file.
    throw unfit(file, `is not YAML: ${reasonOf(error).split('\n', 1)[0] ?? ''}`)
  }
  return cloudSettings(document, file, warn)
}

/** What the document of such a file says; relative paths in it are relative to the file. */
export function cloudSettings(
  document: unknown,
  file: string,
  warn: (sentence: string) => void = () => undefined,
): CloudSettings {
  const top = fieldsOf(document, file, 'must have the key "auth" with "auth_url" and who the server logs in as')
  if ('clouds' in top) {
    throw unfit(file, 'is a whole clouds.yaml: it must have what stands below the name of one cloud there')
  }
  const auth = fieldsOf(top['auth'], file, 'lacks "auth", with "auth_url" and who the server logs in as')
  const text = (fields: Fields, key: string) => textAt(fields, key, file)
  const strange = Object.keys(auth).find((key) => !authKeys.includes(key))
  if (strange !== undefined) throw unfit(file, `has the key "${strange}" in "auth"; there are: ${authKeys.join(', ')}`)
  for (const key of Object.keys(top)) {
    if (topKeys.includes(key) || /_endpoint_override$|_api_version$/.test(key)) continue
    warn(`The key "${key}" in ${file} means nothing here.`)
  }
  const authUrl = text(auth, 'auth_url')
  if (authUrl === undefined) throw unfit(file, 'lacks "auth_url" in "auth"')
  if (!isHttp(authUrl)) throw unfit(file, `has "auth_url" ${authUrl}, which is no http or https URL`)
  const region = text(top, 'region_name')
  const caFile = text(top, 'cacert')
  return {
    authUrl,
    credential: credentialOf(auth, file),
    interface: interfaceOf(text(top, 'interface') ?? text(top, 'endpoint_type') ?? 'public', file),
    insecure: top['verify'] === false,
    endpoints: endpointsOf(top, file),
    ...(region !== undefined && { region }),
    ...(caFile !== undefined && { caFile: resolve(dirname(file), caFile) }),
  }
}

function credentialOf(auth: Fields, file: string): Credential {
  const text = (key: string) => textAt(auth, key, file)
  const id = text('application_credential_id')
  if (id !== undefined) {
    const secret = text('application_credential_secret')
    if (secret === undefined) throw unfit(file, 'lacks "application_credential_secret" in "auth"')
    return { kind: 'application-credential', id, secret }
  }
  const password = text('password')
  const user = namedOf(auth, 'user', file)
  if (user === null || password === undefined) {
    throw unfit(
      file,
      'lacks in "auth" who the server is: "username" and "password", or "application_credential_id" and "…_secret"',
    )
  }
  const project = namedOf(auth, 'project', file)
  const trustId = text('trust_id')
  if (trustId !== undefined) {
    if (project !== null) throw unfit(file, 'has both a project and "trust_id" in "auth": a trust has its own project')
    return { kind: 'password', user, password, scope: { kind: 'trust', trustId } }
  }
  if (project === null) throw unfit(file, 'lacks "project_name" in "auth": the project of the service user')
  return { kind: 'password', user, password, scope: { kind: 'project', project } }
}

function namedOf(auth: Fields, kind: 'user' | 'project', file: string): Named | null {
  const text = (key: string) => textAt(auth, key, file)
  const id = text(`${kind}_id`)
  if (id !== undefined) return { id }
  const name = text(kind === 'user' ? 'username' : 'project_name')
  if (name === undefined) return null
  const domainId = text(`${kind}_domain_id`)
  const domainName = text(`${kind}_domain_name`)
  if (domainId !== undefined) return { name, domain: { id: domainId } }
  return { name, domain: domainName === undefined ? usualDomain : { name: domainName } }
}

function interfaceOf(word: string, file: string): Interface {
  const kind = word.replace(/URL$/, '')
  if (kind === 'public' || kind === 'internal' || kind === 'admin') return kind
  throw unfit(file, `has "interface" ${word}; there are: public, internal, admin`)
}

/** `image_endpoint_override: http://…`. */
function endpointsOf(top: Fields, file: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const key of Object.keys(top)) {
    const type = /^(.+)_endpoint_override$/.exec(key)?.[1]
    const url = type === undefined ? undefined : textAt(top, key, file)
    if (type === undefined || url === undefined) continue
    if (!isHttp(url)) throw unfit(file, `has "${key}" ${url}, which is no http or https URL`)
    found[type.replaceAll('_', '-')] = url
  }
  return found
}

function isHttp(url: string): boolean {
  return /^https?:/.test(url) && URL.canParse(url)
}

function textAt(fields: Fields, key: string, file: string): string | undefined {
  const value = fields[key]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw unfit(file, `has "${key}", which is no text; a number needs quotes`)
}

function fieldsOf(value: unknown, file: string, problem: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw unfit(file, problem)
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw unfit(file, `cannot be read: ${reasonOf(error)}`)
  }
}

function unfit(file: string, problem: string): Fault {
  return new Fault('machine.unfit', {
    problem: `The file ${file} ${problem}.`,
    remedy: 'docs/operate/openstack.md shows what it must say; gantry openstack register writes it.',
  })
}
