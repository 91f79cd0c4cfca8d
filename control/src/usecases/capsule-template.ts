import { defaultSpec, type ContainerSpec, type PullPolicy } from '@gantry/model'
import type { CapsuleContainer, NewCapsule } from '../control.ts'
import type { NetRequest } from '../ports/networks.ts'
import type { MountRequest } from '../ports/volumes.ts'
import {
  cinderFields,
  containerFields,
  type Fields,
  metadataFields,
  netFields,
  portFields,
  refuseTemplate,
  requestsFields,
  resourcesFields,
  specFields,
  templateFields,
  volumeFields,
  volumeMountFields,
} from './capsule-template-rules.ts'

type Volumes = ReadonlyMap<string, (destination: string, readOnly: boolean) => MountRequest>

const restartPolicies = { Always: 'always', OnFailure: 'on-failure', Never: 'no' } as const

/**
 * From Zun's capsule template, an object or its JSON text, to what control is asked for. Throws `request.invalid` with a
 * sentence that names the field. `nets` and `securityGroups` of the spec are ours: Zun's template has no place for them.
 */
export function parseCapsuleTemplate(template: unknown): NewCapsule {
  const fields = templateFields(asObject(template), '')
  const metadata = metadataFields(fields['metadata'] ?? {}, 'metadata')
  // `restartPolicy` moved into the spec with version 1.16; both places are read.
  const spec = specFields(pick(fields, 'restartPolicy', fields['spec'] as Fields), 'spec')
  const volumes = toVolumes(list(spec['volumes']))
  const zone = spec['availabilityZone'] ?? fields['availabilityZone']
  const containersOf = (name: string) =>
    list(spec[name]).map((container, index) => toContainer(container, `spec.${name}[${index}]`, volumes))
  return {
    name: textOrNull(metadata['name']),
    labels: textMap(metadata['labels']),
    annotations: textMap(metadata['annotations']),
    restartPolicy: restartPolicies[(spec['restartPolicy'] ?? 'Always') as keyof typeof restartPolicies],
    availabilityZone: textOrNull(zone),
    containers: containersOf('containers'),
    initContainers: containersOf('initContainers'),
    ...(spec['nets'] === undefined ? {} : { nets: list(spec['nets']).map(toNet) }),
    ...(spec['securityGroups'] === undefined ? {} : { groups: spec['securityGroups'] as string[] }),
  }
}

function asObject(template: unknown): Fields {
  const value = typeof template === 'string' ? fromJson(template) : template
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  return refuseTemplate('it must be an object with "kind", "metadata" and "spec".')
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return refuseTemplate('as a string it must be JSON.')
  }
}

/** `into` with the outer field, unless it has one itself. */
function pick(outer: Fields, name: string, into: Fields): Fields {
  return outer[name] === undefined || into[name] !== undefined ? into : { ...into, [name]: outer[name] }
}

function toContainer(container: Fields, path: string, volumes: Volumes): CapsuleContainer {
  const fields = containerFields(container, path)
  return {
    spec: toSpec(fields, path),
    mounts: list(fields['volumeMounts']).map((mount, index) =>
      toMount(mount, `${path}.volumeMounts[${index}]`, volumes),
    ),
  }
}

function toSpec(fields: Fields, path: string): ContainerSpec {
  const base = defaultSpec(String(fields['image']))
  const words = [...((fields['command'] ?? []) as string[]), ...((fields['args'] ?? []) as string[])]
  const environment = textMap(fields['env'])
  if (Object.keys(environment).some((name) => name === '' || /[=\0]/.test(name))) {
    refuseTemplate(`${path}.env has a name that is empty or holds "=".`)
  }
  return {
    ...base,
    ...toLimits(fields['resources'], base, `${path}.resources`),
    command: words.length > 0 ? words : null,
    environment,
    workdir: textOrNull(fields['workDir']),
    pullPolicy: (textOrNull(fields['imagePullPolicy'])?.toLowerCase() ?? base.pullPolicy) as PullPolicy,
    interactive: fields['stdin'] === true,
    tty: fields['tty'] === true,
    exposedPorts: list(fields['ports']).map((port, index) => toPort(port, `${path}.ports[${index}]`)),
  }
}

function toLimits(resources: unknown, base: ContainerSpec, path: string): Pick<ContainerSpec, 'cpu' | 'memory'> {
  const { requests = {} } = resourcesFields(resources ?? {}, path)
  const asked = requestsFields(requests, `${path}.requests`)
  const cpu = Number(asked['cpu'] ?? base.cpu)
  const memory = Number(asked['memory'] ?? base.memory)
  if (!(cpu >= 0.01 && cpu <= 4096)) refuseTemplate(`${path}.requests.cpu must be from 0.01 to 4096 cores.`)
  if (!Number.isInteger(memory) || memory < 4 || memory > 16_777_216) {
    refuseTemplate(`${path}.requests.memory must be a whole number of MiB, at least 4.`)
  }
  return { cpu, memory }
}

function toPort(port: Fields, path: string): string {
  const { containerPort, protocol } = portFields(port, path)
  return `${Number(containerPort)}/${(textOrNull(protocol) ?? 'tcp').toLowerCase()}`
}

function toMount(mount: Fields, path: string, volumes: Volumes): MountRequest {
  const { name, mountPath, readOnly } = volumeMountFields(mount, path)
  const request = volumes.get(String(name))
  if (!request) return refuseTemplate(`${path}.name is ${JSON.stringify(name)}, which spec.volumes does not have.`)
  return request(String(mountPath), readOnly === true)
}

function toVolumes(volumes: readonly Fields[]): Volumes {
  const found = new Map<string, (destination: string, readOnly: boolean) => MountRequest>()
  for (const [index, volume] of volumes.entries()) {
    const path = `spec.volumes[${index}]`
    const fields = volumeFields(volume, path)
    const name = String(fields['name'])
    if (found.has(name)) refuseTemplate(`${path}.name is ${JSON.stringify(name)}, as that of another volume.`)
    found.set(name, toRequest(name, cinderFields(fields['cinder'], `${path}.cinder`), `${path}.cinder`))
  }
  return found
}

function toRequest(
  share: string,
  cinder: Fields,
  path: string,
): (destination: string, readOnly: boolean) => MountRequest {
  const source = textOrNull(cinder['volumeID'])
  if ((source === null) === (cinder['size'] === undefined)) refuseTemplate(`${path} must have either volumeID or size.`)
  if (source !== null) return (destination, readOnly) => ({ kind: 'volume', source, destination, readOnly })
  const size = Number(cinder['size'])
  if (!Number.isInteger(size) || size < 1) refuseTemplate(`${path}.size must be a whole number of GiB, at least 1.`)
  const keep = cinder['autoRemove'] !== true
  return (destination, readOnly) => ({ kind: 'new', size, destination, readOnly, share, keep })
}

function toNet(net: Fields, index: number): NetRequest {
  const path = `spec.nets[${index}]`
  const fields = netFields(net, path)
  const addresses = [fields['v4-fixed-ip'], fields['v6-fixed-ip']].filter((address) => typeof address === 'string')
  const network = textOrNull(fields['network'])
  const port = textOrNull(fields['port'])
  if ((network === null) === (port === null)) refuseTemplate(`${path} must have either network or port.`)
  if (network !== null) return { network, addresses }
  if (addresses.length > 0) refuseTemplate(`${path} names a port, which has its addresses already.`)
  return { port: String(port) }
}

function list(value: unknown): readonly Fields[] {
  return (value ?? []) as readonly Fields[]
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function textMap(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries((value ?? {}) as Fields).map(([key, item]) => [key, String(item)]))
}
