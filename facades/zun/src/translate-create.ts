import type { ContainerPatch, NewContainer } from '@gantry/control'
import { type ContainerSpec, defaultSpec, type Healthcheck, type PullPolicy, type RestartPolicy } from '@gantry/model'
import { Fault } from '@gantry/kernel'
import { parseBoolean } from './arguments.ts'
import { Refusal } from './errors.ts'
import { requireMinor } from './microversion.ts'
import { shellSplit } from './shell-split.ts'
import { toMounts } from './translate-mounts.ts'
import { toNets } from './translate-nets.ts'

type Body = Readonly<Record<string, unknown>>

/** Fields whose schema came first and whose version gate later: below it they are 400 `invalid-param-in-version`. */
const gatedFields: Readonly<Record<string, number>> = {
  auto_remove: 3,
  runtime: 5,
  hostname: 9,
  mounts: 11,
  privileged: 21,
  healthcheck: 22,
  exposed_ports: 24,
  registry: 31,
}

/** From a checked create body to what control is asked for. Throws refusals for what the schema alone cannot say. */
export function toNewContainer(body: Body, minor: number, run: boolean): NewContainer {
  for (const [name, since] of Object.entries(gatedFields)) if (given(body, name)) requireMinor(minor, since, name)
  refuseGroupsWithPorts(body, minor)
  refusePrivileged(body)
  const name = body['name']
  const groups = words(body['security_groups'])
  const registry = textOrNull(body['registry'])
  return {
    name: typeof name === 'string' ? name : null,
    spec: toSpec(body, minor),
    run,
    nets: toNets(body['nets']),
    mounts: toMounts(body['mounts']),
    // An empty list, as Heat sends it, means the default group.
    ...(groups === null ? {} : { groups: [...new Set(groups)] }),
    ...(registry === null ? {} : { registry }),
  }
}

/** From a checked PATCH or resize body. Null values mean "leave as it is". */
export function toPatch(body: Body): ContainerPatch {
  const name = body['name']
  const autoHeal = parseBoolean(body['auto_heal'])
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(given(body, 'cpu') ? { cpu: Number(body['cpu']) } : {}),
    ...(given(body, 'memory') ? { memory: Number(body['memory']) } : {}),
    ...(autoHeal === undefined ? {} : { autoHeal }),
  }
}

function toSpec(body: Body, minor: number): ContainerSpec {
  const base = defaultSpec(String(body['image']))
  const interactive = parseBoolean(body['interactive']) ?? false
  return {
    ...base,
    imageDriver: body['image_driver'] === 'glance' ? 'glance' : 'docker',
    pullPolicy: given(body, 'image_pull_policy')
      ? (String(body['image_pull_policy']).toLowerCase() as PullPolicy)
      : base.pullPolicy,
    command: toCommand(body['command']),
    entrypoint: words(body['entrypoint']),
    workdir: textOrNull(body['workdir']),
    environment: stringMap(body['environment']),
    labels: stringMap(body['labels']),
    hints: stringMap(body['hints']),
    hostname: textOrNull(body['hostname']),
    cpu: numberOr(body['cpu'], base.cpu),
    cpuPolicy: body['cpu_policy'] === 'dedicated' ? 'dedicated' : 'shared',
    memory: numberOr(body['memory'], base.memory),
    disk: numberOr(body['disk'], base.disk),
    restartPolicy: toRestartPolicy(body['restart_policy'], body['auto_remove'] === true),
    interactive,
    // Before the two were told apart, interactive meant both.
    tty: minor >= 36 ? (parseBoolean(body['tty']) ?? false) : interactive,
    autoRemove: body['auto_remove'] === true,
    autoHeal: parseBoolean(body['auto_heal']) ?? false,
    privileged: parseBoolean(body['privileged']) ?? false,
    runtime: textOrNull(body['runtime']),
    healthcheck: toHealthcheck(body['healthcheck']),
    exposedPorts: toPorts(body['exposed_ports']),
    availabilityZone: textOrNull(body['availability_zone']),
    requestedHost: textOrNull(body['host']),
  }
}

function toCommand(command: unknown): string[] | null {
  const split = typeof command === 'string' ? shellSplit(command) : words(command)
  return split && split.length > 0 ? split : null
}

function toRestartPolicy(policy: unknown, autoRemove: boolean): RestartPolicy {
  if (typeof policy !== 'object' || policy === null) return { name: 'no', maxRetries: 0 }
  const { Name: name, MaximumRetryCount: count } = policy as {
    Name: RestartPolicy['name']
    MaximumRetryCount?: unknown
  }
  const maxRetries = Number(count ?? 0)
  if (name !== 'no' && autoRemove) {
    throw new Refusal(400, 'invalid-value', 'auto_remove and a restart_policy exclude each other; give one of them.')
  }
  if (maxRetries > 0 && (name === 'always' || name === 'unless-stopped')) {
    throw new Refusal(400, 'invalid-value', `MaximumRetryCount cannot be used with restart policy ${name}.`)
  }
  return { name, maxRetries: name === 'on-failure' ? maxRetries : 0 }
}

function toHealthcheck(check: unknown): Healthcheck | null {
  if (typeof check !== 'object' || check === null) return null
  const { cmd, interval, timeout, retries } = check as Record<string, unknown>
  return {
    command: String(cmd),
    intervalSeconds: Number(interval ?? 0),
    timeoutSeconds: Number(timeout ?? 0),
    retries: Number(retries ?? 0),
  }
}

function toPorts(ports: unknown): string[] {
  return Object.keys(ports ?? {}).map((port) => (port.includes('/') ? port : `${port}/tcp`))
}

function refuseGroupsWithPorts(body: Body, minor: number): void {
  if (minor < 20 || !given(body, 'security_groups') || !given(body, 'exposed_ports')) return
  throw new Refusal(400, 'invalid-value', 'security_groups and exposed_ports exclude each other; give one of them.')
}

function refusePrivileged(body: Body): void {
  if (parseBoolean(body['privileged']) !== true) return
  throw new Fault('policy.forbidden', {
    action: 'create_privileged',
    reason: 'no project may run privileged containers on this cloud',
  })
}

function given(body: Body, name: string): boolean {
  return Object.hasOwn(body, name) && body[name] !== null
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function numberOr(value: unknown, otherwise: number): number {
  return value === undefined || value === null ? otherwise : Number(value)
}

function words(value: unknown): string[] | null {
  return Array.isArray(value) && value.length > 0 ? (value as string[]) : null
}

/** Values that are no strings become their JSON text: labels are strings everywhere below. */
function stringMap(value: unknown): Record<string, string> {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>)
  return Object.fromEntries(entries.map(([key, item]) => [key, typeof item === 'string' ? item : JSON.stringify(item)]))
}
