import { type Check, type Danger, mapOf, textOf } from './field-rule.ts'

/**
 * Names that a Docker client may give as a volume's driver. None of them is a driver of an engine: `local` and `gantry` leave it
 * to the cloud where a volume is kept, `cinder` and `manila` say it, and `fuxi` is what OpenStack's own plugin was called.
 */
export const volumeDrivers = ['local', 'gantry', 'fuxi', 'cinder', 'manila'] as const
export type VolumeDriver = (typeof volumeDrivers)[number]

/** Options of a volume, in Fuxi's words. Others (`type`, `o`, `device`) would be orders to an engine. */
export const volumeOptions = [
  'size',
  'volume_provider',
  'volume_id',
  'fstype',
  'multiattach',
  'volume_type',
  'availability_zone',
  'description',
  'snapshot_id',
  'source_volid',
  'share_type',
] as const
export type VolumeOption = (typeof volumeOptions)[number]

const drivers: readonly string[] = volumeDrivers
const options: readonly string[] = volumeOptions

export const volumeDriverWhy = `It is one of ${volumeDrivers.join(', ')}; others are programs on the host`
export const volumeOptionsWhy = `There are ${volumeOptions.join(', ')}; type, o and device mount any device or folder of the host`

export function driverDangers(field: string, value: unknown, part?: unknown): readonly Danger[] {
  const name = textOf(field, value)
  if (name === '' || drivers.includes(name)) return []
  const reason = `there are ${volumeDrivers.join(', ')}; others are programs on the host`
  return [{ field: `${field} ${name.slice(0, 80)}`, reason, lifts: [], part }]
}

export function driverOptionDangers(field: string, value: unknown, part?: unknown): readonly Danger[] {
  const reason = `there are ${volumeOptions.join(', ')}; others mount any device or folder of the host`
  return Object.keys(mapOf(field, value))
    .filter((name) => !options.includes(name))
    .map((name) => ({ field: `${field} ${name.slice(0, 80)}`, reason, lifts: [], part }))
}

export const driverCheck =
  (field: string): Check =>
  (value) =>
    driverDangers(field, value)

export const driverOptsCheck: Check = (value) => driverOptionDangers('DriverOpts', value)
