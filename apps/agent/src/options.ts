import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

export interface AgentOptions {
  /** `HOST:PORT` of the servers to begin with; a server tells of the others. */
  readonly servers: readonly string[]
  /** Where the host's key and certificate are kept. */
  readonly stateDir: string
  /** Needed the first time only. */
  readonly joinToken: string | null
  /** A file that holds it. */
  readonly joinTokenFile: string | null
  /** Path of the engine's unix socket; null: whichever answers where engines usually are. */
  readonly engineSocket: string | null
  /** Path of the network namespace that the engine runs in; null: the agent's own. */
  readonly engineNetns: string | null
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly allowPrivileged: boolean
  /** What Neutron's agent on this machine calls it. */
  readonly neutronHost: string
  /** Where this machine is a VM whose own port carries those of its containers. */
  readonly nested: { readonly kind: 'vlan' | 'macvlan'; readonly link: string } | null
  /** Its address for storages; null: that of its way to everywhere. */
  readonly storageAddress: string | null
  /** How long a start waits for Neutron's agent to let the container's traffic pass. Seconds. */
  readonly portWait: number
  /** Files with users of the cloud, for Docker's network plugin beside the agent; null: there is none. */
  readonly kuryr: { readonly cloudFile: string; readonly bindingFile: string | null } | null
  /** File with the user of the cloud for Docker's volume plugin beside the agent; null: there is none. */
  readonly fuxiFile: string | null
  readonly startsAtOnce: number
  readonly logLevel: string
}

export const usage = `Usage: gantry agent --join HOST[:PORT][,…] [--token-file FILE] [options]

Makes this machine a host: its engine runs what the servers place here. The first start needs a join token, which an administrator gets
from gantry hosts join-token; it becomes a key and a certificate in the state folder. Ending the agent leaves containers running.

  --join ADDRESS,…       the servers, as HOST, HOST:PORT or https://HOST:PORT (port 9702); one is enough, it tells of the others
  --token TOKEN          the join token. Any user of this machine can see it in the list of processes; better is
  --token-file FILE      the file that holds it, or GANTRY_JOIN_TOKEN in the environment
  --state DIR            where this host keeps its key           (/var/lib/gantry/agent; ~/.gantry/agent for who is not root)
  --engine unix:///PATH  the container engine                    (DOCKER_HOST, else whichever answers: Docker's, Podman's)
  --engine-netns PATH    the engine's network namespace          (the agent's own)
  --name NAME            how the host is shown                   (this machine's host name)
  --label KEY=VALUE      a label of this host; may be repeated
  --starts N             containers started at once              (8)
  --allow-privileged     let assigned containers be privileged
  --neutron-host NAME    what Neutron's agent on this machine calls it  (this machine's host name)
  --storage-address IP   the address by which storages see this machine  (that of its way to everywhere)
  --port-wait SECONDS    how long a container's start waits until its traffic may pass; Neutron's agents need a second or two  (0)
  --nested vlan|macvlan  this machine is a VM of the cloud: containers go through its own port, as sub-ports of its trunk or behind it
  --link-interface NAME  the VM's interface for --nested                (eth0)
  --kuryr FILE           serve the engine's own users with Neutron too, as gantry kuryr --cloud FILE does
  --kuryr-binding FILE   a user who may bind ports, as --binding-cloud there
  --fuxi FILE            serve the engine's own users with volumes of Cinder's, as gantry fuxi --cloud FILE does
  --config FILE          YAML with any of these options, as "name: value"
  --help, --version

Each option may also be a variable: --port-wait is GANTRY_PORT_WAIT. What is typed goes before variables, those before the file.
The log is JSON lines on stdout; GANTRY_LOG_LEVEL says how much (info).

Examples:
  $ gantry agent --join 10.0.0.11,10.0.0.12 --token-file /root/token
  $ gantry agent --config /etc/gantry/agent.yaml      # join: [10.0.0.11, 10.0.0.12]`

export const flags = {
  join: { type: 'string', multiple: true },
  server: { type: 'string', multiple: true },
  token: { type: 'string' },
  'token-file': { type: 'string' },
  state: { type: 'string' },
  engine: { type: 'string' },
  'engine-netns': { type: 'string' },
  name: { type: 'string' },
  label: { type: 'string', multiple: true },
  starts: { type: 'string' },
  kuryr: { type: 'string' },
  'kuryr-binding': { type: 'string' },
  fuxi: { type: 'string' },
  'allow-privileged': { type: 'boolean' },
  'neutron-host': { type: 'string' },
  'storage-address': { type: 'string' },
  'port-wait': { type: 'string' },
  nested: { type: 'string' },
  'link-interface': { type: 'string' },
} as const

const usualPort = 9702

/** Something in the command line or environment that a person has to put right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Reads the command line and the environment. Throws `UsageError` with a sentence. Pure. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): AgentOptions {
  const { values } = parse(args)
  const named = [...(values.join ?? []), ...(values.server ?? [])].flatMap((text) => text.split(',')).filter(Boolean)
  if (named.length === 0) throw new UsageError('Which servers? Give --join HOST[,HOST].')
  const engine = values.engine ?? env['DOCKER_HOST']
  return {
    servers: [...new Set(named.map(addressOf))],
    stateDir: values.state ?? usualState(env),
    joinToken: values.token ?? env['GANTRY_JOIN_TOKEN'] ?? null,
    joinTokenFile: values['token-file'] ?? null,
    engineSocket: engine === undefined ? null : socketOf(engine),
    engineNetns: values['engine-netns'] ?? null,
    name: values.name ?? hostname(),
    labels: Object.fromEntries((values.label ?? []).map(labelOf)),
    allowPrivileged: values['allow-privileged'] ?? false,
    neutronHost: values['neutron-host'] ?? hostname(),
    storageAddress: values['storage-address'] ?? null,
    nested: nestedOf(values.nested, values['link-interface'] ?? 'eth0'),
    portWait: secondsOf(values['port-wait'] ?? '0'),
    kuryr:
      values.kuryr === undefined ? null : { cloudFile: values.kuryr, bindingFile: values['kuryr-binding'] ?? null },
    fuxiFile: values.fuxi ?? null,
    startsAtOnce: countOf(values.starts ?? '8'),
    logLevel: env['GANTRY_LOG_LEVEL'] ?? 'info',
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** `HOST:PORT`, from that, `HOST` or a URL of it. */
function addressOf(text: string): string {
  const match = /^(?:[a-z][a-z+]*:\/\/)?(\[[0-9a-fA-F:]+\]|[^:/\s]+)(?::(\d{1,5}))?\/?$/.exec(text)
  const port = Number(match?.[2] ?? usualPort)
  if (match?.[1] === undefined || port < 1 || port > 65_535) {
    throw new UsageError(`"${text}" is no address of a server; write HOST or HOST:PORT.`)
  }
  return `${match[1]}:${port}`
}

function usualState(env: NodeJS.ProcessEnv): string {
  if (env['GANTRY_HOME'] !== undefined) return join(env['GANTRY_HOME'], 'agent')
  return process.getuid?.() === 0 ? '/var/lib/gantry/agent' : join(homedir(), '.gantry/agent')
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

function nestedOf(kind: string | undefined, link: string): AgentOptions['nested'] {
  if (kind === undefined) return null
  if (kind === 'vlan' || kind === 'macvlan') return { kind, link }
  throw new UsageError(`--nested must be vlan or macvlan, not ${kind}.`)
}

function secondsOf(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds >= 0 && seconds <= 300) return seconds
  throw new UsageError(`--port-wait must be a number of seconds up to 300, not ${text}.`)
}

function countOf(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`--starts must be a whole number above 0, not ${text}.`)
  return count
}
