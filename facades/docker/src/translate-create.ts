import { Fault } from '@gantry/kernel'
import { type ContainerSpec, defaultSpec, type RunOptions } from '@gantry/model'
import { Refusal } from './errors.ts'
import type { ConfigBody, HostConfigBody } from './schemas-create.ts'

const bytesPerMib = 1024 * 1024
/** As the engine has it. */
const leastMemory = 6 * bytesPerMib

/**
 * What is asked of a container, from the API's config, in the words of the core. Networks, volumes and published ports are
 * translated by themselves; what could reach the host has been judged before.
 */
export function specOf(image: string, config: ConfigBody, host: HostConfigBody): ContainerSpec {
  const tty = config.Tty ?? false
  const interactive = config.OpenStdin ?? false
  return {
    ...defaultSpec(image),
    command: listOf(config.Cmd),
    entrypoint: listOf(config.Entrypoint),
    workdir: config.WorkingDir || null,
    environment: environmentOf(config.Env ?? []),
    labels: labelsOf(config.Labels),
    hostname: config.Hostname || null,
    cpu: coresOf(host) ?? defaultSpec('').cpu,
    memory: mebibytesOf(host) ?? defaultSpec('').memory,
    restartPolicy: restartPolicyOf(host.RestartPolicy),
    interactive,
    ...(interactive && config.StdinOnce && !tty ? { stdinOnce: true } : {}),
    tty,
    autoRemove: host.AutoRemove ?? false,
  }
}

function listOf(value: readonly string[] | string | null | undefined): string[] | null {
  if (value === null || value === undefined) return null
  const list = typeof value === 'string' ? [value] : [...value]
  return list.length === 0 ? null : list
}

/** `NAME` alone takes the image's away; the core keeps names with values only, so it is passed over. */
function environmentOf(list: readonly string[]): Record<string, string> {
  const pairs = list.flatMap((entry): [string, string][] => {
    const at = entry.indexOf('=')
    if (at === 0 || entry === '') throw new Refusal(400, `invalid environment variable: ${entry}`)
    return at < 0 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]]
  })
  return Object.fromEntries(pairs)
}

export function labelsOf(labels: ConfigBody['Labels']): Record<string, string> {
  const pairs = Array.isArray(labels)
    ? labels.map((label): [string, string] => {
        const at = label.indexOf('=')
        return at < 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)]
      })
    : Object.entries(labels ?? {}).map(([name, value]): [string, string] => [name, value ?? ''])
  return Object.fromEntries(pairs)
}

/** Cores; undefined: not said. */
export function coresOf({ NanoCpus, CpuQuota, CpuPeriod }: HostConfigBody): number | undefined {
  if (NanoCpus && CpuQuota) throw new Refusal(400, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set.')
  if (NanoCpus && NanoCpus > 0) return NanoCpus / 1e9
  if (CpuQuota && CpuQuota > 0) return CpuQuota / (CpuPeriod && CpuPeriod > 0 ? CpuPeriod : 100_000)
  return undefined
}

/** MiB; undefined: not said. */
export function mebibytesOf({ Memory }: HostConfigBody): number | undefined {
  if (!Memory || Memory < 0) return undefined
  if (Memory < leastMemory) throw new Refusal(400, 'Minimum memory limit allowed is 6MB')
  return Math.ceil(Memory / bytesPerMib)
}

export function restartPolicyOf(policy: HostConfigBody['RestartPolicy']): ContainerSpec['restartPolicy'] {
  const name = policy?.Name || 'no'
  const maxRetries = policy?.MaximumRetryCount ?? 0
  switch (name) {
    case 'no':
    case 'always':
    case 'unless-stopped':
      if (maxRetries !== 0) {
        throw new Refusal(400, `invalid restart policy: maximum retry count can only be used with 'on-failure'`)
      }
      return { name, maxRetries: 0 }
    case 'on-failure':
      if (maxRetries < 0) throw new Refusal(400, 'invalid restart policy: maximum retry count cannot be negative')
      return { name, maxRetries }
    default:
      throw new Refusal(400, `invalid restart policy '${name}'`)
  }
}

/** Everything else that the engine is to be told. */
export function optionsOf(config: ConfigBody, host: HostConfigBody): RunOptions {
  const health = healthOf(config.Healthcheck)
  return {
    ...(config.User && { user: config.User }),
    ...(config.Domainname && { domainname: config.Domainname }),
    ...(config.StopSignal && { stopSignal: config.StopSignal }),
    ...(typeof config.StopTimeout === 'number' && { stopTimeoutSeconds: Math.max(0, config.StopTimeout) }),
    ...(health && { healthcheck: health }),
    ...(host.GroupAdd?.length ? { groupAdd: [...host.GroupAdd] } : {}),
    ...(host.Init && { init: true }),
    ...(host.ReadonlyRootfs && { readonlyRootfs: true }),
    ...(host.Tmpfs && Object.keys(host.Tmpfs).length > 0 ? { tmpfs: host.Tmpfs } : {}),
    ...(host.ShmSize ? { shmSize: positive('ShmSize', host.ShmSize) } : {}),
    ...(host.Ulimits?.length
      ? { ulimits: host.Ulimits.map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard })) }
      : {}),
    ...(host.Sysctls && Object.keys(host.Sysctls).length > 0 ? { sysctls: host.Sysctls } : {}),
    ...(host.CapAdd?.length ? { capAdd: [...host.CapAdd] } : {}),
    ...(host.CapDrop?.length ? { capDrop: [...host.CapDrop] } : {}),
    ...(host.ExtraHosts?.length ? { extraHosts: [...host.ExtraHosts] } : {}),
    ...(host.Dns?.length ? { dns: [...host.Dns] } : {}),
    ...(host.DnsSearch?.length ? { dnsSearch: [...host.DnsSearch] } : {}),
    ...(host.DnsOptions?.length ? { dnsOptions: [...host.DnsOptions] } : {}),
    ...ipcOf(host.IpcMode),
    ...tuningOf(host),
    ...(host.OomScoreAdj ? { oomScoreAdj: host.OomScoreAdj } : {}),
    ...logsOf(host.LogConfig),
  }
}

/** What `update` may change, too. */
export function tuningOf(host: HostConfigBody): RunOptions {
  return {
    ...(host.CpuShares ? { cpuShares: positive('CpuShares', host.CpuShares) } : {}),
    ...(host.MemoryReservation ? { memoryReservation: positive('MemoryReservation', host.MemoryReservation) } : {}),
    ...(host.PidsLimit && host.PidsLimit > 0 ? { pidsLimit: host.PidsLimit } : {}),
  }
}

function positive(field: string, value: number): number {
  if (value > 0) return value
  throw new Fault('request.invalid', { problem: `${field} must not be negative.` })
}

function ipcOf(mode: string | null | undefined): RunOptions {
  return mode === 'none' || mode === 'shareable' ? { ipcMode: mode } : {}
}

function logsOf(logs: HostConfigBody['LogConfig']): RunOptions {
  const pairs = Object.entries(logs?.Config ?? {}).filter((pair): pair is [string, string] => pair[1] !== null)
  return pairs.length === 0 ? {} : { logOptions: Object.fromEntries(pairs) }
}

function healthOf(check: ConfigBody['Healthcheck']): RunOptions['healthcheck'] {
  if (!check?.Test?.length) return undefined
  const span = (field: string, value: number | null | undefined) => {
    if (value && value > 0 && value < 1_000_000)
      throw new Refusal(400, `${field} in Healthcheck cannot be less than 1ms`)
    if (value && value < 0) throw new Refusal(400, `${field} in Healthcheck cannot be negative`)
    return value ?? 0
  }
  return {
    test: [...check.Test],
    interval: span('Interval', check.Interval),
    timeout: span('Timeout', check.Timeout),
    startPeriod: span('StartPeriod', check.StartPeriod),
    startInterval: span('StartInterval', check.StartInterval),
    retries: Math.max(0, check.Retries ?? 0),
  }
}
