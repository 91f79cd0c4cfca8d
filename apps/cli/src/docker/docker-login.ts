import { type Credentials, endpointIn, type Env, findCredentials, originOf } from '../client/credentials.ts'
import { bodyOf, httpClient } from '../client/http.ts'
import { describeToken, fetchToken, type Token } from '../client/keystone.ts'
import { exitCodes, Failure } from '../failure.ts'

export interface DockerLogin {
  readonly token: Token
  readonly authUrl: string
  readonly ca: Buffer | undefined
  /** Who vouches for the Docker API: `ca`, and the authority that the server names. */
  readonly dockerCa: Buffer
  /** Gantry's own API. */
  readonly api: string
  /** `http://host:port` or `https://…`, perhaps with a path. */
  readonly url: string
  /** Where client certificates count. */
  readonly tlsUrl: string
}

/** Logs in (a fresh token each time, unless one is given) and finds the Docker API; DOCKER_SERVER says where if it is set. */
export async function dockerLogin(env: Env, api: string | undefined): Promise<DockerLogin> {
  const credentials = await findCredentials(env, api)
  const { ca } = credentials
  const { token, authUrl } = await tokenOf(credentials)
  const endpoint = endpointIn(credentials, token.containerUrl)
  const places = await askWhere(endpoint, token.token, ca)
  const asked = env['DOCKER_SERVER'] || env['GANTRY_DOCKER_URL']
  return {
    token,
    authUrl,
    ca,
    dockerCa: Buffer.concat([ca ?? Buffer.alloc(0), Buffer.from(`\n${places.ca}`)]),
    api: endpoint,
    url: asked ? httpOf(asked, 'DOCKER_SERVER') : reached(places.url, endpoint),
    tlsUrl: reached(places.tlsUrl, endpoint),
  }
}

async function tokenOf({ endpoint, proof, ca }: Credentials): Promise<{ token: Token; authUrl: string }> {
  if (proof.kind === 'identity') {
    return { token: await fetchToken(proof.authUrl, proof.identity, ca), authUrl: proof.authUrl }
  }
  const authUrl = proof.authUrl ?? `${endpoint}/identity/v3`
  return { token: await describeToken(authUrl, proof.token, ca), authUrl }
}

/** A Docker API that listens on the loopback interface of another machine is reached through its first port. */
function reached(place: string, endpoint: string): string {
  const here = (url: string) => /^(localhost|127\.|\[::1\])/.test(new URL(url).hostname)
  return here(place) && !here(endpoint) ? `${endpoint}/docker` : place
}

interface Places {
  readonly url: string
  readonly tlsUrl: string
  readonly ca: string
}

async function askWhere(api: string, token: string, authority: Buffer | undefined): Promise<Places> {
  const client = await httpClient({ url: api, ca: authority })
  try {
    const answer = await client.open({ path: '/v1/docker', headers: { 'x-auth-token': token } })
    const { url, tlsUrl, ca } = ((await bodyOf(answer)) ?? {}) as Partial<Places>
    if (url && tlsUrl && ca) return { url, tlsUrl, ca }
    const remedy = 'Is this the address of Gantry (--api URL), and is it recent enough?'
    const exitCode = answer.statusCode === 401 ? exitCodes.notLoggedIn : exitCodes.failed
    throw new Failure(`The server does not say where its Docker API is (${answer.statusCode}).`, { remedy, exitCode })
  } finally {
    client.close()
  }
}

/** `tcp://` is how docker writes plain HTTP. */
function httpOf(address: string, name: string): string {
  const url = address.replace(/^tcp:/, 'http:').replace(/\/+$/, '')
  if (/^https?:\/\/./.test(url) && URL.canParse(url)) return url
  originOf(url.includes('://') ? url : `${name}=${address}`)
  return url
}

export function tcpOf(url: string): string {
  return url.replace(/^https?:/, 'tcp:')
}
