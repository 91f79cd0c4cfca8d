import type { IncomingMessage } from 'node:http'
import type { ContainerView, CreateContainer, CreateContainers, HostView, ImageView } from '@gantry/facade-native'
import { exitCodes, Failure } from '../failure.ts'
import { bodyOf, type Call, type HttpClient, httpClient, type Query, type Target } from './http.ts'
import { Patience } from './patience.ts'

export interface QuotaUse {
  readonly projectId: string
  readonly limits: Readonly<Record<string, number>>
  readonly used: Readonly<Record<string, number>>
}

/** Gantry's own API as one caller sees it. Every method throws a `Failure` with the server's sentence. */
export interface Api {
  readonly url: string
  json<T>(call: Call): Promise<T>
  /** A 2xx answer with its body unread. */
  stream(call: Call): Promise<IncomingMessage>
  container(ref: string, query?: Query): Promise<ContainerView>
  /** All pages. */
  containers(query?: Query): Promise<ContainerView[]>
  create(body: CreateContainer): Promise<ContainerView>
  /** The container as it would be, or the first of `count`; nothing is made. */
  rehearse(body: CreateContainer, count?: number): Promise<ContainerView>
  createMany(body: CreateContainers): Promise<{ readonly id: string; readonly name: string }[]>
  act(ref: string, verb: string, query?: Query): Promise<ContainerView>
  delete(ref: string, query?: Query): Promise<void>
  images(query?: Query): Promise<ImageView[]>
  hosts(): Promise<HostView[]>
  close(): void
}

export async function createApi(target: Target, token: string): Promise<Api> {
  const client = await httpClient(target)
  const stream = (call: Call) => openOk(client, token, call)
  const json = async <T>(call: Call): Promise<T> => (await bodyOf(await stream(call))) as T
  return {
    url: target.url,
    json,
    stream,
    container: (ref, query = {}) => json({ path: pathOf(ref), query }),
    containers: (query = {}) => allPages(json, query),
    create: (body) => json({ method: 'POST', path: '/v1/containers', json: body }),
    rehearse: (body, count) =>
      json({
        method: 'POST',
        path: count === undefined ? '/v1/containers' : '/v1/containers/bulk',
        query: { dryRun: true },
        json: { ...body, ...(count !== undefined && { count }) },
      }),
    createMany: async (body) =>
      (
        await json<{ containers: { id: string; name: string }[] }>({
          method: 'POST',
          path: '/v1/containers/bulk',
          json: body,
        })
      ).containers,
    act: (ref, verb, query = {}) => json({ method: 'POST', path: `${pathOf(ref)}/${verb}`, query }),
    delete: (ref, query = {}) => json({ method: 'DELETE', path: pathOf(ref), query }),
    images: async (query = {}) => (await json<{ images: ImageView[] }>({ path: '/v1/images', query })).images,
    hosts: async () => (await json<{ hosts: HostView[] }>({ path: '/v1/hosts' })).hosts,
    close: () => client.close(),
  }
}

/** The path of a container by id or name. */
export function pathOf(ref: string): string {
  return `/v1/containers/${encodeURIComponent(ref)}`
}

async function allPages(json: Api['json'], query: Query): Promise<ContainerView[]> {
  const all: ContainerView[] = []
  let marker: string | undefined
  do {
    const page = await json<{ containers: ContainerView[]; next: string | null }>({
      path: '/v1/containers',
      query: { limit: 500, ...query, marker },
    })
    all.push(...page.containers)
    marker = page.next ?? undefined
  } while (marker !== undefined)
  return all
}

async function openOk(client: HttpClient, token: string, call: Call): Promise<IncomingMessage> {
  const patience = new Patience()
  for (;;) {
    const answer = await client.open({ ...call, headers: { ...call.headers, 'x-auth-token': token } })
    const status = answer.statusCode ?? 0
    if (status >= 200 && status < 300) return answer
    const failure = refusal(status, await bodyOf(answer))
    // Of all that may be busy, this alone was certainly not begun and gets better by itself.
    const mayRepeat = failure.code === 'request.crowded' && !call.input
    if (!mayRepeat || !(await patience.wait(answer, call.signal))) throw failure
  }
}

const remedies: Readonly<Record<string, string>> = {
  'container.not-found': '`gantry ps -a` lists your containers.',
  'container.name-taken': 'Choose another --name, or `gantry rm` the other one.',
  'quota.exceeded': '`gantry quota` shows the limits; `gantry rm` makes room.',
  'auth.required': 'Log in again: `gantry login`, or `source openrc`.',
  'network.not-found': '`gantry network list`, `gantry secgroup list` and the like list what there is.',
  'volume.not-found': '`gantry volume list` and `gantry volume snapshot list` list yours.',
  'capsule.not-found': '`gantry capsule list` lists your capsules.',
  'port.allocated': '`gantry ps` shows who has which port; choose another, or leave the public port out.',
  'image.not-found': '`gantry image list` lists what your project may use.',
  'placement.no-host': '`gantry hosts` shows the hosts (administrators).',
}

function refusal(status: number, body: unknown): Failure {
  const { code, message, requestId } = errorOf(body)
  if (message === undefined) {
    return new Failure(`The server answered ${status} without saying why.`, {
      remedy: 'Is this the address of Gantry (--api URL)?',
    })
  }
  const remedy =
    remedies[code ?? ''] ?? (status >= 500 && requestId ? `The server's log has it as ${requestId}.` : undefined)
  return new Failure(message, {
    exitCode: status === 401 ? exitCodes.notLoggedIn : exitCodes.failed,
    ...(remedy === undefined ? {} : { remedy }),
    ...(code === undefined ? {} : { code }),
  })
}

function errorOf(body: unknown): { code?: string; message?: string; requestId?: string } {
  if (typeof body !== 'object' || body === null || !('error' in body)) return {}
  const { error } = body
  return typeof error === 'object' && error !== null ? error : {}
}
