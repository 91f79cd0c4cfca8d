import { hostname } from 'node:os'
import { parseArgs } from 'node:util'

export interface AgentOptions {
  readonly server: { readonly host: string; readonly port: number }
  /** Where the host's key and certificate are kept. */
  readonly stateDir: string
  /** Needed the first time only. */
  readonly joinToken: string | null
  /** Path of the engine's unix socket. */
  readonly engineSocket: string
  /** Path of the network namespace that the engine runs in; null: the agent's own. */
  readonly engineNetns: string | null
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly allowPrivileged: boolean
  readonly startsAtOnce: number
  readonly logLevel: string
}

export const usage = `Usage: gantry agent --server HOST:PORT --state DIR [options]

  --server HOST:PORT     the server's port for agents            (or GANTRY_SERVER)
  --state DIR            where this host keeps its key           (or GANTRY_STATE)
  --engine unix:///PATH  the container engine                    (or DOCKER_HOST; /var/run/docker.sock)
  --engine-netns PATH    the engine's network namespace          (or GANTRY_ENGINE_NETNS; the agent's own)
  --name NAME            how the host is shown                   (this machine's host name)
  --label KEY=VALUE      a label of this host; may be repeated
  --starts N             containers started at once              (8)
  --allow-privileged     let assigned containers be privileged

The first time, GANTRY_JOIN_TOKEN must hold a join token. It is not an option, so that it shows in no process list.`

/** Something in the command line or environment that a person has to put right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Reads the command line and the environment. Throws `UsageError` with a sentence. Pure. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): AgentOptions {
  const { values } = parse(args)
  const server = values.server ?? env['GANTRY_SERVER']
  const stateDir = values.state ?? env['GANTRY_STATE']
  if (server === undefined) throw new UsageError('Which server? Give --server HOST:PORT.')
  if (stateDir === undefined) throw new UsageError('Where to keep the key of this host? Give --state DIR.')
  return {
    server: addressOf(server),
    stateDir,
    joinToken: env['GANTRY_JOIN_TOKEN'] ?? null,
    engineSocket: socketOf(values.engine ?? env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'),
    engineNetns: values['engine-netns'] ?? env['GANTRY_ENGINE_NETNS'] ?? null,
    name: values.name ?? hostname(),
    labels: Object.fromEntries((values.label ?? []).map(labelOf)),
    allowPrivileged: values['allow-privileged'] ?? false,
    startsAtOnce: countOf(values.starts ?? '8'),
    logLevel: env['GANTRY_LOG_LEVEL'] ?? 'info',
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        server: { type: 'string' },
        state: { type: 'string' },
        engine: { type: 'string' },
        'engine-netns': { type: 'string' },
        name: { type: 'string' },
        label: { type: 'string', multiple: true },
        starts: { type: 'string' },
        'allow-privileged': { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function addressOf(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || port < 1 || port > 65_535) throw new UsageError(`"${text}" is not HOST:PORT.`)
  return { host, port }
}

function socketOf(url: string): string {
  if (url.startsWith('unix://')) return url.slice('unix://'.length)
  if (url.startsWith('/')) return url
  throw new UsageError(`The engine must be on this machine (unix:///path), not at ${url}.`)
}

function labelOf(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`"${text}" is not a label; write it as KEY=VALUE.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function countOf(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`--starts must be a whole number above 0, not ${text}.`)
  return count
}
