import { hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import { readKuryrOptions } from './kuryr-options.ts'
import { UsageError } from './options.ts'

describe('options of gantry kuryr', () => {
  test('what is usual', () => {
    expect(readKuryrOptions([], {})).toMatchObject({
      cloudFile: null,
      bindingFile: null,
      socket: '/run/docker/plugins/kuryr.sock',
      engineSockets: ['/var/run/docker.sock'],
      neutronHost: hostname(),
      poolPrefix: 'kuryrPool',
      dhcp: true,
      scope: 'local',
      portWaitMs: 0,
      nested: null,
      graceMs: 60_000,
    })
  })

  test('the name of the driver is that of its socket', () => {
    expect(readKuryrOptions(['--name', 'blue'], {}).socket).toBe('/run/docker/plugins/blue.sock')
  })

  test('several engines; none is asked without sweeps', () => {
    const both = ['--docker-socket', '/a', '--docker-socket', 'unix:///b']
    expect(readKuryrOptions(both, {}).engineSockets).toEqual(['/a', '/b'])
    expect(readKuryrOptions([...both, '--no-sweep'], {}).engineSockets).toEqual([])
  })

  test('a VM', () => {
    expect(readKuryrOptions(['--nested', 'vlan', '--link-interface', 'ens3'], {}).nested).toEqual({
      kind: 'vlan',
      link: 'ens3',
    })
  })

  test.each([
    [['--nested', 'ipvlan'], '--nested is vlan or macvlan'],
    [['--scope', 'world'], '--scope is local or global'],
    [['--port-wait', 'x'], '--port-wait is a number'],
    [['--name', 'a/b'], 'cannot be a driver'],
    [['--nme', 'a'], '--nme'],
  ])('%j is refused', (args, sentence) => {
    expect(() => readKuryrOptions(args, {})).toThrow(UsageError)
    expect(() => readKuryrOptions(args, {})).toThrow(sentence)
  })
})
