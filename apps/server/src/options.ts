import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Address } from './addresses.ts'
import { outwardFlags, type OutwardOptions, outwardOptions, outwardUsage } from './outward-options.ts'
import { type DemandOptions, demandFlags, demandUsage, readDemand } from './demand-options.ts'
import { type PlacementOptions, placementFlags, placementUsage, ratioOf, readPlacement } from './placement-options.ts'

export interface ServerOptions {
  /** Where the database, the CA and the credentials live. */
  readonly home: string
  /** `postgres://…` of a store that several servers share; null: SQLite in the home. */
  readonly database: string | null
  readonly listen: Address
  readonly agentsListen: Address
  /** `HOST:PORT` by which agents and other servers reach the port for agents; port 0: that on which it listens. */
  readonly advertise: Address
  /** What a server does that is told to end: how long it takes new requests after it has said that it is not ready, then how long those under way may last. */
  readonly drain: { readonly delayMs: number; readonly timeMs: number }
  /** The Docker API: plain HTTP on loopback, else TLS. */
  readonly dockerListen: Address
  /** The same, always TLS; clients may show a certificate. */
  readonly dockerTlsListen: Address
  /** `HOST` or `HOST:PORT`: further names by which users reach the registry, through a proxy or a name of its own. */
  readonly registryNames: readonly string[]
  /** Names and addresses under which agents reach this server: in its certificate. */
  readonly names: readonly string[]
  /** How often a host's cores and memory may be promised. */
  readonly cpuRatio: number
  readonly memoryRatio: number
  /** Left out: as without any of its options. */
  readonly placement?: PlacementOptions
  /** How hosts are made for containers that find none; null or absent: they are not. */
  readonly demand?: DemandOptions | null
  /** Addresses of the external network `public`; only counts at the first start. */
  readonly publicCidr: string
  /** Origins of web pages, beside its own, that may open interactive sessions: `https://dashboard.example`. */
  readonly allowedOrigins: readonly string[]
  /** What users of the Docker API are granted beyond the safe. */
  readonly dockerPolicy: { readonly path: string; readonly named: boolean }
  /** How to reach the OpenStack that this server is beside; the file may be missing unless it was named. */
  readonly openstack: { readonly path: string; readonly named: boolean; readonly mostSpares: number }
  readonly outward: OutwardOptions
  /** Registries (`HOST`, `HOST:PORT`) and networks that the server may connect to although they are not public. */
  readonly registryAllow: readonly string[]
  /** Those that need no TLS that can be verified. */
  readonly registryInsecure: readonly string[]
}

export const usage = `Usage: gantry server [options]

The control plane: the APIs, and the port that agents connect to. Several servers with the same --database are one cloud; any of them
answers any request, and any of them may end or die. Told to end (SIGTERM), a server first lets go of its clients and agents.

  --home DIR                 state of the server (default: $GANTRY_HOME or ~/.gantry)
  --database URL             a PostgreSQL that several servers share, as postgres://USER:PASSWORD@HOST/NAME; better given as
                             GANTRY_DATABASE, which shows in no process list (default: SQLite in the home)
  --listen HOST:PORT         the API of all façades (default: 127.0.0.1:9700)
  --agents-listen HOST:PORT  where agents connect, always TLS (default: 127.0.0.1:9702)
  --docker-listen HOST:PORT  the Docker API, TLS unless on loopback (default: 127.0.0.1:9703)
  --docker-tls-listen HOST:PORT  the same, always TLS, for client certificates too (default: 127.0.0.1:9704)
  --advertise HOST[:PORT]    where agents and the other servers reach the port for agents (default: as --agents-listen says, and
                             this machine's name if that is every address)
  --drain-delay SECONDS      told to end, a server takes requests for so long after /readyz has begun to answer 503, so that a balancer
                             sees it in time (default: 3 with --database, else 0)
  --drain-time SECONDS       then requests and streams under way may last so long (default: 30 with --database, else 2)
  --name NAME                a name or address agents use for this server; may be given several times
  --registry-name HOST[:PORT]  a further name by which users reach the registry; may be given several times
  --cpu-ratio N              how often a host's cores may be promised (default: 16)
  --memory-ratio N           how often its memory may be promised (default: 1.5)
${placementUsage}\
${demandUsage}\
  --allowed-origin ORIGIN    a web page's origin that may open terminals, as https://HOST; may be given several times
  --docker-policy FILE       what the Docker API grants to whom (default: docker-policy.yaml in the home, if there)
  --registry-allow NAME      a registry (HOST or HOST:PORT) or a network (10.0.0.0/8) that images may be pulled from and pushed to
                             although it is not public; may be given several times (or $GANTRY_REGISTRY_ALLOW, with commas)
  --registry-insecure NAME   such a one that may be asked without TLS ($GANTRY_REGISTRY_INSECURE); loopback always may
  --openstack FILE           the OpenStack whose identity, networks and images are used, as gantry openstack register writes it
                             (default: openstack.yaml in the home; without the file, everything is embedded)
  --spare-ports N            ports that are kept ready at Neutron, at most, for each project and network where containers were made
                             within the last minute; they start without waiting for Neutron (default: 4; 0: none)
  --public-cidr CIDR         addresses of the network public, at the first start (default: 172.24.4.0/22)
${outwardUsage}\
  --config FILE              YAML with any of these options, as "name: value" (or $GANTRY_CONFIG)
  --help, --version

Each option may also be a variable: --cpu-ratio is GANTRY_CPU_RATIO. What is typed goes before variables, those before the file.
The log is JSON lines on stdout; GANTRY_LOG_LEVEL says how much (info).

Examples:
  $ gantry server                                          # one server, for this machine
  $ GANTRY_DATABASE=postgres://gantry:…@db/gantry gantry server --listen 0.0.0.0:9700 --agents-listen 0.0.0.0:9702 --name 10.0.0.11
`

/** Each may also be given as a variable or in a file; see `withSettings`. */
export const flags = {
  home: { type: 'string' },
  database: { type: 'string' },
  listen: { type: 'string', default: '127.0.0.1:9700' },
  'agents-listen': { type: 'string', default: '127.0.0.1:9702' },
  'docker-listen': { type: 'string', default: '127.0.0.1:9703' },
  'docker-tls-listen': { type: 'string', default: '127.0.0.1:9704' },
  advertise: { type: 'string' },
  'drain-delay': { type: 'string' },
  'drain-time': { type: 'string' },
  name: { type: 'string', multiple: true, default: [] },
  'registry-name': { type: 'string', multiple: true, default: [] },
  'cpu-ratio': { type: 'string', default: '16' },
  'memory-ratio': { type: 'string', default: '1.5' },
  ...placementFlags,
  ...demandFlags,
  'allowed-origin': { type: 'string', multiple: true, default: [] },
  'docker-policy': { type: 'string' },
  openstack: { type: 'string' },
  'spare-ports': { type: 'string', default: '4' },
  'registry-allow': { type: 'string', multiple: true },
  'registry-insecure': { type: 'string', multiple: true },
  'public-cidr': { type: 'string', default: '172.24.4.0/22' },
  ...outwardFlags,
  help: { type: 'boolean', default: false },
} satisfies ParseArgsConfig['options']

/** Reads the command line; null when only help was asked for. Throws a sentence for the user. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): ServerOptions | null {
  const { values } = parseArgs({ args: [...argv], options: flags })
  if (values.help) return null
  const agentsListen = addressOf(values['agents-listen'], '--agents-listen')
  const dockerListen = addressOf(values['docker-listen'], '--docker-listen')
  const dockerTlsListen = addressOf(values['docker-tls-listen'], '--docker-tls-listen')
  const hosts = [agentsListen.host, dockerListen.host, dockerTlsListen.host]
  const home = values.home ?? env['GANTRY_HOME'] ?? join(homedir(), '.gantry')
  const policyFile = values['docker-policy']
  return {
    home,
    database: values.database ?? null,
    listen: addressOf(values.listen, '--listen'),
    agentsListen,
    advertise: advertisedOf(values.advertise, agentsListen),
    drain: {
      delayMs: secondsOf(values['drain-delay'] ?? (values.database === undefined ? '0' : '3'), '--drain-delay'),
      timeMs: secondsOf(values['drain-time'] ?? (values.database === undefined ? '2' : '30'), '--drain-time'),
    },
    dockerListen,
    dockerTlsListen,
    names: [...new Set([...values.name, ...hosts, 'localhost', '127.0.0.1'])],
    registryNames: values['registry-name'].map(registryNameOf),
    cpuRatio: ratioOf(values['cpu-ratio'], '--cpu-ratio'),
    memoryRatio: ratioOf(values['memory-ratio'], '--memory-ratio'),
    placement: readPlacement(values),
    demand: readDemand(values, home, env),
    publicCidr: values['public-cidr'],
    allowedOrigins: values['allowed-origin'].map(originOf),
    dockerPolicy: { path: policyFile ?? join(home, 'docker-policy.yaml'), named: policyFile !== undefined },
    openstack: {
      path: values.openstack ?? join(home, 'openstack.yaml'),
      named: values.openstack !== undefined,
      mostSpares: sparesOf(values['spare-ports']),
    },
    outward: outwardOptions(values),
    registryAllow: values['registry-allow'] ?? wordsOf(env['GANTRY_REGISTRY_ALLOW']),
    registryInsecure: values['registry-insecure'] ?? wordsOf(env['GANTRY_REGISTRY_INSECURE']),
  }
}

/** `host:port` or `[v6]:port`; port 0 lets the system choose. */
export function addressOf(text: string, option: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) throw new Error(`${option} must be HOST:PORT, not ${JSON.stringify(text)}.`)
  return { host: match[1] ?? match[2] ?? '', port }
}

/** What everybody else may call a server that listens at `listen`; where it listens on all addresses, that is its machine's name. */
function advertisedOf(text: string | undefined, listen: Address): Address {
  const host = listen.host === '0.0.0.0' || listen.host === '::' ? hostname() : listen.host
  if (text === undefined) return { host, port: listen.port }
  return addressOf(/:\d+$/.test(text) ? text : `${text}:${listen.port}`, '--advertise')
}

/** In milliseconds. */
function secondsOf(text: string, option: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds >= 0 && seconds <= 3600) return seconds * 1000
  throw new Error(`${option} must be a number of seconds up to 3600, not ${JSON.stringify(text)}.`)
}

function originOf(text: string): string {
  if (/^https?:\/\/[^/\s]+\/?$/i.test(text)) return text
  throw new Error(
    `--allowed-origin must be http://HOST or https://HOST, with a port if need be, not ${JSON.stringify(text)}.`,
  )
}

function wordsOf(text = ''): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}

function registryNameOf(text: string): string {
  const name = text.toLowerCase()
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(name)) return name
  throw new Error(`--registry-name must be HOST or HOST:PORT, not ${JSON.stringify(text)}.`)
}

function sparesOf(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text)
  throw new Error(`--spare-ports must be a whole number up to 999, not ${JSON.stringify(text)}.`)
}
