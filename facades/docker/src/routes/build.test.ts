import { expect, test } from 'vitest'
import { buildOf } from './build.ts'

test('what the command line sends when nothing is asked', () => {
  const query = {
    buildargs: '{}',
    cachefrom: '[]',
    cpuperiod: '0',
    cpuquota: '0',
    dockerfile: '',
    labels: '{}',
    memory: '0',
    networkmode: 'default',
    rm: '1',
    shmsize: '0',
    t: 'app',
    ulimits: 'null',
    version: '1',
  }
  expect(buildOf(query)).toEqual({
    dockerfile: 'Dockerfile',
    names: ['app'],
    target: '',
    buildArgs: {},
    labels: {},
    extraHosts: [],
    noCache: false,
    quiet: false,
    pull: false,
    cpu: null,
    memory: null,
    shmSize: 0,
    network: null,
    logins: [],
  })
})

test('limits, hosts and arguments', () => {
  const query = {
    buildargs: '{"A":"1","B":null}',
    cpuquota: '150000',
    cpuperiod: '100000',
    memory: String(300 * 1024 * 1024 + 1),
    extrahosts: ['a:10.0.0.1', 'b:10.0.0.2'],
    networkmode: 'none',
    nocache: '1',
    q: 'true',
    t: ['a:1', 'b:2'],
  }
  expect(buildOf(query)).toMatchObject({
    buildArgs: { A: '1' },
    cpu: 1.5,
    memory: 301,
    extraHosts: ['a:10.0.0.1', 'b:10.0.0.2'],
    network: 'none',
    noCache: true,
    quiet: true,
    names: ['a:1', 'b:2'],
  })
  expect(buildOf({ extrahosts: '["c:10.0.0.3"]' }).extraHosts).toEqual(['c:10.0.0.3'])
})

test.each([{ buildargs: '{' }, { labels: '[]' }, { memory: 'much' }, { extrahosts: '[' }])(
  '%j is a mistake',
  (query) => {
    expect(() => buildOf(query)).toThrow(/must be/)
  },
)
