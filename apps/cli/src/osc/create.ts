import type { ImageView } from '@gantry/facade-native'
import { createApi } from '../client/api.ts'
import { Failure } from '../failure.ts'
import type { DockerApi } from './docker-api.ts'
import type { PublishedPort } from './port-of.ts'
import { wordsOf } from './words-of.ts'

export interface CreateOptions {
  readonly image: string
  readonly name?: string
  readonly cmd?: string
  readonly port?: readonly PublishedPort[]
  readonly env?: readonly string[]
  readonly network?: string
  readonly daemon?: boolean
}

/** Creates and starts it; answers with its id. An image that is not there yet is pulled; what cannot start is gone again. */
export async function createContainer(docker: DockerApi, options: CreateOptions): Promise<string> {
  const image = await imageName(docker, options.image)
  const bindings = (options.port ?? []).map(
    ({ inside, outside }) => [inside, { HostIp: '', HostPort: outside }] as const,
  )
  const json = {
    Image: image,
    ...(options.cmd === undefined ? {} : { Cmd: wordsOf(options.cmd) }),
    ...(options.env ? { Env: options.env } : {}),
    ExposedPorts: Object.fromEntries(bindings.map(([inside]) => [inside, {}])),
    HostConfig: {
      PortBindings: grouped(bindings),
      ...(options.network === undefined ? {} : { NetworkMode: options.network }),
    },
  }
  const create = () =>
    docker.json<{ Id: string }>({ method: 'POST', path: '/containers/create', query: { name: options.name }, json })
  const { Id } = await create().catch(async (error: unknown) => {
    if (!(error instanceof Failure) || error.code !== '404' || !/image/i.test(error.message)) throw error
    await pull(docker, image)
    return create()
  })
  try {
    await docker.json({ method: 'POST', path: `/containers/${Id}/start` })
  } catch (error) {
    // Its id was never told, so nobody else would remove it; why it did not start matters more than why it stays.
    await docker.json({ method: 'DELETE', path: `/containers/${Id}`, query: { force: 1 } }).catch(() => undefined)
    throw error
  }
  return Id
}

/** Several addresses may lead to one port inside. */
function grouped<T>(pairs: readonly (readonly [string, T])[]): Record<string, T[]> {
  const groups: Record<string, T[]> = {}
  for (const [key, value] of pairs) groups[key] = [...(groups[key] ?? []), value]
  return groups
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Images that a project saved have ids of the cloud besides their names; the Docker API knows the names. */
async function imageName({ login }: DockerApi, wanted: string): Promise<string> {
  if (!uuid.test(wanted)) return wanted
  const api = await createApi({ url: login.api, ca: login.ca }, login.token.token)
  try {
    const found = (await api.images()).find(({ id }: ImageView) => id === wanted.toLowerCase())
    if (!found) return wanted
    return found.repo === '' ? (found.imageId ?? wanted) : `${found.repo}:${found.tag}`
  } finally {
    api.close()
  }
}

/** The answer is 200 before the outcome is known; the last lines tell. */
async function pull(docker: DockerApi, image: string): Promise<void> {
  const { text } = await import('node:stream/consumers')
  const answer = await docker.stream({ method: 'POST', path: '/images/create', query: pullQuery(image) })
  const failed = /"error":"((?:[^"\\]|\\.)*)"/.exec(await text(answer))?.[1]
  if (failed !== undefined) throw new Failure(`The image ${image} could not be pulled: ${failed}`)
}

/** Without a tag the API would pull all of them. */
function pullQuery(image: string): { fromImage: string; tag?: string } {
  const tagged = /:[^/]+$|@/.test(image)
  return tagged ? { fromImage: image } : { fromImage: image, tag: 'latest' }
}
