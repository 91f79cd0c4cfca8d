import type { RunOptions } from '@gantry/model'
import type { CreateBody, HostConfig } from '../engine/engine-types.ts'

/** What `options` say of the container's own processes. */
export function configOf(options: RunOptions): Partial<CreateBody> {
  const { user, domainname, stopSignal, stopTimeoutSeconds, healthcheck: check } = options
  return {
    ...(user !== undefined && { User: user }),
    ...(domainname !== undefined && { Domainname: domainname }),
    ...(stopSignal !== undefined && { StopSignal: stopSignal }),
    ...(stopTimeoutSeconds !== undefined && { StopTimeout: stopTimeoutSeconds }),
    ...(check && {
      Healthcheck: {
        Test: check.test,
        Interval: check.interval,
        Timeout: check.timeout,
        StartPeriod: check.startPeriod,
        StartInterval: check.startInterval,
        Retries: check.retries,
      },
    }),
  }
}

/**
 * `base` with what `options` add and with the walls around whoever may use the Docker API: no new privileges, no raw
 * sockets, no sight of the host's cgroups. What policy granted comes last; what the service keeps (limits, networks, our own mounts) stays as it is.
 */
export function confined(base: HostConfig, options: RunOptions): HostConfig {
  const { granted = {} } = options
  const added = [...(options.capAdd ?? []), ...textsOf(granted['CapAdd'])].map(capabilityOf)
  const dropped = (options.capDrop ?? []).map(capabilityOf)
  const isRaw = added.includes('NET_RAW') || added.includes('ALL')
  const isLoose =
    granted['Privileged'] === true ||
    textsOf(granted['SecurityOpt']).some((each) => /^no-new-privileges[:=]false$/.test(each))
  const asked: HostConfig = {
    ...base,
    ...askedOf(options),
    ...(added.length > 0 && { CapAdd: [...new Set(added)] }),
    CapDrop: isRaw ? dropped : [...new Set([...dropped, 'NET_RAW'])],
    SecurityOpt: isLoose ? [] : ['no-new-privileges'],
    // Where limits are kept in the old way, engines show the host's own unless told.
    CgroupnsMode: 'private',
    // A capsule's members share its sandbox's.
    ...(options.ipcMode !== undefined && base.IpcMode === undefined && { IpcMode: options.ipcMode }),
  }
  return withGranted(asked, granted)
}

/** Kept by the service, whatever is granted. */
const ours: readonly string[] = [
  'CapAdd',
  'CapDrop',
  'CpuPeriod',
  'CpuQuota',
  'Memory',
  'MemorySwap',
  'NanoCpus',
  'NetworkMode',
  'PidsLimit',
  'PortBindings',
  'PublishAllPorts',
  'RestartPolicy',
]

function withGranted(base: HostConfig, granted: Readonly<Record<string, unknown>>): HostConfig {
  const body: Record<string, unknown> = { ...base }
  for (const [field, value] of Object.entries(granted)) {
    if (!ours.includes(field)) body[field] = joined(body[field], value)
  }
  return { ...base, ...body }
}

/** Lists grow by what is not in them yet, maps by their entries; anything else is replaced. */
function joined(before: unknown, value: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(value)) {
    const known = new Set(before.map((each) => JSON.stringify(each)))
    return [...(before as unknown[]), ...(value as unknown[]).filter((each) => !known.has(JSON.stringify(each)))]
  }
  if (isMap(before) && isMap(value)) return { ...before, ...value }
  return value
}

function askedOf(options: RunOptions): Partial<HostConfig> {
  const { dns, ulimits, logOptions } = options
  return {
    ...pick('GroupAdd', options.groupAdd),
    ...pick('Init', options.init),
    ...pick('ReadonlyRootfs', options.readonlyRootfs),
    ...pick('Tmpfs', options.tmpfs),
    ...pick('ShmSize', options.shmSize),
    ...pick(
      'Ulimits',
      ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    ),
    ...pick('Sysctls', options.sysctls),
    ...pick('ExtraHosts', options.extraHosts),
    ...pick('Dns', dns),
    ...pick('DnsSearch', options.dnsSearch),
    ...pick('DnsOptions', options.dnsOptions),
    ...pick('CpuShares', options.cpuShares),
    ...pick('MemoryReservation', options.memoryReservation),
    ...pick('OomScoreAdj', options.oomScoreAdj),
    // Without a type: the host's own driver.
    ...(logOptions && { LogConfig: { Type: '', Config: logOptions } }),
  }
}

function pick<Field extends keyof HostConfig>(field: Field, value: HostConfig[Field] | undefined): Partial<HostConfig> {
  return value === undefined ? {} : { [field]: value }
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function capabilityOf(text: string): string {
  return text.trim().toUpperCase().replace(/^CAP_/, '')
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
