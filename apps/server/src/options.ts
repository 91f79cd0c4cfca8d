import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Address } from './addresses.ts'

export interface ServerOptions {
  /** Where the database, the CA and the credentials live. */
  readonly home: string
  readonly listen: Address
  readonly agentsListen: Address
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
  /** Addresses of the external network `public`; only counts at the first start. */
  readonly publicCidr: string
  /** Origins of web pages, beside its own, that may open interactive sessions: `https://dashboard.example`. */
  readonly allowedOrigins: readonly string[]
  /** What users of the Docker API are granted beyond the safe. */
  readonly dockerPolicy: { readonly path: string; readonly named: boolean }
  /** Registries (`HOST`, `HOST:PORT`) and networks that the server may connect to although they are not public. */
  readonly registryAllow: readonly string[]
  /** Those that need no TLS that can be verified. */
  readonly registryInsecure: readonly string[]
}

export const usage = `Usage: gantry server [options]

  --home DIR                 state of the server (default: $GANTRY_HOME or ~/.gantry)
  --listen HOST:PORT         the API of all façades (default: 127.0.0.1:9700)
  --agents-listen HOST:PORT  where agents connect, always TLS (default: 127.0.0.1:9702)
  --docker-listen HOST:PORT  the Docker API, TLS unless on loopback (default: 127.0.0.1:9703)
  --docker-tls-listen HOST:PORT  the same, always TLS, for client certificates too (default: 127.0.0.1:9704)
  --name NAME                a name or address agents use for this server; may be given several times
  --registry-name HOST[:PORT]  a further name by which users reach the registry; may be given several times
  --cpu-ratio N              how often a host's cores may be promised (default: 16)
  --memory-ratio N           how often its memory may be promised (default: 1.5)
  --allowed-origin ORIGIN    a web page's origin that may open terminals, as https://HOST; may be given several times
  --docker-policy FILE       what the Docker API grants to whom (default: docker-policy.yaml in the home, if there)
  --registry-allow NAME      a registry (HOST or HOST:PORT) or a network (10.0.0.0/8) that images may be pulled from and pushed to
                             although it is not public; may be given several times (or $GANTRY_REGISTRY_ALLOW, with commas)
  --registry-insecure NAME   such a one that may be asked without TLS ($GANTRY_REGISTRY_INSECURE); loopback always may
  --public-cidr CIDR         addresses of the network public, at the first start (default: 172.24.4.0/22)
  --help                     this text
`

/** Reads the command line; null when only help was asked for. Throws a sentence for the user. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): ServerOptions | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      home: { type: 'string' },
      listen: { type: 'string', default: '127.0.0.1:9700' },
      'agents-listen': { type: 'string', default: '127.0.0.1:9702' },
      'docker-listen': { type: 'string', default: '127.0.0.1:9703' },
      'docker-tls-listen': { type: 'string', default: '127.0.0.1:9704' },
      name: { type: 'string', multiple: true, default: [] },
      'registry-name': { type: 'string', multiple: true, default: [] },
      'cpu-ratio': { type: 'string', default: '16' },
      'memory-ratio': { type: 'string', default: '1.5' },
      'allowed-origin': { type: 'string', multiple: true, default: [] },
      'docker-policy': { type: 'string' },
      'registry-allow': { type: 'string', multiple: true },
      'registry-insecure': { type: 'string', multiple: true },
      'public-cidr': { type: 'string', default: '172.24.4.0/22' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const agentsListen = addressOf(values['agents-listen'], '--agents-listen')
  const dockerListen = addressOf(values['docker-listen'], '--docker-listen')
  const dockerTlsListen = addressOf(values['docker-tls-listen'], '--docker-tls-listen')
  const hosts = [agentsListen.host, dockerListen.host, dockerTlsListen.host]
  const home = values.home ?? env['GANTRY_HOME'] ?? join(homedir(), '.gantry')
  const policyFile = values['docker-policy']
  return {
    home,
    listen: addressOf(values.listen, '--listen'),
    agentsListen,
    dockerListen,
    dockerTlsListen,
    names: [...new Set([...values.name, ...hosts, 'localhost', '127.0.0.1'])],
    registryNames: values['registry-name'].map(registryNameOf),
    cpuRatio: ratioOf(values['cpu-ratio'], '--cpu-ratio'),
    memoryRatio: ratioOf(values['memory-ratio'], '--memory-ratio'),
    publicCidr: values['public-cidr'],
    allowedOrigins: values['allowed-origin'].map(originOf),
    dockerPolicy: { path: policyFile ?? join(home, 'docker-policy.yaml'), named: policyFile !== undefined },
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

function ratioOf(text: string, option: string): number {
  const ratio = Number(text)
  if (Number.isFinite(ratio) && ratio > 0) return ratio
  throw new Error(`${option} must be a number above 0, not ${JSON.stringify(text)}.`)
}
