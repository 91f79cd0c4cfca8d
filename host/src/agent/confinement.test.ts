import type { RunOptions } from '@gantry/model'
import { describe, expect, test } from 'vitest'
import type { HostConfig } from '../engine/engine-types.ts'
import { configOf, confined } from './confinement.ts'

const base: HostConfig = {
  NanoCpus: 1e9,
  Memory: 64,
  MemorySwap: 64,
  PidsLimit: 100,
  NetworkMode: 'net',
  Privileged: false,
  Mounts: [{ Type: 'bind', Source: '/ours', Target: '/v', ReadOnly: false }],
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
}
const granted = (fields: Record<string, unknown>, options: RunOptions = {}) =>
  confined(base, { ...options, granted: fields })

describe('a container of the Docker API', () => {
  test('is confined, whatever it asks for', () => {
    expect(confined(base, {})).toEqual({
      ...base,
      CapDrop: ['NET_RAW'],
      SecurityOpt: ['no-new-privileges'],
      CgroupnsMode: 'private',
    })
    expect(confined(base, { capDrop: ['cap_net_raw', 'MKNOD'] }).CapDrop).toEqual(['NET_RAW', 'MKNOD'])
  })

  test('gets what was said in the engine’s words', () => {
    const body = confined(base, {
      groupAdd: ['5'],
      init: true,
      readonlyRootfs: true,
      tmpfs: { '/t': 'size=1m' },
      shmSize: 7,
      ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
      sysctls: { 'net.core.somaxconn': '9' },
      capAdd: ['chown'],
      extraHosts: ['a:10.0.0.1'],
      dns: ['9.9.9.9'],
      ipcMode: 'shareable',
      cpuShares: 2,
      memoryReservation: 3,
      oomScoreAdj: 4,
      logOptions: { 'max-size': '1m' },
    })
    expect(body).toMatchObject({
      GroupAdd: ['5'],
      Init: true,
      ReadonlyRootfs: true,
      Tmpfs: { '/t': 'size=1m' },
      ShmSize: 7,
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      Sysctls: { 'net.core.somaxconn': '9' },
      CapAdd: ['CHOWN'],
      ExtraHosts: ['a:10.0.0.1'],
      Dns: ['9.9.9.9'],
      IpcMode: 'shareable',
      CpuShares: 2,
      MemoryReservation: 3,
      OomScoreAdj: 4,
      LogConfig: { Type: '', Config: { 'max-size': '1m' } },
    })
    expect(configOf({ user: '7', domainname: 'd', stopSignal: 'SIGINT', stopTimeoutSeconds: 0 })).toEqual({
      User: '7',
      Domainname: 'd',
      StopSignal: 'SIGINT',
      StopTimeout: 0,
    })
  })

  test('a member of a capsule keeps the memory that it shares', () => {
    expect(confined({ ...base, IpcMode: 'container:s' }, { ipcMode: 'private' }).IpcMode).toBe('container:s')
  })
})

describe('what was granted', () => {
  test('comes on top', () => {
    expect(granted({ CapAdd: ['NET_ADMIN'] }, { capAdd: ['NET_ADMIN', 'CHOWN'] })).toMatchObject({
      CapAdd: ['NET_ADMIN', 'CHOWN'],
      CapDrop: ['NET_RAW'],
      SecurityOpt: ['no-new-privileges'],
    })
    expect(granted({ CapAdd: ['CAP_NET_RAW'] }).CapDrop).toEqual([])
    expect(granted({ Binds: ['/srv:/s'] })).toMatchObject({ Binds: ['/srv:/s'], Mounts: base.Mounts })
    expect(granted({ Mounts: [{ Type: 'bind' }] }).Mounts).toEqual([...(base.Mounts ?? []), { Type: 'bind' }])
    expect(granted({ Sysctls: { 'vm.x': '1' } }, { sysctls: { 'net.x': '1' } }).Sysctls).toEqual({
      'net.x': '1',
      'vm.x': '1',
    })
    const [ulimit] = [{ Name: 'memlock', Soft: -1, Hard: -1 }]
    expect(granted({ Ulimits: [ulimit] }, { ulimits: [{ name: 'memlock', soft: -1, hard: -1 }] }).Ulimits).toEqual([
      ulimit,
    ])
  })

  test('takes walls down only where it says so', () => {
    expect(granted({ Privileged: true })).toMatchObject({ Privileged: true, SecurityOpt: [] })
    const option = 'no-new-privileges:false'
    expect(granted({ SecurityOpt: [option] }).SecurityOpt).toEqual([option])
    expect(granted({ SecurityOpt: ['seccomp=unconfined'] }).SecurityOpt).toEqual([
      'no-new-privileges',
      'seccomp=unconfined',
    ])
  })

  test('is never over what the service keeps', () => {
    const wild = { NetworkMode: 'host', Memory: 0, MemorySwap: -1, NanoCpus: 0, PidsLimit: -1, PortBindings: {} }
    expect(granted({ ...wild, CpuQuota: 1 })).toEqual(confined(base, {}))
  })
})
