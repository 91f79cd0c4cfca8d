import type { Manifest } from '../../ports/image-tables.ts'
import type { KnownImage } from './project-images.ts'

type Json = Readonly<Record<string, unknown>>

/** What engines say of an image whose maker did not say when. */
const never = '0001-01-01T00:00:00Z'

/** The configuration of an image; whoever pushed it may have written anything into it. */
export function configOf({ config }: Pick<Manifest, 'config'>): Json {
  try {
    return recordOf(JSON.parse(config ?? '{}'))
  } catch {
    return {}
  }
}

/** An image as `GET /images/{name}/json` of an engine describes it. */
export function inspectOf(image: KnownImage, manifest: Manifest): Json {
  const config = configOf(manifest)
  const variant = textOf(config['variant'])
  const osVersion = textOf(config['os.version'])
  return {
    Id: image.imageId,
    RepoTags: image.names,
    RepoDigests: image.digests,
    Parent: '',
    Comment: textOf(config['comment']) || commentOf(config),
    Created: createdOf(config) ?? never,
    Container: '',
    ContainerConfig: {},
    DockerVersion: textOf(config['docker_version']),
    Author: textOf(config['author']),
    Config: runConfigOf(recordOf(config['config'])),
    Architecture: textOf(config['architecture']),
    ...(variant !== '' && { Variant: variant }),
    Os: textOf(config['os']),
    ...(osVersion !== '' && { OsVersion: osVersion }),
    Size: image.size,
    VirtualSize: image.size,
    GraphDriver: { Name: 'overlay2', Data: null },
    RootFS: { Type: 'layers', Layers: diffIdsOf(config) },
    Metadata: { LastTagTime: new Date(image.createdAt).toISOString() },
  }
}

/** An image as `GET /images/json` of an engine lists it. `Created`: epoch seconds. */
export function summaryOf(image: KnownImage, manifest: Manifest): Json {
  const config = configOf(manifest)
  return {
    Id: image.imageId,
    Created: Math.floor(Date.parse(createdOf(config) ?? never) / 1000),
    Size: image.size,
    Labels: mapOf(recordOf(config['config'])['Labels']),
  }
}

/**
 * Its layers, the newest first, as `GET /images/{name}/history` of an engine tells them. `sizes`: bytes of its layers, the lowest
 * first.
 */
export function historyOf(image: KnownImage, manifest: Manifest, sizes: readonly number[]): Json[] {
  const steps = listOf(configOf(manifest)['history']).map(recordOf)
  const layers = sizes[Symbol.iterator]()
  const told = steps.map((step) => ({
    Id: '<missing>',
    Created: Math.floor(Date.parse(createdOf(step) ?? never) / 1000),
    CreatedBy: textOf(step['created_by']),
    Tags: null as readonly string[] | null,
    Size: step['empty_layer'] === true ? 0 : (layers.next().value ?? 0),
    Comment: textOf(step['comment']),
  }))
  const newest = told.at(-1)
  const tags = image.names.length > 0 ? image.names : null
  return newest ? [{ ...newest, Id: image.imageId, Tags: tags }, ...told.slice(0, -1).toReversed()] : []
}

/** How its layers are called unpacked, the lowest first. */
export function diffIdsOf(config: Json): string[] {
  return textsOf(recordOf(config['rootfs'])['diff_ids']) ?? []
}

/** A commit keeps its message in the history alone. */
function commentOf(config: Json): string {
  return textOf(recordOf(listOf(config['history']).at(-1))['comment'])
}

/** With everything that an engine would show of it, said or not, and nothing that a client could not read. */
function runConfigOf(config: Json): Json {
  const flag = (key: string) => config[key] === true
  const objects = ['ExposedPorts', 'Healthcheck'].filter((key) => isRecord(config[key]))
  const shell = textsOf(config['Shell'])
  const stopSignal = textOf(config['StopSignal'])
  return {
    Hostname: textOf(config['Hostname']),
    Domainname: textOf(config['Domainname']),
    User: textOf(config['User']),
    AttachStdin: flag('AttachStdin'),
    AttachStdout: flag('AttachStdout'),
    AttachStderr: flag('AttachStderr'),
    ...Object.fromEntries(objects.map((key) => [key, config[key]])),
    Tty: flag('Tty'),
    OpenStdin: flag('OpenStdin'),
    StdinOnce: flag('StdinOnce'),
    Env: textsOf(config['Env']),
    Cmd: textsOf(config['Cmd']),
    ...(flag('ArgsEscaped') && { ArgsEscaped: true }),
    Image: '',
    Volumes: isRecord(config['Volumes']) ? config['Volumes'] : null,
    WorkingDir: textOf(config['WorkingDir']),
    Entrypoint: textsOf(config['Entrypoint']),
    OnBuild: textsOf(config['OnBuild']),
    Labels: mapOf(config['Labels']),
    ...(stopSignal !== '' && { StopSignal: stopSignal }),
    ...(shell !== null && { Shell: shell }),
  }
}

function createdOf({ created }: Json): string | null {
  return typeof created === 'string' && !Number.isNaN(Date.parse(created)) ? created : null
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function recordOf(value: unknown): Json {
  return isRecord(value) ? value : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** null: none were said. */
function textsOf(value: unknown): string[] | null {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : null
}

function mapOf(value: unknown): Record<string, string> | null {
  if (!isRecord(value)) return null
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])),
  )
}
