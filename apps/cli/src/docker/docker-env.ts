import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { createApi } from '../client/api.ts'
import type { Env } from '../client/credentials.ts'
import { createAppCredential, fetchToken } from '../client/keystone.ts'
import { Failure } from '../failure.ts'
import { provideCertificate } from './certificate-files.ts'
import { configDirFor, ownConfigDir, readConfig, writeDockerConfig } from './docker-config.ts'
import { type DockerLogin, dockerLogin, tcpOf } from './docker-login.ts'
import { dockerVariables, headersOf, trusting } from './run-docker.ts'

export interface DockerEnvOptions {
  readonly write?: string
  readonly context?: string
  readonly tls?: boolean
  readonly appCredential?: boolean
  readonly unset?: boolean
  readonly api?: string
}

/** What a shell must be told, as lines for `eval`; words for a person are comments. */
export async function dockerEnv(options: DockerEnvOptions, env: Env): Promise<string[]> {
  const all = [...dockerVariables, 'DOCKER_CONFIG']
  if (options.unset) return [`unset ${all.join(' ')}`]
  const login = await dockerLogin(env, options.api)
  const { user, project, projectId, expiresAt } = login.token
  const dir = resolve(options.write ?? configDirFor(env, { url: login.url, user, projectId }))
  const who = `# ${user} in project ${project}`
  if (options.tls || options.context !== undefined) {
    const made = await certificateFor(login, dir)
    const until = `${who}, until ${made.expiresAt} and with no token.`
    if (options.context !== undefined) {
      keepContext(options.context, login, dir)
      return [until, `# Try: docker --context ${options.context} ps`]
    }
    const settings = { DOCKER_HOST: tcpOf(login.tlsUrl), DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: dir }
    return [until, ...exported(settings, dockerVariables)]
  }
  const headers = options.appCredential ? await credentialHeaders(login, dir) : headersOf(login)
  await writeDockerConfig(dir, ownConfigDir(env), headers)
  const tls = login.url.startsWith('https:') ? await trusting(dir, login.dockerCa) : {}
  const until = options.appCredential
    ? `${who}, until the application credential is deleted.`
    : `${who}, until ${expiresAt}; then run this again.`
  return [until, ...exported({ DOCKER_HOST: tcpOf(login.url), DOCKER_CONFIG: dir, ...tls }, dockerVariables)]
}

async function certificateFor(login: DockerLogin, dir: string): Promise<{ expiresAt: string }> {
  const api = await createApi({ url: login.api, ca: login.ca }, login.token.token)
  try {
    return await provideCertificate(api, dir)
  } finally {
    api.close()
  }
}

/** The one that this folder has already if it still works, else a new one. */
async function credentialHeaders(login: DockerLogin, dir: string): Promise<Record<string, string>> {
  const { authUrl, ca, token } = login
  const known = (await readConfig(dir))['HttpHeaders'] as Record<string, unknown> | undefined
  const id = known?.['X-Auth-Application-Credential-Id']
  const secret = known?.['X-Auth-Application-Credential-Secret']
  if (typeof id === 'string' && typeof secret === 'string' && (await works(login, id, secret))) {
    return credentialHeadersOf(id, secret, token.projectId)
  }
  const name = `gantry-docker-${hostname()}-${Date.now().toString(36)}`
  const made = await createAppCredential(authUrl, token, { name, description: `Of ${join(dir, 'config.json')}.` }, ca)
  return credentialHeadersOf(made.id, made.secret, token.projectId)
}

async function works({ authUrl, ca, token }: DockerLogin, id: string, secret: string): Promise<boolean> {
  const nobody = { id: undefined, name: undefined, domainId: undefined, domainName: undefined }
  const identity = { kind: 'application-credential', id, name: undefined, secret, user: nobody } as const
  const found = await fetchToken(authUrl, identity, ca).catch(() => undefined)
  return found?.projectId === token.projectId && found.userId === token.userId
}

function credentialHeadersOf(id: string, secret: string, projectId: string): Record<string, string> {
  return {
    'X-Auth-Application-Credential-Id': id,
    'X-Auth-Application-Credential-Secret': secret,
    'X-Auth-Project-Id': projectId,
  }
}

/** Made, or brought up to date, with the docker command itself: where contexts are kept is its own business. */
function keepContext(name: string, login: DockerLogin, dir: string): void {
  const file = (title: string, path: string) => `${title}=${join(dir, path)}`
  const host = `host=${tcpOf(login.tlsUrl)}`
  const place = [host, file('ca', 'ca.pem'), file('cert', 'cert.pem'), file('key', 'key.pem')].join(',')
  const about = `Gantry: ${login.token.user} in project ${login.token.project}`
  const exists = docker(['context', 'inspect', name]).status === 0
  const verb = exists ? 'update' : 'create'
  const { status, stderr } = docker(['context', verb, name, '--docker', place, '--description', about])
  if (status !== 0) throw new Failure(`docker did not ${verb} the context ${name}: ${stderr.trim()}`)
}

function docker(args: readonly string[]): { status: number; stderr: string } {
  const { status, stderr, error } = spawnSync('docker', args, { encoding: 'utf8' })
  if (error) {
    const remedy = 'Install it (apt-get install docker.io), or use --tls without --context.'
    throw new Failure('The docker command could not be started.', { remedy, cause: error })
  }
  return { status: status ?? 1, stderr }
}

/** Variables of docker that are not set are unset, so that what another cloud left behind does not count. */
function exported(settings: Readonly<Record<string, string>>, known: readonly string[]): string[] {
  const stale = known.filter((name) => !Object.hasOwn(settings, name))
  const lines = Object.entries(settings).map(([name, value]) => `export ${name}=${quoted(value)}`)
  return [`unset ${stale.join(' ')}`, ...lines]
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`
}
