import { exitCodes, Failure } from '../failure.ts'
import type { Identity, Named } from './credentials.ts'
import { bodyOf, httpClient } from './http.ts'

export interface Token {
  readonly token: string
  /** ISO 8601. */
  readonly expiresAt: string
  readonly user: string
  readonly userId: string
  readonly project: string
  readonly projectId: string
  /** The public address of the container service, if the catalog names one. */
  readonly containerUrl: string | undefined
}

interface TokenBody {
  readonly token?: {
    readonly expires_at?: string
    readonly user?: { readonly id?: string; readonly name?: string }
    readonly project?: { readonly id?: string; readonly name?: string }
    readonly catalog?: readonly {
      readonly type?: string
      readonly endpoints?: readonly { readonly interface?: string; readonly url?: string }[]
    }[]
  }
}

/** `POST {authUrl}/auth/tokens` (Identity API v3). Throws exit code 3 when Keystone refuses. */
export async function fetchToken(
  authUrl: string,
  identity: Identity,
  ca: Buffer | undefined,
  signal?: AbortSignal,
): Promise<Token> {
  const client = await httpClient({ url: authUrl, ca })
  try {
    const answer = await client.open({
      method: 'POST',
      path: '/auth/tokens',
      json: authBody(identity),
      repeatable: true,
      ...(signal ? { signal } : {}),
    })
    const body = (await bodyOf(answer)) as (TokenBody & { error?: { message?: string } }) | undefined
    const token = answer.headers['x-subject-token']
    if (answer.statusCode !== 201 || typeof token !== 'string') throw refused(authUrl, answer.statusCode ?? 0, body)
    return tokenFrom(token, body)
  } finally {
    client.close()
  }
}

/** What a token that somebody else took stands for (`GET {authUrl}/auth/tokens`). Throws exit code 3 if it is not valid. */
export async function describeToken(authUrl: string, token: string, ca: Buffer | undefined): Promise<Token> {
  const client = await httpClient({ url: authUrl, ca })
  try {
    const headers = { 'x-auth-token': token, 'x-subject-token': token }
    const answer = await client.open({ path: '/auth/tokens', headers, repeatable: true })
    const body = (await bodyOf(answer)) as (TokenBody & { error?: { message?: string } }) | undefined
    if (answer.statusCode !== 200) throw refused(authUrl, answer.statusCode ?? 0, body)
    return tokenFrom(token, body)
  } finally {
    client.close()
  }
}

function tokenFrom(token: string, body: TokenBody | undefined): Token {
  const { expires_at: expiresAt = '', user, project, catalog } = body?.token ?? {}
  const service = catalog?.find(({ type }) => type === 'container')
  const containerUrl = service?.endpoints?.find((endpoint) => endpoint.interface === 'public')?.url
  return {
    token,
    expiresAt,
    user: user?.name ?? '',
    userId: user?.id ?? '',
    project: project?.name ?? '',
    projectId: project?.id ?? '',
    containerUrl,
  }
}

/** A long-lived log-in of the token's user in its project; the secret is never shown again. */
export async function createAppCredential(
  authUrl: string,
  { token, userId }: Pick<Token, 'token' | 'userId'>,
  input: { readonly name: string; readonly description: string },
  ca: Buffer | undefined,
): Promise<{ id: string; secret: string }> {
  const client = await httpClient({ url: authUrl, ca })
  try {
    const answer = await client.open({
      method: 'POST',
      path: `/users/${encodeURIComponent(userId)}/application_credentials`,
      headers: { 'x-auth-token': token },
      json: { application_credential: input },
    })
    const body = (await bodyOf(answer)) as
      | { application_credential?: { id?: string; secret?: string }; error?: { message?: string } }
      | undefined
    const { id, secret } = body?.application_credential ?? {}
    if (answer.statusCode === 201 && id !== undefined && secret !== undefined) return { id, secret }
    throw new Failure(body?.error?.message ?? 'No application credential was made.', {
      remedy: 'It takes a log-in by password; another application credential must not make one.',
    })
  } finally {
    client.close()
  }
}

/** `DELETE {authUrl}/auth/tokens`: the token is worth nothing afterwards. */
export async function revokeToken(authUrl: string, token: string, ca: Buffer | undefined): Promise<void> {
  const client = await httpClient({ url: authUrl, ca })
  try {
    const headers = { 'x-auth-token': token, 'x-subject-token': token }
    const answer = await client.open({ method: 'DELETE', path: '/auth/tokens', headers })
    answer.resume()
  } finally {
    client.close()
  }
}

function refused(authUrl: string, status: number, body: { error?: { message?: string } } | undefined): Failure {
  const said = body?.error?.message
  if (status === 401) {
    const remedy = 'Check user, password and project (OS_* or `gantry login`).'
    return new Failure(said ?? 'The log-in was refused.', { remedy, exitCode: exitCodes.notLoggedIn })
  }
  return new Failure(`The log-in at ${authUrl} was answered with ${status}${said ? `: ${said}` : ''}.`, {
    remedy: 'Check OS_AUTH_URL; it ends in /v3.',
  })
}

/** The request body; scope is left out for an application credential, which has one of its own. */
export function authBody(identity: Identity): object {
  if (identity.kind === 'application-credential') {
    const { id, name, secret, user } = identity
    const which = id === undefined ? { name, user: userOf(user) } : { id }
    return { auth: { identity: { methods: ['application_credential'], application_credential: { ...which, secret } } } }
  }
  const { user, password, project } = identity
  const scope = project ? { scope: { project: userOf(project) } } : {}
  return { auth: { identity: { methods: ['password'], password: { user: { ...userOf(user), password } } }, ...scope } }
}

/** An id stands for itself; a name needs its domain, `Default` unless told. */
function userOf({ id, name, domainId, domainName }: Named): object {
  if (id !== undefined) return { id }
  const domain = domainId === undefined ? { name: domainName ?? 'Default' } : { id: domainId }
  return { name, domain }
}
