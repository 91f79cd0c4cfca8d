import type { NewVolume } from '@gantry/control'
import type { Volume } from '@gantry/model'
import { expect, test } from 'vitest'
import { type AskedVolume, driverOf, newVolumeOf, optionsOf } from './volume-options.ts'

const asked = (driver: string, options: Record<string, string> = {}): AskedVolume => ({
  name: 'my_vol',
  driver,
  labels: {},
  options,
})

test.each<[string, Record<string, string>, Partial<NewVolume>]>([
  ['', {}, { size: 10 }],
  ['local', { size: '20G' }, { size: 20 }],
  ['gantry', {}, { size: 10 }],
  ['fuxi', {}, { size: 1 }],
  ['cinder', {}, { size: 1, backend: 'cinder' }],
  ['manila', { share_type: 'fast' }, { size: 1, backend: 'manila', type: 'fast' }],
  ['fuxi', { volume_provider: 'manila' }, { size: 1, backend: 'manila' }],
  [
    'fuxi',
    { size: '1', fstype: 'ext4', multiattach: 'true', volume_provider: 'cinder' },
    { size: 1, fsType: 'ext4', multiattach: true, backend: 'cinder' },
  ],
  [
    'fuxi',
    { volume_type: 'fast', availability_zone: 'nova', description: 'Mine', multiattach: 'No' },
    { size: 1, type: 'fast', availabilityZone: 'nova', description: 'Mine', multiattach: false },
  ],
  ['fuxi', { snapshot_id: 's1' }, { snapshot: 's1' }],
  ['fuxi', { source_volid: 'v1', size: '7' }, { volume: 'v1', size: 7 }],
])('driver %j with %j', (driver, options, expected) => {
  const { options: kept, ...made } = newVolumeOf(asked(driver, options))
  const fstype = expected.backend === 'manila' ? {} : { fstype: options['fstype'] ?? 'ext4' }
  const metadata = { volume_from: 'fuxi', ...fstype }
  expect(made).toEqual({
    name: 'my_vol',
    labels: {},
    shared: true,
    ...(driver === 'fuxi' && { metadata }),
    ...expected,
  })
  expect(optionsOf({ options: kept } as Volume)).toEqual(options)
})

test.each<[string, Record<string, string>, string]>([
  ['fuxi', { size: 'abc' }, '"size" must be like 10 (GiB), 10G or 512M, not abc'],
  ['fuxi', { volume_provider: 'nfs' }, '"volume_provider" must be cinder or manila, not nfs'],
  ['cinder', { volume_provider: 'manila' }, 'driver cinder and volume_provider=manila exclude each other'],
  ['fuxi', { multiattach: 'perhaps' }, '"multiattach" must be true or false, not perhaps'],
  ['manila', { fstype: 'ext4' }, '"fstype" is an option of cinder, not of manila'],
  ['cinder', { share_type: 'fast' }, '"share_type" is an option of manila, not of cinder'],
  ['fuxi', { snapshot_id: 's', source_volid: 'v' }, 'exclude each other'],
])('driver %s with %j is refused', (driver, options, problem) => {
  expect(() => newVolumeOf(asked(driver, options))).toThrow(problem)
})

test('the driver that was named is told, else who keeps the volume', () => {
  const made = newVolumeOf(asked('fuxi', { volume_provider: 'cinder' }))
  expect(driverOf({ ...made, backend: 'cinder' } as unknown as Volume)).toBe('fuxi')
  expect(driverOf({ ...newVolumeOf(asked('local')), backend: 'cinder' } as unknown as Volume)).toBe('cinder')
  const composed = newVolumeOf({ ...asked('local'), labels: { 'com.docker.compose.project': 'shop' } })
  expect(driverOf({ ...composed, backend: 'cinder' } as unknown as Volume)).toBe('local')
  expect(driverOf({ ...newVolumeOf(asked('')) } as unknown as Volume)).toBe('local')
})
