import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { exitCodes, Failure } from '../failure.ts'
import { readLogin } from './login-file.ts'
import { parseOpenrc } from '../openrc.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** What Keystone is asked with. Domains and project as the OS_* variables name them. */
export type Identity =
  | { readonly kind: 'password'; readonly user: Named; readonly password: string; readonly project: Named | undefined }
  | ({ readonly kind: 'application-credential'; readonly id: string | undefined; readonly secret: string } & {
      readonly name: string | undefined
      readonly user: Named
    })

export interface Named {
  readonly id: string | undefined
  readonly name: string | undefined
  readonly domainId: string | undefined
  readonly domainName: string | undefined
}

export type Proof =
  /** `authUrl`: where it is from, if that is known. */
  | { readonly kind: 'token'; readonly token: string; readonly authUrl: string | undefined }
  | { readonly kind: 'identity'; readonly authUrl: string; readonly identity: Identity }

export interface Credentials {
  /** Where Gantry's own API is. */
  readonly endpoint: string
  /** Nobody said where: `endpoint` is Keystone's address, and Gantry is there unless the catalog names another place. */
  readonly isGuess: boolean
  readonly proof: Proof
  readonly ca: Buffer | undefined
  /** For messages: where these came from. */
  readonly source: string
}

/**
 * Who is asking and where: the OS_* environment, else what `gantry login` kept, else the openrc that `gantry up` wrote.
 * Throws a `Failure` with exit code 3 when there is none, or when it is incomplete.
 */
export async function findCredentials(env: Env, api: string | undefined): Promise<Credentials> {
  const asked = api ?? env['GANTRY_API']
  if (env['OS_AUTH_URL'] !== undefined || env['OS_TOKEN'] !== undefined) {
    return fromEnv(env, asked, 'The OS_* environment')
  }
  const login = await readLogin(env)
  if (login) {
    if (Date.parse(login.expiresAt) <= Date.now()) throw notLoggedIn('Your log-in has ended.', '`gantry login` again.')
    const proof = { kind: 'token', token: login.token, authUrl: login.authUrl } as const
    const ca = login.caFile === undefined ? undefined : await readCa(login.caFile)
    return { endpoint: originOf(asked ?? login.endpoint), isGuess: false, proof, ca, source: '`gantry login`' }
  }
  const openrc = join(env['GANTRY_HOME'] ?? join(homedir(), '.gantry'), 'openrc')
  const content = await readFile(openrc, 'utf8').catch(() => undefined)
  if (content !== undefined) return fromEnv(parseOpenrc(content), asked, openrc)
  throw notLoggedIn(
    'You are not logged in.',
    'Run `gantry login URL`, or `source openrc` of your cloud, or `gantry up` for a cloud on this machine.',
  )
}

async function fromEnv(env: Env, api: string | undefined, source: string): Promise<Credentials> {
  const authUrl = env['OS_AUTH_URL']
  const where = api ?? authUrl
  if (where === undefined) throw notLoggedIn('OS_TOKEN is set but OS_AUTH_URL is not.', 'Set it, or pass --api URL.')
  const caFile = env['OS_CACERT']
  const ca = caFile === undefined || caFile === '' ? undefined : await readCa(caFile)
  const token = env['OS_TOKEN']
  if (token) {
    const proof = { kind: 'token', token, authUrl: authUrl && authUrlOf(authUrl) } as const
    return { endpoint: originOf(where), isGuess: api === undefined, proof, ca, source }
  }
  if (authUrl === undefined) throw notLoggedIn(`${source} lacks OS_AUTH_URL.`, 'Set it.')
  const proof = { kind: 'identity', authUrl: authUrlOf(authUrl), identity: identityOf(env, source) } as const
  return { endpoint: originOf(where), isGuess: api === undefined, proof, ca, source }
}

/** Where Gantry is, now that the token's catalog is known: beside a real Keystone it has an address of its own. */
export function endpointIn({ endpoint, isGuess }: Credentials, containerUrl: string | undefined): string {
  return isGuess && containerUrl !== undefined ? originOf(containerUrl) : endpoint
}

/** Password or application credential from OS_* names; throws naming what is missing. */
export function identityOf(env: Env, source: string): Identity {
  const user = named(env, 'OS_USER', 'OS_USERNAME')
  const secret = env['OS_APPLICATION_CREDENTIAL_SECRET']
  if (secret) {
    const id = env['OS_APPLICATION_CREDENTIAL_ID']
    const name = env['OS_APPLICATION_CREDENTIAL_NAME']
    return { kind: 'application-credential', id, name, secret, user }
  }
  const password = env['OS_PASSWORD']
  const missing = [...((user.id ?? user.name) ? [] : ['OS_USERNAME']), ...(password ? [] : ['OS_PASSWORD'])]
  if (!password || missing.length > 0) {
    throw notLoggedIn(`${source} lacks ${missing.join(' and ')}.`, 'Set what is missing, or run `gantry login`.')
  }
  const project = named(env, 'OS_PROJECT', 'OS_PROJECT_NAME')
  return { kind: 'password', user, password, project: (project.id ?? project.name) ? project : undefined }
}

function named(env: Env, prefix: string, nameKey: string): Named {
  return {
    id: env[`${prefix}_ID`] || undefined,
    name: env[nameKey] || undefined,
    domainId: env[`${prefix}_DOMAIN_ID`] || undefined,
    domainName: env[`${prefix}_DOMAIN_NAME`] || undefined,
  }
}

/** With `/v3` at the end, as OS_AUTH_URL may or may not have it. */
export function authUrlOf(url: string): string {
  const bare = url.replace(/\/+$/, '')
  return bare.endsWith('/v3') ? bare : `${bare}/v3`
}

export function originOf(url: string): string {
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new Failure(`${url} is not an http or https address.`, { exitCode: exitCodes.usage })
  }
  return new URL(url).origin
}

export async function readCa(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new Failure(`Cannot read the certificate authority ${path}.`, { remedy: 'Correct OS_CACERT.', cause: error })
  }
}

function notLoggedIn(sentence: string, remedy: string): Failure {
  return new Failure(sentence, { remedy, exitCode: exitCodes.notLoggedIn })
}
