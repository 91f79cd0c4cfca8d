import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { reasonOf } from '@gantry/kernel'
import { type Cloud, type Context, openCloud, type Session } from '@gantry/openstack'
import { type CloudSettings, cloudSettings } from '@gantry/providers-openstack/settings'
import type { Env } from '../client/credentials.ts'
import { exitCodes, Failure } from '../failure.ts'

/** An OpenStack as its administrator reaches it. */
export interface AdminCloud extends AsyncDisposable {
  readonly settings: CloudSettings
  readonly cloud: Cloud
  readonly session: Session
  /** One for each call: bounded, because a person waits. */
  readonly context: () => Context
}

type Fields = Record<string, unknown>

/** Longer than a slow Keystone takes. Milliseconds. */
const patienceMs = 60_000

/** As the OS_* variables say, or the entry `name` of a clouds.yaml. Throws a `Failure` that says what is missing. */
export async function adminCloud(env: Env, name: string | undefined): Promise<AdminCloud> {
  const settings = await adminSettings(env, name ?? env['OS_CLOUD'])
  return await openAdmin(settings)
}

/** The same for settings that were read already. */
export async function openAdmin(settings: CloudSettings): Promise<AdminCloud> {
  const { authUrl, credential, region, interface: kind, caFile, insecure, endpoints } = settings
  const cloud = await openCloud({
    authUrl,
    interface: kind,
    insecure,
    endpoints,
    patience: { tries: 2, baseMs: 250, maxMs: 1000, mostAskedMs: 5000 },
    ...(region !== undefined && { region }),
    ...(caFile !== undefined && { caFile }),
  })
  return {
    settings,
    cloud,
    session: cloud.session(credential),
    context: () => ({ signal: AbortSignal.timeout(patienceMs) }),
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  }
}

async function adminSettings(env: Env, name: string | undefined): Promise<CloudSettings> {
  if (name !== undefined && name !== '') {
    const { entry, file } = await entryOf(name, env)
    return withScope(cloudSettings(entry, `${file} (cloud ${name})`), (entry['auth'] as Fields)?.['system_scope'])
  }
  const auth = authOf(env)
  const missing = ['auth_url', ...('application_credential_id' in auth ? [] : ['username', 'password'])].filter(
    (key) => auth[key] === undefined && !(key === 'username' && auth['user_id'] !== undefined),
  )
  if (missing.length > 0) {
    throw new Failure(`The environment lacks ${missing.map((key) => `OS_${key.toUpperCase()}`).join(', ')}.`, {
      remedy:
        'Source the openrc of an administrator of the cloud, or name an entry of your clouds.yaml with --os-cloud.',
      exitCode: exitCodes.notLoggedIn,
    })
  }
  const document = {
    auth,
    region_name: env['OS_REGION_NAME'] || undefined,
    interface: env['OS_INTERFACE'] || env['OS_ENDPOINT_TYPE'] || undefined,
    cacert: env['OS_CACERT'] || undefined,
    ...(env['OS_INSECURE'] === 'true' && { verify: false }),
  }
  // Relative paths of an environment are relative to where one is.
  return withScope(cloudSettings(document, join(process.cwd(), 'OS_*')), env['OS_SYSTEM_SCOPE'])
}

/** The keys of `auth`, from the variables of the same names. A project is not needed where the scope is the whole system. */
function authOf(env: Env): Fields {
  const keys =
    'auth_url username user_id password project_name project_id user_domain_name user_domain_id project_domain_name ' +
    'project_domain_id application_credential_id application_credential_secret'
  const pairs = keys.split(' ').map((key) => [key, env[`OS_${key.toUpperCase()}`]] as const)
  const auth: Fields = Object.fromEntries(pairs.filter(([, value]) => value !== undefined && value !== ''))
  return env['OS_SYSTEM_SCOPE'] ? { ...auth, project_name: 'none' } : auth
}

function withScope(settings: CloudSettings, system: unknown): CloudSettings {
  const { credential } = settings
  if (!system || credential.kind !== 'password') return settings
  return { ...settings, credential: { ...credential, scope: { kind: 'system' } } }
}

async function entryOf(name: string, env: Env): Promise<{ entry: Fields; file: string }> {
  const { file, document } = await cloudsFile(env)
  const entry = fieldsOf(fieldsOf(document['clouds'])[name])
  if (Object.keys(entry).length === 0) {
    const there = Object.keys(fieldsOf(document['clouds'])).join(', ') || 'none'
    throw new Failure(`There is no cloud ${name} in ${file}.`, { remedy: `There are: ${there}.` })
  }
  const secret = await parsed(join(file, '..', 'secure.yaml')).catch(() => null)
  const secretEntry = fieldsOf(fieldsOf(fieldsOf(secret)['clouds'])[name])
  const auth = { ...fieldsOf(entry['auth']), ...fieldsOf(secretEntry['auth']) }
  const { system_scope: system, ...others } = auth
  return { entry: { ...entry, auth: system ? { ...others, project_name: 'none' } : others }, file }
}

/** Where OpenStack's own clients look. */
async function cloudsFile(env: Env): Promise<{ file: string; document: Fields }> {
  const named = env['OS_CLIENT_CONFIG_FILE']
  const places = named
    ? [named]
    : ['clouds.yaml', join(homedir(), '.config/openstack/clouds.yaml'), '/etc/openstack/clouds.yaml']
  for (const file of places) {
    try {
      return { file, document: fieldsOf(await parsed(file)) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw new Failure(`${file} cannot be read: ${reasonOf(error).split('\n', 1)[0] ?? ''}.`, { cause: error })
    }
  }
  throw new Failure(`There is no clouds.yaml: ${places.join(', ')}.`, { remedy: 'Source an openrc file instead.' })
}

async function parsed(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8')
  const { parse } = await import('yaml')
  return parse(text)
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}
