import type { Wanted } from './draft.ts'
import { quoted, quotedLine } from './shell-words.ts'

/** Names for the ids that the form asks with. */
export interface Names {
  readonly network: (id: string) => string
  readonly volume: (id: string) => string
}

/** The line of Docker's client that asks for the same. */
export function dockerRun({ count, container }: Wanted, names: Names): string {
  const { nets = [], mounts = [], publish = [], restartPolicy } = container
  const options = [
    ['--cpus', String(container.cpu), '--memory', `${container.memory}m`],
    ...nets.map(({ network = '', addresses = [] }) => [
      '--network',
      addresses[0] === undefined ? names.network(network) : `name=${names.network(network)},${ipOption(addresses[0])}`,
    ]),
    ...(container.exposedPorts ?? []).map((port) => ['--expose', port]),
    ...publish.map((port) => ['--publish', publishText(port)]),
    ...mounts.map(({ source, size, destination, readOnly = false }) => [
      '--mount',
      source === undefined
        ? `type=volume,target=${destination},volume-opt=size=${size}G${readOnly ? ',readonly' : ''}`
        : `type=volume,source=${names.volume(source)},target=${destination}${readOnly ? ',readonly' : ''}`,
    ]),
    ...pairs('--env', container.environment),
    ...pairs('--label', container.labels),
    ...(restartPolicy ? [['--restart', restartText(restartPolicy)]] : []),
    ...(container.autoRemove === true ? [['--rm']] : []),
    [container.image, ...(container.command ?? [])],
  ]
  const verb = container.interactive === true ? 'docker run -dit' : 'docker run -d'
  return repeated(verb, nameOption(container.name, count), options, count)
}

/** The line of OpenStack's client that asks for the same. */
export function openstackRun({ count, container }: Wanted, names: Names): string {
  const { nets = [], mounts = [], securityGroups = [], restartPolicy } = container
  const options = [
    ['--cpu', String(container.cpu), '--memory', String(container.memory)],
    ...(container.disk === undefined ? [] : [['--disk', String(container.disk)]]),
    ...option('--availability-zone', container.availabilityZone),
    ...option('--registry', container.registry),
    ...nets.map(({ network = '', addresses = [] }) => [
      '--net',
      `network=${names.network(network)}${fixedIpOption(addresses[0])}`,
    ]),
    // Its client takes one or the other.
    ...(securityGroups.length > 0
      ? securityGroups.map((group) => ['--security-group', group])
      : opened(container).map((port) => ['--expose-port', port])),
    ...mounts.map(({ source, size, destination }) => [
      '--mount',
      `${source === undefined ? `size=${size}` : `source=${names.volume(source)}`},destination=${destination}`,
    ]),
    ...pairs('--environment', container.environment),
    ...pairs('--label', container.labels),
    ...(restartPolicy ? [['--restart', restartText(restartPolicy)]] : []),
    ...(container.autoRemove === true ? [['--auto-remove']] : []),
    ...(container.interactive === true ? [['--interactive']] : []),
    [container.image, ...(container.command ?? [])],
  ]
  const line = repeated('openstack appcontainer run', nameOption(container.name, count), options, count)
  return [...notPublished(container), line].join('\n')
}

/** A Heat template that asks for the same. */
export function heatTemplate({ count, container }: Wanted, names: Names): string {
  const resource = ['type: OS::Zun::Container', 'properties:', ...propertiesOf(container, count, names).map(indent)]
  const one = count === 1 ? resource : inGroup(resource, count)
  return [
    ...notPublished(container),
    'heat_template_version: 2018-08-31',
    'resources:',
    '  containers:',
    ...one.map((line) => `    ${line}`),
    '',
  ].join('\n')
}

function inGroup(resource: readonly string[], count: number): string[] {
  const group = ['type: OS::Heat::ResourceGroup', 'properties:', `  count: ${count}`, '  resource_def:']
  return [...group, ...resource.map((line) => `    ${line}`)]
}

function propertiesOf(container: Wanted['container'], count: number, names: Names): string[] {
  const { nets = [], mounts = [], securityGroups = [], restartPolicy } = container
  const name = container.name !== undefined && count > 1 ? `${container.name}-%index%` : container.name
  return [
    ...(name === undefined ? [] : [`name: ${scalar(name)}`]),
    `image: ${scalar(container.image)}`,
    `cpu: ${container.cpu}`,
    `memory: ${container.memory}`,
    ...(container.command ? [`command: ${scalar(quotedLine(container.command))}`] : []),
    ...mapping('environment', container.environment),
    ...mapping('labels', container.labels),
    ...sequence('networks', nets, ({ network = '', addresses = [] }) => ({
      network: names.network(network),
      ...(addresses[0] !== undefined && { fixed_ip: addresses[0] }),
    })),
    ...(securityGroups.length > 0
      ? ['security_groups:', ...securityGroups.map((group) => `  - ${scalar(group)}`)]
      : []),
    ...sequence('mounts', mounts, ({ source, size, destination }) => ({
      ...(source === undefined ? { volume_size: size ?? 1 } : { volume_id: source }),
      mount_path: destination,
    })),
    ...(restartPolicy ? [`restart_policy: ${scalar(restartText(restartPolicy))}`] : []),
    ...(container.interactive === true ? ['interactive: true', 'tty: true'] : []),
  ]
}

/** Zun's API has no word for it, nor have the tools that speak it. */
function notPublished({ publish = [] }: Wanted['container']): string[] {
  if (publish.length === 0) return []
  const ports = publish.map(publishText).join(', ')
  return [
    `# Published ports (${ports}) cannot be said here: give its port a floating IP, or a port forwarding, afterwards.`,
  ]
}

/** Published ports are opened, too. */
function opened({ exposedPorts = [], publish = [] }: Wanted['container']): string[] {
  return [...new Set([...exposedPorts, ...publish.map((each) => `${each.containerPort}/${each.protocol ?? 'tcp'}`)])]
}

/** `8080:80/udp`. */
function publishText({
  publicPort,
  containerPort,
  protocol,
}: NonNullable<Wanted['container']['publish']>[number]): string {
  const inside = protocol === 'udp' ? `${containerPort}/udp` : `${containerPort}`
  return publicPort === undefined || publicPort === null ? inside : `${publicPort}:${inside}`
}

const indent = (line: string) => `  ${line}`

/** A JSON text is one of YAML too (YAML 1.2, 1.2.2), and says where it ends. */
function scalar(value: string | number): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}

function mapping(key: string, map: Readonly<Record<string, string>> = {}): string[] {
  const entries = Object.entries(map)
  return entries.length === 0
    ? []
    : [`${key}:`, ...entries.map(([name, value]) => `  ${scalar(name)}: ${scalar(value)}`)]
}

function sequence<T>(
  key: string,
  items: readonly T[],
  fieldsOf: (item: T) => Readonly<Record<string, string | number>>,
): string[] {
  const text = items.flatMap((item) =>
    Object.entries(fieldsOf(item)).map(
      ([name, value], index) => `  ${index === 0 ? '-' : ' '} ${name}: ${scalar(value)}`,
    ),
  )
  return text.length === 0 ? [] : [`${key}:`, ...text]
}

function option(name: string, value: string | null | undefined): string[][] {
  return value === undefined || value === null ? [] : [[name, value]]
}

function pairs(name: string, map: Readonly<Record<string, string>> = {}): string[][] {
  return Object.entries(map).map(([key, value]) => [name, `${key}=${value}`])
}

/** For a shell as it is. A name needs no quotes (check-draft.ts), but who calls need not have checked. */
function nameOption(name: string | undefined, count: number): string {
  if (name === undefined) return ''
  return count === 1 ? `--name ${quoted(name)}` : `--name ${quoted(name)}-"$n"`
}

function restartText({ name, maxRetries = 0 }: { name: string; maxRetries?: number }): string {
  return name === 'on-failure' && maxRetries > 0 ? `on-failure:${maxRetries}` : name
}

function version(address: string): 'v4' | 'v6' {
  return address.includes(':') ? 'v6' : 'v4'
}

function fixedIpOption(address: string | undefined): string {
  return address === undefined ? '' : `,${version(address)}-fixed-ip=${address}`
}

function ipOption(address: string): string {
  return `${version(address) === 'v6' ? 'ip6' : 'ip'}=${address}`
}

/** An option a line; many alike in a loop. */
function repeated(verb: string, name: string, options: readonly (readonly string[])[], count: number): string {
  const parts = [verb, name, ...options.map(quotedLine)].filter((part) => part !== '')
  if (count === 1) return parts.join(' \\\n  ')
  return `for n in $(seq ${count}); do\n  ${parts.join(' \\\n    ')}\ndone`
}
