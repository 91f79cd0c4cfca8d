import { hostname } from 'node:os'
import { parseArgs } from 'node:util'
import { UsageError } from './options.ts'
import { pluginPlaces, secondsOf } from './plugin-options.ts'

const providerNames = ['cinder', 'manila'] as const

/** What `gantry fuxi` is told; the same for the plugin within an agent. */
export interface FuxiSettings {
  /** File with the cloud and the user in whose project the volumes are; null: the environment says it. */
  readonly cloudFile: string | null
  readonly name: string
  readonly socket: string
  readonly engineSockets: readonly string[]
  readonly stateDir: string
  readonly volumeDir: string
  readonly host: string
  readonly address: string | null
  readonly providers: readonly (typeof providerNames)[number][]
  readonly volumeFrom: string
  /** GiB. */
  readonly size: number
  readonly fsType: string
  readonly volumeType: string | null
  readonly multiattachType: string | null
  readonly availabilityZone: string | null
  /** NFS, CEPHFS. */
  readonly shareProtocol: string
  readonly shareType: string | null
  readonly shareNetwork: string | null
  /** Milliseconds. */
  readonly lingerMs: number
  /** Milliseconds. */
  readonly graceMs: number
  readonly logLevel: string
}

export const fuxiUsage = `Usage: gantry fuxi [options]

Serves Docker's volumes with Cinder and Manila: docker volume create --driver fuxi …

  --cloud FILE              openstack.yaml, or one entry of a clouds.yaml; without it OS_AUTH_URL and so on are read
  --volume-providers LIST   cinder, manila or both; the first is the usual one      (cinder)
  --name NAME               the driver's name for Docker                            (fuxi)
  --socket PATH             where Docker finds it                                   (/run/docker/plugins/NAME.sock)
  --docker-socket PATH      an engine that uses it, asked which volumes are in use; may be repeated (/var/run/docker.sock)
  --no-sweep                only what Docker says itself ends the use of a volume
  --sweep-after SECONDS     what no container has for so long is taken off the host (60)
  --linger SECONDS          how long a volume stays on the host after its last use  (0)
  --state DIR               where it keeps what is mounted                          (/var/lib/gantry/NAME)
  --volume-dir DIR          where volumes are mounted                               (/NAME/data)
  --host NAME               this host as the storage and others are told of it      (this machine's host name)
  --address IP              its address for the storage                             (found out)
  --volume-from TEXT        the mark of its volumes, in their metadata              (fuxi)
  --default-size GB         of a new volume                                         (1)
  --fstype TYPE             of a new volume                                         (ext4)
  --volume-type NAME        of a new volume                                         (Cinder's own)
  --multiattach-type NAME   of a new volume with multiattach=true                   (looked for)
  --availability-zone NAME  of a new volume or share                                (the service's own)
  --share-proto NAME        of a new share: NFS or CEPHFS                           (NFS)
  --share-type NAME         of a new share                                          (Manila's own)
  --share-network ID        of a new share, where its storage needs one             (none)`

/** Reads the command line and the environment. Throws `UsageError` with a sentence. Pure. */
export function readFuxiOptions(args: readonly string[], env: NodeJS.ProcessEnv): FuxiSettings {
  const values = parse(args)
  const { name } = values
  return {
    cloudFile: values.cloud ?? null,
    ...pluginPlaces(values),
    stateDir: values.state ?? `/var/lib/gantry/${name}`,
    volumeDir: values['volume-dir'] ?? `/${name}/data`,
    // As Fuxi wrote it: names of hosts do not differ by their case.
    host: hostOf(values.host ?? hostname()),
    address: values.address ?? null,
    providers: providersOf(values['volume-providers']),
    volumeFrom: values['volume-from'],
    size: sizeOf(values['default-size']),
    fsType: values.fstype,
    volumeType: values['volume-type'] ?? null,
    multiattachType: values['multiattach-type'] ?? null,
    availabilityZone: values['availability-zone'] ?? null,
    shareProtocol: protocolOf(values['share-proto']),
    shareType: values['share-type'] ?? null,
    shareNetwork: values['share-network'] ?? null,
    lingerMs: secondsOf(values.linger, '--linger'),
    graceMs: secondsOf(values['sweep-after'], '--sweep-after'),
    logLevel: env['GANTRY_LOG_LEVEL'] ?? 'info',
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        cloud: { type: 'string' },
        'volume-providers': { type: 'string', default: 'cinder' },
        name: { type: 'string', default: 'fuxi' },
        socket: { type: 'string' },
        'docker-socket': { type: 'string', multiple: true },
        'no-sweep': { type: 'boolean' },
        'sweep-after': { type: 'string', default: '60' },
        linger: { type: 'string', default: '0' },
        state: { type: 'string' },
        'volume-dir': { type: 'string' },
        host: { type: 'string' },
        address: { type: 'string' },
        'volume-from': { type: 'string', default: 'fuxi' },
        'default-size': { type: 'string', default: '1' },
        fstype: { type: 'string', default: 'ext4' },
        'volume-type': { type: 'string' },
        'multiattach-type': { type: 'string' },
        'availability-zone': { type: 'string' },
        'share-proto': { type: 'string', default: 'NFS' },
        'share-type': { type: 'string' },
        'share-network': { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function hostOf(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,250}$/.test(text)) return text.toLowerCase()
  throw new UsageError(`"${text}" cannot be a host's name; give another with --host.`)
}

function providersOf(text: string): FuxiSettings['providers'] {
  const names = text.split(',').map((name) => name.trim())
  return [...new Set(names)].map((name) => {
    const known = providerNames.find((each) => each === name)
    if (known === undefined) throw new UsageError(`--volume-providers lists cinder and manila, not "${name}".`)
    return known
  })
}

function sizeOf(text: string): number {
  const size = Number(text)
  if (Number.isInteger(size) && size > 0) return size
  throw new UsageError(`--default-size is a whole number of GiB above 0, not "${text}".`)
}

function protocolOf(text: string): string {
  const protocol = text.toUpperCase()
  if (protocol === 'NFS' || protocol === 'CEPHFS') return protocol
  throw new UsageError(`--share-proto is NFS or CEPHFS, not "${text}".`)
}
