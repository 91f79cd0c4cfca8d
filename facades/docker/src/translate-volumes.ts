import { posix } from 'node:path'
import { type MountRequest, mountedVolumes } from '@gantry/control'
import type { Caller, Volume } from '@gantry/model'
import { canonicalBody } from './canonical-body.ts'
import type { DockerContext } from './context.ts'
import { Refusal } from './errors.ts'
import { anonymousLabel, ensureVolume, knownVolumes, nameOfVolume, placeOf } from './known-volumes.ts'
import type { ConfigBody, HostConfigBody } from './schemas-create.ts'
import { type AskedVolume, backendOf, driverOf, optionsOf, sizeFor } from './volume-options.ts'

type Json = Readonly<Record<string, unknown>>

/** One mount as asked for in any of the three ways. */
type Asked =
  | ({
      readonly kind: 'volume'
      readonly target: string
      readonly readOnly: boolean
      readonly noCopy: boolean
    } & AskedVolume)
  | { readonly kind: 'tmpfs'; readonly target: string; readonly options: string }

/**
 * The volumes and memory file systems of a new container. Named volumes that do not exist yet are made, as Docker does.
 * Folders of the host have been judged before; what was granted of them is passed on elsewhere.
 */
export async function mountsOf(
  { control }: DockerContext,
  caller: Caller,
  { config, host }: { readonly config: ConfigBody; readonly host: HostConfigBody },
): Promise<{ mounts: MountRequest[]; tmpfs: Record<string, string> }> {
  const driver = host.VolumeDriver ?? ''
  const binds = (host.Binds ?? []).flatMap(ofBind).map((bind) => ({ ...bind, driver }))
  const asked = [...binds, ...(host.Mounts ?? []).flatMap(ofMount)]
  const targets = new Set<string>()
  for (const { target } of asked) {
    const path = checkTarget(target)
    if (targets.has(path)) throw new Refusal(400, `Duplicate mount point: ${target}`)
    targets.add(path)
  }
  for (const target of Object.keys(config.Volumes ?? {})) {
    // A mount that says more of the same place takes it.
    if (!targets.has(checkTarget(target))) asked.push({ ...anonymous, target, driver })
  }
  const mounts: MountRequest[] = []
  const tmpfs: Record<string, string> = {}
  for (const each of asked) {
    if (each.kind === 'tmpfs') tmpfs[each.target] = each.options
    else mounts.push(await mountOf(control, caller, each))
  }
  return { mounts, tmpfs }
}

const anonymous = { kind: 'volume', name: '', readOnly: false, noCopy: false, labels: {}, options: {} } as const

async function mountOf(
  control: DockerContext['control'],
  caller: Caller,
  asked: Extract<Asked, { kind: 'volume' }>,
): Promise<MountRequest> {
  const { name, target, readOnly, noCopy, labels } = asked
  const where = { destination: target, readOnly, fill: !noCopy }
  if (name !== '') {
    const { id } = await ensureVolume(control, caller, asked)
    return { kind: 'volume', source: id, ...where }
  }
  const service = backendOf(asked)
  if (service !== undefined) {
    const problem = `one without a name is kept where the cloud keeps volumes; name it to have it by ${service}`
    throw new Refusal(400, `invalid mount config for ${target}: ${problem}`)
  }
  const marked = { ...labels, [anonymousLabel]: '' }
  return { kind: 'new', size: sizeFor(asked), ...where, shared: true, labels: marked }
}

/** Modes that change nothing here: labels of SELinux, and how mounts spread, which policy has judged. */
const harmless = /^(rw|ro|z|Z|nocopy|r?private|cached|delegated|consistent|)$/

/** `name:/path[:mode]`, or `/path` alone; host paths are left out. */
function ofBind(bind: string): Extract<Asked, { kind: 'volume' }>[] {
  const parts = bind.split(':')
  const [source = '', target = '', mode = ''] = parts.length === 1 ? ['', bind] : parts
  if (parts.length > 3 || (parts.length > 1 && source === ''))
    throw new Refusal(400, `invalid volume specification: '${bind}'`)
  const modes = mode.split(',')
  const isHostPath = /^[/\\.~]/.test(source)
  if (isHostPath) return []
  if (!modes.every((each) => harmless.test(each))) throw new Refusal(400, `invalid mode: ${mode}`)
  return [{ ...anonymous, name: source, target, readOnly: modes.includes('ro'), noCopy: modes.includes('nocopy') }]
}

const mountFields = ['Type', 'Source', 'Target', 'ReadOnly', 'VolumeOptions', 'TmpfsOptions']

function ofMount(body: Json): Asked[] {
  const {
    Type = '',
    Source = '',
    Target = '',
    ReadOnly,
    VolumeOptions,
    TmpfsOptions,
  } = canonicalBody(body, mountFields)
  const target = String(Target)
  if (target === '') throw new Refusal(400, 'invalid mount config for type: field Target must not be empty')
  switch (Type) {
    case 'tmpfs':
      if (Source !== '')
        throw new Refusal(400, 'invalid mount config for type "tmpfs": field Source must not be specified')
      return [{ kind: 'tmpfs', target, options: tmpfsOptions(canonicalBody(TmpfsOptions, ['SizeBytes', 'Mode'])) }]
    case 'volume': {
      const volume = canonicalBody(VolumeOptions, ['NoCopy', 'Labels', 'DriverConfig'])
      const { Name = '', Options } = canonicalBody(volume['DriverConfig'], ['Name', 'Options'])
      return [
        {
          kind: 'volume',
          name: String(Source),
          target,
          readOnly: ReadOnly === true,
          noCopy: volume['NoCopy'] === true,
          labels: textMap(volume['Labels']),
          driver: String(Name),
          options: textMap(Options),
        },
      ]
    }
    case 'bind':
      return []
    default:
      throw new Refusal(400, `invalid mount config: mount type unknown: "${String(Type)}"`)
  }
}

function tmpfsOptions({ SizeBytes, Mode }: Json): string {
  const size = typeof SizeBytes === 'number' && SizeBytes > 0 ? [`size=${SizeBytes}`] : []
  const mode = typeof Mode === 'number' && Mode > 0 ? [`mode=${Mode.toString(8)}`] : []
  return [...size, ...mode].join(',')
}

/** Labels and the like; what is no text is left out. */
export function textMap(value: unknown): Record<string, string> {
  const pairs = Object.entries(canonicalBody(value, []))
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'))
}

function checkTarget(target: string): string {
  if (!target.startsWith('/'))
    throw new Refusal(400, `invalid mount config: invalid mount path: '${target}' mount path must be absolute`)
  const path = posix.normalize(target).replace(/(?<=.)\/$/, '')
  if (path === '/')
    throw new Refusal(400, `invalid volume specification: '${target}': invalid mount config: destination can't be '/'`)
  return path
}

export function volumeView(volume: Volume): Record<string, unknown> {
  const { createdAt, labels = {}, backend = 'local' } = volume
  const Name = nameOfVolume(volume)
  const options = optionsOf(volume)
  return {
    CreatedAt: new Date(createdAt).toISOString().replace(/\.\d+Z$/, 'Z'),
    Driver: driverOf(volume),
    Labels: Object.keys(labels).length > 0 ? labels : null,
    Mountpoint: placeOf(Name),
    Name,
    Options: Object.keys(options).length > 0 ? options : null,
    Scope: backend === 'local' ? 'local' : 'global',
  }
}

/** `Status` of an inspect: what only the driver knows. The host is for administrators. */
export async function statusView({ control }: DockerContext, caller: Caller, volume: Volume): Promise<object> {
  const { id, size, status, statusReason, backend = 'local', volumeType, multiattach, hostId } = volume
  const isUsed = status === 'in-use' || volume.containerId !== null
  const mounts = isUsed ? ((await mountedVolumes(control, caller)).get(id) ?? []) : []
  const host = caller.isAdmin && hostId !== null ? (await control.hosts.get(caller, hostId)).name : undefined
  return {
    id,
    provider: backend,
    size: `${size}GiB`,
    status,
    ...(statusReason !== null && { reason: statusReason }),
    ...(volumeType !== undefined && { type: volumeType }),
    ...(multiattach === true && { multiattach }),
    ...(host !== undefined && { host }),
    containers: [...new Set(mounts.map(({ container }) => container.name))],
  }
}

/** What `/system/df` lists: how many containers have each. How much is written is for its host to know: the size counts. */
export async function volumeViews({ control }: DockerContext, caller: Caller): Promise<Record<string, unknown>[]> {
  const [volumes, mounted] = await Promise.all([knownVolumes(control, caller), mountedVolumes(control, caller)])
  return volumes.map((volume) => {
    const containers = new Set(mounted.get(volume.id)?.map(({ container }) => container.id))
    return { ...volumeView(volume), UsageData: { RefCount: containers.size, Size: volume.size * 2 ** 30 } }
  })
}
