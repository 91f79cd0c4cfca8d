import { hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import { readFuxiOptions } from './fuxi-options.ts'
import { UsageError } from './options.ts'

describe('options of gantry fuxi', () => {
  test('what is usual', () => {
    expect(readFuxiOptions([], {})).toMatchObject({
      cloudFile: null,
      socket: '/run/docker/plugins/fuxi.sock',
      engineSockets: ['/var/run/docker.sock'],
      stateDir: '/var/lib/gantry/fuxi',
      volumeDir: '/fuxi/data',
      host: hostname().toLowerCase(),
      address: null,
      providers: ['cinder'],
      volumeFrom: 'fuxi',
      size: 1,
      fsType: 'ext4',
      volumeType: null,
      lingerMs: 0,
      graceMs: 60_000,
    })
  })

  test('a second driver has its own socket and folders', () => {
    expect(readFuxiOptions(['--name', 'blue'], {})).toMatchObject({
      socket: '/run/docker/plugins/blue.sock',
      stateDir: '/var/lib/gantry/blue',
      volumeDir: '/blue/data',
    })
  })

  test('providers in their order, once each; hosts in small letters', () => {
    const read = readFuxiOptions(['--volume-providers', 'manila, cinder,manila', '--host', 'Node-A'], {})
    expect(read).toMatchObject({ providers: ['manila', 'cinder'], host: 'node-a' })
  })

  test('several engines; none is asked without sweeps', () => {
    const both = ['--docker-socket', '/a', '--docker-socket', 'unix:///b']
    expect(readFuxiOptions(both, {}).engineSockets).toEqual(['/a', '/b'])
    expect(readFuxiOptions([...both, '--no-sweep'], {}).engineSockets).toEqual([])
  })

  test.each([
    [['--volume-providers', 'swift'], 'cinder and manila'],
    [['--default-size', '1.5'], '--default-size is a whole number'],
    [['--linger', 'x'], '--linger is a number'],
    [['--host', 'a b'], "cannot be a host's name"],
    [['--name', 'a/b'], 'cannot be a driver'],
    [['--nme', 'a'], '--nme'],
  ])('%j is refused', (args, sentence) => {
    expect(() => readFuxiOptions(args, {})).toThrow(UsageError)
    expect(() => readFuxiOptions(args, {})).toThrow(sentence)
  })
})
