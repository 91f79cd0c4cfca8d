import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from './engine-error.ts'
import type { EngineAnswer, EngineTransport } from './engine-transport.ts'
import type {
  ContainerInspect,
  ContainerStats,
  ContainerSummary,
  ContainerTop,
  CreateBody,
  ImageInspect,
  Limits,
  TuningBody,
} from './engine-types.ts'
import { fullImageName } from './full-image-name.ts'
import { podmanLimits } from './podman-limits.ts'

export interface LogQuery {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly timestamps: boolean
  readonly follow: boolean
  readonly tail: number | null
  /** Epoch seconds. */
  readonly since: number | null
  readonly until: number | null
  readonly details?: boolean
}

/** `ref` is an engine id or name. Repeating a call that has already had its effect is not an error. */
export interface ContainerApi {
  /** Empty name: one is made up. */
  create(name: string, body: CreateBody, signal?: AbortSignal): Promise<{ readonly Id: string }>
  inspect(ref: string, signal?: AbortSignal): Promise<ContainerInspect>
  /** All states, those with every label (`key=value`). */
  list(labels: readonly string[], signal?: AbortSignal): Promise<ContainerSummary[]>
  start(ref: string, signal?: AbortSignal): Promise<void>
  stop(ref: string, graceSeconds: number, signal?: AbortSignal): Promise<void>
  kill(ref: string, killSignal: string, signal?: AbortSignal): Promise<void>
  pause(ref: string, signal?: AbortSignal): Promise<void>
  unpause(ref: string, signal?: AbortSignal): Promise<void>
  /** Kills it first if it runs; its anonymous volumes go too. */
  remove(ref: string, signal?: AbortSignal): Promise<void>
  /** Resolves when it is gone from the engine. */
  waitRemoved(ref: string, signal?: AbortSignal): Promise<void>
  update(ref: string, limits: Limits & Partial<TuningBody>, signal?: AbortSignal): Promise<void>
  resize(ref: string, rows: number, columns: number, signal?: AbortSignal): Promise<void>
  top(ref: string, psArgs: string | null, signal?: AbortSignal): Promise<ContainerTop>
  /** Two samples a second apart; takes that long. */
  stats(ref: string, signal?: AbortSignal): Promise<ContainerStats>
  logs(ref: string, query: LogQuery, signal?: AbortSignal): Promise<Readable>
  /** Its own stdin one way, its output the other (framed without a tty), from now on; with `history`, all output before too. */
  attach(ref: string, query: { stdin: boolean; history: boolean }, signal?: AbortSignal): Promise<Socket>
  archiveGet(ref: string, path: string, signal?: AbortSignal): Promise<EngineAnswer>
  archivePut(
    ref: string,
    path: string,
    tar: Readable,
    signal?: AbortSignal,
    options?: { readonly noOverwriteDirNonDir?: boolean; readonly copyUidGid?: boolean },
  ): Promise<void>
  /** Resolves with the new image's id. The container is paused meanwhile, unless told. */
  commit(
    ref: string,
    repo: string,
    tag: string,
    signal?: AbortSignal,
    options?: CommitOptions,
  ): Promise<{ readonly Id: string }>
}

export interface CommitOptions {
  readonly author?: string
  readonly comment?: string
  /** Lines of a Dockerfile. */
  readonly changes?: readonly string[]
  readonly pause?: boolean
  /** The API's container config: what the image says instead of the container. */
  readonly config?: Readonly<Record<string, unknown>>
}

export function containerApi(transport: EngineTransport): ContainerApi {
  const path = (ref: string, verb = '') => `/containers/${encodeURIComponent(ref)}${verb}`
  const post = async (at: string, signal?: AbortSignal, more: Partial<Parameters<typeof transport.json>[0]> = {}) => {
    await transport.json<unknown>({ method: 'POST', path: at, ...(signal && { signal }), ...more })
  }
  const get = <T>(at: string, signal?: AbortSignal, query = {}) =>
    transport.json<T>({ path: at, query, ...(signal && { signal }) })

  const imageName = async (ref: string) => ((await transport.isPodman()) ? fullImageName(ref) : ref)
  /** Podman takes any image of that digest, whatever its name, so also what another project committed. */
  const checkDigest = async (image: string, signal?: AbortSignal) => {
    const { RepoDigests } = await get<ImageInspect>(`/images/${encodeURIComponent(image)}/json`, signal)
    if (!RepoDigests?.includes(image)) throw new EngineError(404, `no such image: ${image}`)
  }
  const podman = podmanLimits(transport)
  const inspect = async (ref: string, signal?: AbortSignal) => {
    const found = await get<ContainerInspect>(path(ref, '/json'), signal)
    if (!(await transport.isPodman())) return found
    const { RestartPolicy: _fixed, ...HostConfig } = found.HostConfig
    return podman.inForce({ ...found, HostConfig })
  }

  return {
    create: async (name, asked, signal) => {
      const body = { ...asked, Image: await imageName(asked.Image) }
      if (body.Image.includes('@') && (await transport.isPodman())) await checkDigest(body.Image, signal)
      const request = { method: 'POST', path: '/containers/create', query: name === '' ? {} : { name }, body } as const
      return transport.json({ ...request, ...(signal && { signal }) })
    },
    inspect,
    list: (labels, signal) =>
      get('/containers/json', signal, { all: true, filters: JSON.stringify({ label: labels }) }),
    start: (ref, signal) => post(path(ref, '/start'), signal),
    stop: (ref, graceSeconds, signal) =>
      post(path(ref, '/stop'), signal, { query: { t: graceSeconds }, answerWithinMs: (graceSeconds + 120) * 1000 }),
    kill: (ref, killSignal, signal) => post(path(ref, '/kill'), signal, { query: { signal: killSignal } }),
    pause: (ref, signal) => post(path(ref, '/pause'), signal),
    unpause: (ref, signal) => post(path(ref, '/unpause'), signal),
    remove: async (ref, signal) => {
      await transport
        .json<unknown>({
          method: 'DELETE',
          path: path(ref),
          query: { force: true, v: true },
          ...(signal && { signal }),
        })
        .catch(ignoreMissing)
    },
    waitRemoved: async (ref, signal) => {
      const query = { condition: 'removed' }
      await post(path(ref, '/wait'), signal, { query, answerWithinMs: 0 }).catch(ignoreMissing)
    },
    update: async (ref, limits, signal) => {
      if (await transport.isPodman()) await podman.set(await inspect(ref, signal), limits, signal)
      else await post(path(ref, '/update'), signal, { body: limits })
    },
    resize: (ref, rows, columns, signal) => post(path(ref, '/resize'), signal, { query: { h: rows, w: columns } }),
    top: async (ref, psArgs, signal) => columns(await get(path(ref, '/top'), signal, { ps_args: psArgs ?? undefined })),
    stats: async (ref, signal) => {
      const sample = () => get<ContainerStats>(path(ref, '/stats'), signal, { stream: false })
      const first = await sample()
      if (first.precpu_stats.system_cpu_usage !== undefined) return first
      // Podman takes only one.
      await sleep(1000, undefined, { ...(signal && { signal }) })
      return { ...(await sample()), precpu_stats: first.cpu_stats }
    },
    logs: async (ref, query, signal) => {
      const { body } = await transport.stream({
        path: path(ref, '/logs'),
        query: {
          stdout: query.stdout,
          stderr: query.stderr,
          timestamps: query.timestamps,
          follow: query.follow,
          tail: query.tail ?? 'all',
          since: query.since === null ? undefined : timestamp(query.since),
          until: query.until === null ? undefined : timestamp(query.until),
          details: query.details,
        },
        // With `follow` and nothing to say yet, some engines hold back even the headers.
        answerWithinMs: 0,
        ...(signal && { signal }),
      })
      return body
    },
    attach: (ref, { stdin, history }, signal) => {
      const query = { stream: true, stdin, stdout: true, stderr: true, logs: history }
      // Podman gives a body that it did not ask for to the container, as if it were typed.
      return transport.upgrade({ path: path(ref, '/attach'), query, ...(signal && { signal }) })
    },
    archiveGet: (ref, at, signal) =>
      transport.stream({ path: path(ref, '/archive'), query: { path: at }, ...(signal && { signal }) }),
    archivePut: async (ref, at, tar, signal, options = {}) => {
      const query = {
        path: at,
        ...(options.noOverwriteDirNonDir && { noOverwriteDirNonDir: true }),
        ...(options.copyUidGid && { copyUIDGID: true }),
      }
      if (await transport.isPodman()) {
        // It would make a missing folder, where Docker says that it is missing.
        const look = { method: 'HEAD', path: path(ref, '/archive'), query, ...(signal && { signal }) } as const
        const { body } = await transport.stream(look)
        body.resume()
      }
      const request = { method: 'PUT', path: path(ref, '/archive'), query, body: tar, answerWithinMs: 0 } as const
      await transport.json<unknown>({ ...request, ...(signal && { signal }) })
    },
    commit: async (ref, repo, tag, signal, { author, comment, changes = [], pause = true, config = {} } = {}) =>
      transport.json({
        method: 'POST',
        path: '/commit',
        // Engines split several changes at line ends.
        query: {
          container: ref,
          repo: await imageName(repo),
          tag,
          pause,
          author,
          comment,
          changes: changes.join('\n') || undefined,
        },
        // Podman fails without a body.
        body: config,
        answerWithinMs: 0,
        ...(signal && { signal }),
      }),
  }
}

/** Podman leaves the lines of a `ps` inside the container in one piece. */
function columns({ Titles, Processes }: ContainerTop): ContainerTop {
  const titles = Titles.length === 1 ? (Titles[0] ?? '').trim().split(/\s+/) : Titles
  if (titles.length === Titles.length) return { Titles, Processes }
  // The last column is a command line with spaces of its own.
  const row = new RegExp(`^\\s*${'(\\S+)\\s+'.repeat(titles.length - 1)}(.*)$`)
  return { Titles: titles, Processes: (Processes ?? []).map(([line = '']) => row.exec(line)?.slice(1) ?? [line]) }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof EngineError) || error.status !== 404) throw error
}

/** Seconds and nanoseconds as the engine parses them; a bare float would be printed with an exponent at times. */
function timestamp(seconds: number): string {
  return seconds.toFixed(9)
}
