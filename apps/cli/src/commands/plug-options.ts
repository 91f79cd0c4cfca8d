import { readFile } from 'node:fs/promises'
import type { CreateContainer } from '@gantry/facade-native'
import { type Command, InvalidArgumentError } from 'commander'
import { usage } from '../failure.ts'
import { collect, wholeNumber } from './common.ts'
import { collectPublished, type Published } from './publish-option.ts'

type Net = NonNullable<CreateContainer['nets']>[number]
type Mount = NonNullable<CreateContainer['mounts']>[number]
type Part = readonly [key: string, value: string]

/** What a new container is plugged into, mounts, and is watched by. */
export interface PlugOptions {
  readonly net?: Net[]
  readonly securityGroup?: string[]
  readonly mount?: (readonly Part[])[]
  readonly expose?: string[]
  readonly publish?: Published[]
  readonly registry?: string
  readonly healthCmd?: string
  readonly healthInterval?: number
  readonly healthTimeout?: number
  readonly healthRetries?: number
}

export function plugOptions(command: Command): Command {
  return command
    .option('--net <network>', 'NETWORK[,ip=ADDRESS] or port=PORT; may be repeated, the first is primary', collectNets)
    .option('--security-group <group>', 'instead of the group default; may be repeated', collect)
    .option('--expose <port>', 'let everybody reach it: 80 or 53/udp; may be repeated', collectPorts)
    .option(
      '-p, --publish <ports>',
      'reach it from outside: 8080:80, 80, 53:53/udp, ADDRESS:80:80; may be repeated',
      collectPublished,
    )
    .option('--mount <what>', 'source=VOLUME,target=PATH or size=GiB,… or file=FILE,…; may be repeated', collectMounts)
    .option('--registry <registry>', 'pull the image from this registry of the project')
    .option('--health-cmd <command>', 'run in it by its shell now and then; not 0 is unhealthy')
    .option('--health-interval <seconds>', 'between two runs (default: 30)', wholeNumber)
    .option('--health-timeout <seconds>', 'longer is a failure (default: 30)', wholeNumber)
    .option('--health-retries <count>', 'so many failures make it unhealthy (default: 3)', wholeNumber)
}

export const plugManual = `
Ports (\`gantry show\` tells the address):
  -p 8080:80                                    port 8080 of the public address that the project's ports share
  -p 80, -p 7000-7009                           a free public port for each
  -p 172.24.4.9:53:53/udp                       a port of a floating IP of the project; pub: the shared address

Mounts:
  source=data,target=/var/lib/data[,readonly]   a volume (\`gantry volume create\`)
  size=5,target=/tmp/work                       a new one of 5 GiB, which goes with the container
  file=./app.conf,target=/etc/app.conf          a file of this machine, copied into it`

/** The part of a creation's body that these options say. Reads the files that are to be mounted. */
export async function plugFields(options: PlugOptions): Promise<Partial<CreateContainer>> {
  const { net, securityGroup, mount, expose, publish, registry } = options
  const healthcheck = healthcheckOf(options)
  return {
    ...(net === undefined ? {} : { nets: net }),
    ...(securityGroup === undefined ? {} : { securityGroups: securityGroup }),
    ...(mount === undefined ? {} : { mounts: await Promise.all(mount.map(toMount)) }),
    ...(expose === undefined ? {} : { exposedPorts: expose }),
    ...(publish === undefined ? {} : { publish }),
    ...(registry === undefined ? {} : { registry }),
    ...(healthcheck === undefined ? {} : { healthcheck }),
  }
}

function collectNets(text: string, before: Net[] = []): Net[] {
  const [first, ...rest] = partsOf(text)
  const [key, value] = first ?? ['', '']
  const addresses = rest.map(([name, address]) => {
    if (name !== 'ip' || address === '') throw new InvalidArgumentError('Write it as NETWORK,ip=ADDRESS or port=PORT.')
    return address
  })
  if (key === 'port' && value !== '') {
    if (addresses.length > 0) throw new InvalidArgumentError('A port has its address already.')
    return [...before, { port: value }]
  }
  if (key === '' || value !== '') throw new InvalidArgumentError('Write it as NETWORK,ip=ADDRESS or port=PORT.')
  return [...before, addresses.length === 0 ? { network: key } : { network: key, addresses }]
}

function collectPorts(text: string, before: readonly string[] = []): string[] {
  if (!/^\d{1,5}(\/(tcp|udp|sctp))?$/.test(text)) throw new InvalidArgumentError('Write it as 80 or 53/udp.')
  return [...before, text.includes('/') ? text : `${text}/tcp`]
}

const mountForm = 'Write it as source=VOLUME,target=PATH or size=GiB,target=PATH or file=FILE,target=PATH.'

function collectMounts(text: string, before: (readonly Part[])[] = []): (readonly Part[])[] {
  const parts = partsOf(text)
  const keys = parts.map(([key]) => key)
  const kinds = keys.filter((key) => key === 'source' || key === 'size' || key === 'file')
  const known = keys.every((key) => ['type', 'source', 'size', 'file', 'target', 'readonly'].includes(key))
  if (parts.some(([key, value]) => key === 'type' && value !== 'volume')) {
    throw new InvalidArgumentError('The type of a mount is volume; a file of this machine is file=FILE.')
  }
  if (!known || kinds.length !== 1 || !keys.includes('target')) throw new InvalidArgumentError(mountForm)
  return [...before, parts]
}

async function toMount(parts: readonly Part[]): Promise<Mount> {
  const { source, size, file, target: destination = '', readonly: only } = Object.fromEntries(parts)
  const readOnly = only === undefined ? {} : { readOnly: only !== 'false' }
  if (source !== undefined) return { source, destination, ...readOnly }
  if (size !== undefined) return { size: wholeNumber(size), destination, ...readOnly }
  return { content: await contentOf(file ?? ''), destination }
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'base64')
  } catch (error) {
    throw usage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

function healthcheckOf(options: PlugOptions): CreateContainer['healthcheck'] {
  const { healthCmd: command, healthInterval, healthTimeout, healthRetries } = options
  if (command === undefined) {
    if ((healthInterval ?? healthTimeout ?? healthRetries) === undefined) return undefined
    throw usage('A health check needs its command: --health-cmd.')
  }
  return {
    command,
    intervalSeconds: healthInterval ?? 30,
    timeoutSeconds: healthTimeout ?? 30,
    retries: healthRetries ?? 3,
  }
}

/** `a=b,c` as [['a', 'b'], ['c', '']]; docker's other words for the same things are understood. */
function partsOf(text: string): Part[] {
  const sameAs: Readonly<Record<string, string>> = {
    src: 'source',
    dst: 'target',
    destination: 'target',
    ro: 'readonly',
  }
  return text.split(',').map((part) => {
    const at = part.indexOf('=')
    const key = at < 0 ? part : part.slice(0, at)
    return [sameAs[key] ?? key, at < 0 ? '' : part.slice(at + 1)]
  })
}
