import { posix } from 'node:path'
import {
  type Check,
  type Danger,
  fieldsOf,
  invalid,
  type Json,
  listOf,
  mapOf,
  stringsOf,
  textOf,
} from './field-rule.ts'
import { isNothing } from './canonical.ts'
import { driverDangers, driverOptionDangers } from './volume-drivers.ts'

const hostPath = "folders of the host hold the engine and other tenants' files; use a volume's name"

/** `SOURCE:TARGET[:OPTIONS]`, or the target of an anonymous volume alone. */
export const bindsCheck: Check = (value) =>
  stringsOf('Binds', value).flatMap((bind) => {
    const parts = bind.split(':')
    const [source = '', target = ''] = parts.length === 1 ? ['', bind] : parts
    const options = (parts[2] ?? '').split(',')
    return [
      ...sourceDangers('Binds', source, options.includes('ro'), bind),
      ...propagationDangers('Binds', options, bind),
      ...targetDangers('Binds', target, bind),
    ]
  })

const mountNames = [
  'Type',
  'Source',
  'Target',
  'ReadOnly',
  'Consistency',
  'BindOptions',
  'VolumeOptions',
  'TmpfsOptions',
]
const bindOptions = [
  'Propagation',
  'NonRecursive',
  'CreateMountpoint',
  'ReadOnlyNonRecursive',
  'ReadOnlyForceRecursive',
]
const volumeOptions = ['NoCopy', 'Labels', 'DriverConfig']

export const mountsCheck: Check = (value) =>
  listOf('Mounts', value).flatMap((part) => {
    const mount = fieldsOf('Mounts', mountNames, part)
    const type = textOf('Mounts Type', mount['Type']).toLowerCase()
    return [
      ...unknownDangers('Mounts', mountNames, mount, part),
      ...typeDangers(type, mount, part),
      ...targetDangers('Mounts', textOf('Mounts Target', mount['Target']), part),
    ]
  })

function typeDangers(type: string, mount: Json, part: unknown): readonly Danger[] {
  const source = textOf('Mounts Source', mount['Source'])
  switch (type) {
    case 'volume':
    case '': {
      if (source.includes('/')) return [{ field: `Mounts ${source}`, reason: hostPath, lifts: [], part }]
      return volumeDangers(mount['VolumeOptions'], part)
    }
    case 'tmpfs': {
      const options = fieldsOf('TmpfsOptions', ['SizeBytes', 'Mode', 'Options'], mount['TmpfsOptions'])
      const size = options['SizeBytes'] ?? 0
      if (typeof size !== 'number') throw invalid('SizeBytes must be a number.')
      return size <= largestTmpfs
        ? unknownDangers('TmpfsOptions', ['SizeBytes', 'Mode'], options, part)
        : [{ field: 'Mounts SizeBytes', reason: tooLarge, lifts: ['Tmpfs'], part }]
    }
    case 'bind': {
      const options = fieldsOf('BindOptions', bindOptions, mount['BindOptions'])
      const propagation = textOf('Propagation', options['Propagation'])
      return [
        ...bindDangers('Mounts', source, mount['ReadOnly'] === true, part),
        ...propagationDangers('Mounts', [propagation], part),
      ]
    }
    default:
      return [{ field: `Mounts Type ${type}`, reason: 'there are volume and tmpfs', lifts: [], part }]
  }
}

function volumeDangers(value: unknown, part: unknown): readonly Danger[] {
  const options = fieldsOf('VolumeOptions', volumeOptions, value)
  const driver = fieldsOf('DriverConfig', ['Name', 'Options'], options['DriverConfig'])
  return [
    ...driverDangers('Mounts DriverConfig', driver['Name'], part),
    ...driverOptionDangers('Mounts DriverConfig', driver['Options'], part),
    ...unknownDangers('VolumeOptions', volumeOptions, options, part),
  ]
}

function sourceDangers(field: string, source: string, readOnly: boolean, part: unknown): readonly Danger[] {
  return /[/\\]|^[.~]/.test(source) ? bindDangers(field, source, readOnly, part) : []
}

/** Exactly the granted folder: what lies in it may be a link to somewhere else, made by whoever may write there. */
function bindDangers(field: string, source: string, readOnly: boolean, part: unknown): readonly Danger[] {
  const path = posix.normalize(source).replace(/(?<=.)\/$/, '')
  const lifts = ['Binds', `Binds:${path}`, ...(readOnly ? [`Binds:${path}:ro`] : [])]
  return [{ field: `${field} ${source}`, reason: hostPath, lifts, part }]
}

function propagationDangers(field: string, options: readonly string[], part: unknown): readonly Danger[] {
  const found = options.find((option) => /^r?(shared|slave|unbindable)$/i.test(option))
  const reason = 'mounts would cross between the container and the host'
  return found === undefined ? [] : [{ field: `${field} Propagation ${found}`, reason, lifts: [], part }]
}

/** Where something put on top would take a mask off, or hide the kernel's own files from the engine. */
function targetDangers(field: string, target: string, part: unknown): readonly Danger[] {
  const path = posix.normalize(`/${target}`)
  const isKernels = /^\/(proc|sys)(\/|$)/.test(path) || /^\/dev\/?$/.test(path)
  const reason = 'nothing may be mounted over the files of the kernel'
  return isKernels ? [{ field: `${field} ${path}`, reason, lifts: [], part }] : []
}

export const volumesCheck: Check = (value) =>
  Object.keys(mapOf('Volumes', value)).flatMap((target) => targetDangers('Volumes', target, undefined))

function unknownDangers(field: string, names: readonly string[], object: Json, part: unknown): readonly Danger[] {
  return Object.entries(object).flatMap(([name, value]) =>
    names.includes(name) || isNothing(value)
      ? []
      : [{ field: `${field} ${name}`, reason: 'this field is not known here', lifts: [], part }],
  )
}

const largestTmpfs = 1024 ** 3
const tooLarge = 'at most 1 GiB of memory may be a file system'
const tmpfsFlags = /^(rw|ro|r?exec|noexec|nosuid|nodev|(no)?atime|(no)?diratime|(rel|strict|lazy)atime|a?sync|dirsync)$/
const tmpfsValues = /^(mode=[0-7]{1,4}|uid=\d+|gid=\d+|nr_inodes=\d+[kmg]?)$/i

export const tmpfsCheck: Check = (value) =>
  Object.entries(mapOf('Tmpfs', value)).flatMap(([key, options]) => [
    ...targetDangers('Tmpfs', key, options).map((danger) => ({ ...danger, key })),
    ...textOf('Tmpfs', options)
      .split(',')
      .flatMap((option) => tmpfsOption(option.trim(), key, options)),
  ])

function tmpfsOption(option: string, key: string, part: unknown): readonly Danger[] {
  if (option === '' || tmpfsFlags.test(option) || tmpfsValues.test(option)) return []
  const [, digits, unit = ''] = /^size=(\d+)([kmg]?)b?$/i.exec(option) ?? []
  if (digits === undefined) {
    return [
      {
        field: `Tmpfs option ${option}`,
        reason: 'only size, mode and the like may be said',
        lifts: ['Tmpfs'],
        part,
        key,
      },
    ]
  }
  const bytes = Number(digits) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ')
  return bytes <= largestTmpfs ? [] : [{ field: `Tmpfs ${option}`, reason: tooLarge, lifts: ['Tmpfs'], part, key }]
}
