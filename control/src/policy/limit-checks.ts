import { type Check, type Danger, fieldsOf, invalid, listOf, mapOf, numberOf, stringsOf, textOf } from './field-rule.ts'
import { isNothing } from './canonical.ts'

/** As many of them as `hard` says; -1: without a limit. The container's own limits bind the others. */
const ulimitsUpTo: Readonly<Record<string, number>> = {
  core: Infinity,
  cpu: Infinity,
  data: Infinity,
  fsize: Infinity,
  locks: Infinity,
  memlock: 64 * 1024 * 1024,
  msgqueue: 16 * 1024 * 1024,
  nice: 0,
  nofile: 1_048_576,
  nproc: Infinity,
  rss: Infinity,
  rtprio: 0,
  rttime: Infinity,
  sigpending: 65_536,
  stack: Infinity,
}

export const ulimitsCheck: Check = (value) =>
  listOf('Ulimits', value).flatMap((part) => {
    const ulimit = fieldsOf('Ulimits', ['Name', 'Soft', 'Hard'], part)
    const name = textOf('Ulimits Name', ulimit['Name'])
      .toLowerCase()
      .replace(/^rlimit_/, '')
    const most = Object.hasOwn(ulimitsUpTo, name) ? ulimitsUpTo[name] : undefined
    if (most === undefined) throw invalid(`Ulimits: there is no limit ${JSON.stringify(name.slice(0, 40))}.`)
    const ends = [ulimit['Soft'], ulimit['Hard']].map((each) => numberOf(`Ulimits ${name}`, each))
    if (ends.every((end) => (end < 0 ? Infinity : end) <= most)) return []
    return [{ field: `Ulimits ${name}`, reason: `at most ${most}`, lifts: ['Ulimits', `Ulimits:${name}`], part }]
  })

const ipcSysctls: readonly string[] = [
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]

/** No slash: a runtime makes paths of the names. */
export const sysctlsCheck: Check = (value) =>
  Object.entries(mapOf('Sysctls', value)).flatMap(([key, part]) => {
    if (/^(net|fs\.mqueue)(\.[A-Za-z0-9_-]+)+$/.test(key) || ipcSysctls.includes(key)) return []
    const lifts = key.includes('/') ? [] : ['Sysctls', `Sysctls:${key}`]
    return [{ field: `Sysctls ${key}`, reason: 'it is not a setting of the container alone', lifts, part, key }]
  })

const largestShm = 1024 ** 3

export const shmSizeCheck: Check = (value, { Memory }) => {
  const size = numberOf('ShmSize', value)
  const memory = typeof Memory === 'number' && Memory > 0 ? Memory : Infinity
  if (size <= Math.min(largestShm, memory)) return []
  return [{ field: 'ShmSize', reason: 'at most 1 GiB, and no more than its memory', lifts: ['ShmSize'] }]
}

export const oomScoreCheck: Check = (value) => {
  const score = numberOf('OomScoreAdj', value)
  const reason = "another's process would be ended in its place"
  return score >= 0 ? [] : [{ field: 'OomScoreAdj', reason, lifts: ['OomScoreAdj'] }]
}

export const swappinessCheck: Check = (value) =>
  value === -1 ? [] : [{ field: 'MemorySwappiness', reason: 'there is no swap here', lifts: ['MemorySwappiness'] }]

/** As Docker names them, so that its refusal of any other is ours too. */
const logDrivers: readonly string[] = [
  'awslogs',
  'etwlogs',
  'fluentd',
  'gcplogs',
  'gelf',
  'journald',
  'logentries',
  'none',
  'splunk',
  'syslog',
]
const logOptions: readonly string[] = [
  'max-size',
  'max-file',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'compress',
]
const largestLog = 1024 ** 3
const mostLogs = 10

export const logConfigCheck: Check = (value) => {
  const config = fieldsOf('LogConfig', ['Type', 'Config'], value)
  const type = textOf('LogConfig Type', config['Type'])
  const dangers: Danger[] = []
  if (logDrivers.includes(type)) {
    const reason = 'the service keeps the logs; other drivers connect to somewhere from the host'
    dangers.push({ field: `LogConfig ${type}`, reason, lifts: [] })
  } else if (!['', 'json-file', 'local'].includes(type)) {
    throw invalid(`logger: no log driver named '${type.slice(0, 80)}' is registered`)
  }
  for (const [name, option] of Object.entries(mapOf('LogConfig Config', config['Config']))) {
    if (isNothing(option) || isLogOption(name, textOf(`LogConfig ${name}`, option))) continue
    const reason = 'max-size up to 1g, max-file up to 10, labels, env, tag and compress may be said'
    dangers.push({ field: `LogConfig ${name}`, reason, lifts: [] })
  }
  return dangers
}

/** The engine fills templates in, with functions that can be made to take all of its memory: names of fields alone pass. */
const harmlessTag = /^([^{}]|\{\{\s*\.(ID|FullID|Name|ImageID|ImageFullID|ImageName|DaemonName)\s*\}\})*$/

function isLogOption(name: string, text: string): boolean {
  if (name === 'tag') return text.length <= 256 && harmlessTag.test(text)
  if (name === 'max-file') return /^\d{1,4}$/.test(text) && Number(text) <= mostLogs
  if (name !== 'max-size') return logOptions.includes(name)
  const [, digits, unit = ''] = /^(\d{1,15})([kmg]?)b?$/i.exec(text) ?? []
  return digits !== undefined && Number(digits) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ') <= largestLog
}

export const extraHostsCheck: Check = (value) =>
  (typeof value === 'string' ? [value] : stringsOf('ExtraHosts', value)).flatMap((part) =>
    /host-gateway/i.test(part)
      ? [
          {
            field: 'ExtraHosts host-gateway',
            reason: 'it is the host',
            lifts: ['ExtraHosts', 'ExtraHosts:host-gateway'],
            part,
          },
        ]
      : [],
  )

/** Always on; only taking it off needs a grant. */
export const securityOptCheck: Check = (value) =>
  stringsOf('SecurityOpt', value).flatMap((part) => {
    const option = part.trim().replace('=', ':')
    if (option === 'no-new-privileges' || option === 'no-new-privileges:true') return []
    const [key = ''] = option.split(':', 1)
    const short = option.length > 64 ? key : option
    const reason = 'it takes the confinement off; no-new-privileges is always on'
    return [
      {
        field: `SecurityOpt ${short}`,
        reason,
        lifts: ['SecurityOpt', `SecurityOpt:${key}`, `SecurityOpt:${short}`],
        part,
      },
    ]
  })
