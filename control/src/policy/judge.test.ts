import type { Caller, RunOptions } from '@gantry/model'
import { describe, expect, test } from 'vitest'
import { grantProblem } from './field-rules.ts'
import { grantsOf } from './grants.ts'
import { judge, policyVerbs } from './judge.ts'
import { judgeOptions } from './judge-options.ts'

const host = (hostConfig: Record<string, unknown>, words: readonly string[] = [], config = {}) =>
  judge({ kind: 'container', config, hostConfig, networking: {} }, words)

/** What docker run sends of its own, as seen from client 28. */
const plain = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: { Type: '', Config: {} },
  NetworkMode: 'default',
  PortBindings: {},
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: '',
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: '',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: 0,
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  CpuRealtimePeriod: 0,
  CpusetCpus: '',
  Devices: [],
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemorySwap: 0,
  MemorySwappiness: -1,
  OomKillDisable: false,
  PidsLimit: 0,
  Ulimits: [],
  CpuCount: 0,
  IOMaximumIOps: 0,
  MaskedPaths: null,
  ReadonlyPaths: null,
}

describe('a create', () => {
  test('what clients always send passes', () => {
    expect(host(plain)).toEqual({})
    expect(host({ MemorySwappiness: null, OomKillDisable: null, IpcMode: 'private', CgroupnsMode: 'private' })).toEqual(
      {},
    )
  })

  test.each<[string, unknown]>([
    ['Privileged', true],
    ['Privileged', 'true'],
    ['privileged', true],
    ['PRIVILEGED', 1],
    ['Binds', ['/:/h']],
    ['Binds', ['vol:/v', '//etc:/h:ro']],
    ['Binds', ['vol/../../etc:/h']],
    ['Binds', ['.:/h']],
    ['Binds', ['vol:/proc/../proc']],
    ['Binds', ['vol:/v:rshared']],
    ['Mounts', [{ Type: 'bind', Source: '/', Target: '/h' }]],
    ['Mounts', [{ type: 'BIND', source: '/', target: '/h' }]],
    ['Mounts', [{ Type: 'volume', Source: '/etc', Target: '/h' }]],
    ['Mounts', [{ Type: 'volume', Target: '/h', VolumeOptions: { DriverConfig: { Options: { o: 'bind' } } } }]],
    ['Mounts', [{ Type: 'volume', Target: '/h', volumeoptions: { driverconfig: { options: { device: '/' } } } }]],
    ['Mounts', [{ Type: 'npipe', Source: 'a', Target: '/h' }]],
    ['Mounts', [{ Type: 'volume', Source: 'v', Target: '/v', VolumeOptions: { DriverConfig: { Name: 'nfs' } } }]],
    ['Mounts', [{ Type: 'volume', Source: 'v', Target: '/sys' }]],
    ['Mounts', [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 2 ** 40 } }]],
    ['VolumesFrom', ['other']],
    ['VolumeDriver', 'nfs'],
    ['NetworkMode', 'host'],
    ['NetworkMode', 'container:other'],
    ['PidMode', 'host'],
    ['PidMode', 'container:x'],
    ['IpcMode', 'host'],
    ['UTSMode', 'host'],
    ['UsernsMode', 'host'],
    ['CgroupnsMode', 'host'],
    ['CapAdd', ['NET_ADMIN']],
    ['CapAdd', ['cap_sys_admin']],
    ['CapAdd', ['ALL']],
    ['CapAdd', ['NET_RAW']],
    ['SecurityOpt', ['seccomp=unconfined']],
    ['SecurityOpt', ['no-new-privileges:false']],
    ['SecurityOpt', ['systempaths=unconfined']],
    ['Sysctls', { 'kernel.core_pattern': '|/x' }],
    ['Sysctls', { 'net.ipv4/../../kernel.core_pattern': 'x' }],
    ['Ulimits', [{ Name: 'nofile', Soft: 1, Hard: 1e7 }]],
    ['Ulimits', [{ name: 'memlock', soft: -1, hard: -1 }]],
    ['ShmSize', 2 ** 31],
    ['Tmpfs', { '/t': 'size=2g' }],
    ['Tmpfs', { '/proc': '' }],
    ['Tmpfs', { '/t': 'dev' }],
    ['Devices', [{ PathOnHost: '/dev/sda', PathInContainer: '/d', CgroupPermissions: 'rwm' }]],
    ['DeviceCgroupRules', ['a *:* rwm']],
    ['DeviceRequests', [{ Count: -1 }]],
    ['CgroupParent', '/'],
    ['Cgroup', 'container:x'],
    ['Runtime', 'crun'],
    ['MaskedPaths', []],
    ['ReadonlyPaths', []],
    ['OomKillDisable', true],
    ['OomScoreAdj', -1],
    ['MemorySwappiness', 60],
    ['KernelMemory', 1],
    ['CpuRealtimeRuntime', 1],
    ['CpusetCpus', '0'],
    ['BlkioWeight', 500],
    ['StorageOpt', { size: '1G' }],
    ['Annotations', { a: 'b' }],
    ['ExtraHosts', ['h:host-gateway']],
    ['LogConfig', { Type: 'syslog' }],
    ['LogConfig', { type: '', config: { 'syslog-address': 'tcp://10.0.0.1' } }],
    ['LogConfig', { Type: 'json-file', Config: { 'max-size': '100g' } }],
    ['LogConfig', { Config: { tag: '{{printf "%1000000000d" 1}}' } }],
    ['LogConfig', { Config: { tag: '{{.Name | pad 9 9}}' } }],
    ['Brandnew', 'x'],
  ])('%s %j is refused', (field, value) => {
    const told = field === 'PRIVILEGED' || field === 'privileged' ? 'Privileged' : field
    expect(() => host({ [field]: value })).toThrow(new RegExp(`${told}.* is not allowed by this service: `))
    if (field !== 'Brandnew') expect(() => host({}, ['Privileged'], { [field.toLowerCase()]: value })).toThrow(told)
  })

  test.each<[string, unknown]>([
    ['Binds', ['vol:/v', 'vol:/w:ro', '/anonymous']],
    ['Mounts', [{ Type: 'volume', Source: 'v', Target: '/v', VolumeOptions: { DriverConfig: { Name: 'local' } } }]],
    [
      'Mounts',
      [
        {
          Type: 'volume',
          Source: 'v',
          Target: '/v',
          VolumeOptions: { DriverConfig: { Name: 'fuxi', Options: { size: '1', volume_provider: 'cinder' } } },
        },
      ],
    ],
    ['VolumeDriver', 'fuxi'],
    ['Mounts', [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1e6, Mode: 0o1777 } }]],
    ['CapAdd', ['CHOWN', 'CAP_SETUID', 'mknod']],
    ['CapDrop', ['ALL']],
    ['SecurityOpt', ['no-new-privileges', 'no-new-privileges:true', 'no-new-privileges=true']],
    ['Sysctls', { 'net.core.somaxconn': '1024', 'kernel.shmmax': '65536' }],
    [
      'Ulimits',
      [
        { Name: 'nofile', Soft: 1024, Hard: 65_536 },
        { Name: 'nproc', Soft: -1, Hard: -1 },
      ],
    ],
    ['ShmSize', 64 * 1024 * 1024],
    ['Tmpfs', { '/run': 'rw,noexec,nosuid,size=65536k', '/tmp': '', '/dev/shm': 'size=1g,mode=1777' }],
    [
      'LogConfig',
      { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3', labels: 'a', tag: 'x-{{.Name}}/{{ .ID }}' } },
    ],
    ['NetworkMode', 'mine'],
    ['ExtraHosts', ['db:10.0.0.3']],
    ['KernelMemory', -1],
    ['Runtime', 'runc'],
  ])('%s %j passes', (field, value) => {
    expect(host({ [field]: value })).toEqual({})
  })

  test('values of the wrong form are the asker’s mistake', () => {
    for (const hostConfig of [
      { Binds: '/:/h' },
      { CapAdd: ['SYS_ROOT'] },
      { Devices: { a: 1 } },
      { Ulimits: [{ Name: 'x' }] },
    ])
      expect(() => host(hostConfig)).toThrow(expect.objectContaining({ code: 'request.invalid' }))
    expect(() => host({ LogConfig: { Type: 'asdf' } })).toThrow("no log driver named 'asdf' is registered")
  })

  test('endpoints', () => {
    const ends = (EndpointsConfig: Record<string, unknown>) => () =>
      judge({ kind: 'container', config: {}, hostConfig: {}, networking: { endpointsconfig: EndpointsConfig } }, [])
    expect(ends({ mine: { Aliases: ['a'], IPAMConfig: { IPv4Address: '10.0.0.3' }, GwPriority: 0 } })()).toEqual({})
    expect(ends({ host: {} })).toThrow('NetworkMode host')
    expect(ends({ mine: { driveropts: { a: 'b' } } })).toThrow('DriverOpts')
    expect(ends({ mine: { IPAMConfig: { LinkLocalIPs: ['169.254.1.1'] } } })).toThrow('LinkLocalIPs')
  })
})

describe('what is granted', () => {
  test('only the dangerous part of what was sent comes back', () => {
    expect(host({ CapAdd: ['CHOWN', 'NET_ADMIN'], Privileged: false }, ['CapAdd:NET_ADMIN'])).toEqual({
      CapAdd: ['NET_ADMIN'],
    })
    expect(host({ Binds: ['v:/v', '/srv/shared/:/s:ro'] }, ['Binds:/srv/shared:ro'])).toEqual({
      Binds: ['/srv/shared/:/s:ro'],
    })
    expect(host({ Sysctls: { 'net.a': '1', 'vm.swappiness': '1' } }, ['Sysctls'])).toEqual({
      Sysctls: { 'vm.swappiness': '1' },
    })
    expect(host({ privileged: true }, ['Privileged'])).toEqual({ Privileged: true })
    expect(host({ PidMode: 'host' }, ['PidMode:host'])).toEqual({ PidMode: 'host' })
  })

  test('no more than that', () => {
    const device = { PathOnHost: '/dev/fuse', pathonhost: '/dev/sda' }
    expect(() => host({ Devices: [device] }, ['Devices:/dev/fuse'])).toThrow('said twice')
    expect(() => host({ Devices: [{ pathonhost: '/dev/sda' }] }, ['Devices:/dev/fuse'])).toThrow('Devices /dev/sda')
    expect(() => host({ CapAdd: ['NET_ADMIN', 'SYS_ADMIN'] }, ['CapAdd:NET_ADMIN'])).toThrow('SYS_ADMIN')
    expect(() => host({ Binds: ['/srv/shared/x:/s'] }, ['Binds:/srv/shared'])).toThrow('Binds')
    expect(() => host({ Binds: ['/srv/shared:/s'] }, ['Binds:/srv/shared:ro'])).toThrow('Binds')
    expect(() => host({ Binds: ['/srv/shared/../..:/s'] }, ['Binds:/srv/shared'])).toThrow('Binds')
    expect(() => host({ NetworkMode: 'host' }, ['NetworkMode', 'NetworkMode:host'])).toThrow('NetworkMode')
  })

  test('to whom', () => {
    const caller = { projectId: 'p1', projectName: 'lab', roles: ['member'] } as unknown as Caller
    const grant = ['Privileged']
    for (const entry of [
      { projects: ['p1'] },
      { projects: ['lab'] },
      { roles: ['member'] },
      { projects: ['*'], roles: ['member'] },
    ])
      expect(grantsOf([{ ...entry, grant }], caller)).toEqual(grant)
    for (const entry of [{}, { projects: ['other'] }, { roles: ['admin'] }, { projects: ['lab'], roles: ['admin'] }])
      expect(grantsOf([{ ...entry, grant }], caller)).toEqual([])
  })

  test('words that no rule knows are told', () => {
    for (const word of ['Privileged', 'CapAdd:NET_ADMIN', 'Binds:/srv', 'Registry:10.0.0.5:5000', 'Devices:/dev/fuse'])
      expect(grantProblem(word)).toBeNull()
    for (const word of ['Privilegd', 'NetworkMode:host', 'Privileged:yes', 'CapAdd:', '', 'ExtraHosts'])
      expect(grantProblem(word)).not.toBeNull()
  })

  test('options are judged again, whatever façade wrote them', () => {
    const options =
      (given: RunOptions, words: readonly string[] = []) =>
      () =>
        judgeOptions(policyVerbs({ of: () => words }), {} as Caller, given)
    expect(options({ capAdd: ['CHOWN'], logOptions: { 'max-size': '1m' } })).not.toThrow()
    expect(options({ capAdd: ['NET_ADMIN'], granted: { CapAdd: ['NET_ADMIN'] } }, ['CapAdd'])).not.toThrow()
    expect(options({ capAdd: ['NET_ADMIN'] })).toThrow('CapAdd')
    expect(options({ granted: { Privileged: true } })).toThrow('Privileged')
    const was = { granted: { Privileged: true } }
    expect(() => judgeOptions(policyVerbs({ of: () => [] }), {} as Caller, { ...was, cpuShares: 2 }, was)).not.toThrow()
    expect(options({ granted: { NetworkMode: 'bridge' } }, ['Privileged'])).toThrow('NetworkMode')
    expect(options({ granted: { CapAdd: ['CHOWN'] } }, ['CapAdd'])).toThrow('CapAdd')
  })
})

describe('other requests', () => {
  test.each<[Parameters<typeof judge>[0], string]>([
    [{ kind: 'update', hostConfig: { cpusetcpus: '0' } }, 'CpusetCpus'],
    [{ kind: 'exec', config: { privileged: true } }, 'Privileged'],
    [{ kind: 'exec', config: { Other: 1 } }, 'Other'],
    [{ kind: 'build', options: { networkmode: 'host' } }, 'networkmode'],
    [{ kind: 'build', options: { remote: 'http://169.254.169.254/' } }, 'remote'],
    [{ kind: 'build', options: { version: '2' } }, 'version'],
    [{ kind: 'build', options: { cpusetcpus: '0' } }, 'cpusetcpus'],
    [{ kind: 'build', options: { extrahosts: ['h:host-gateway'] } }, 'ExtraHosts'],
    [{ kind: 'build', options: { ulimits: '[{"Name":"nofile","Hard":10000000,"Soft":1}]' } }, 'Ulimits'],
    [{ kind: 'build', options: { securityopt: '["seccomp=unconfined"]' } }, 'SecurityOpt'],
    [{ kind: 'volume', body: { DriverOpts: { type: 'none', o: 'bind', device: '/' } } }, 'DriverOpts'],
    [{ kind: 'volume', body: { Driver: 'fuxi', DriverOpts: { size: '1', Device: '/dev/sda' } } }, 'DriverOpts Device'],
    [{ kind: 'volume', body: { driver: 'nfs' } }, 'Driver'],
    [{ kind: 'network', body: { Driver: 'macvlan' } }, 'Driver'],
    [{ kind: 'network', body: { options: { parent: 'eth0' } } }, 'Options'],
    [{ kind: 'network', body: { ConfigFrom: { Network: 'x' } } }, 'ConfigFrom'],
    [{ kind: 'network', body: { IPAM: { driver: 'dhcp' } } }, 'IPAM Driver'],
  ])('%j is refused', (ask, field) => {
    expect(() => judge(ask, [])).toThrow(field)
  })

  test('what clients send of their own passes', () => {
    const build = {
      buildargs: '{}',
      cachefrom: '[]',
      cgroupparent: '',
      cpusetcpus: '',
      madeup: 'x',
      memory: '0',
      networkmode: 'default',
      remote: '',
      rm: '1',
      ulimits: 'null',
      version: '1',
      shmsize: '0',
    }
    expect(judge({ kind: 'build', options: build }, [])).toEqual({})
    const network = {
      Name: 'n',
      Driver: 'bridge',
      CheckDuplicate: true,
      Attachable: true,
      IPAM: { Driver: 'default', Config: [{ Subnet: '10.1.0.0/24' }], Options: {} },
      Options: {},
      Scope: '',
    }
    expect(judge({ kind: 'network', body: network }, [])).toEqual({})
    expect(judge({ kind: 'volume', body: { Name: 'v', Driver: 'local', DriverOpts: { size: '1g' } } }, [])).toEqual({})
    const decks = { size: '1', fstype: 'ext4', multiattach: 'true', volume_provider: 'cinder' }
    expect(judge({ kind: 'volume', body: { Name: 'my_vol', Driver: 'fuxi', DriverOpts: decks } }, [])).toEqual({})
    expect(judge({ kind: 'exec', config: { Cmd: ['id'], Privileged: false, ConsoleSize: [24, 80] } }, [])).toEqual({})
  })
})

describe('registries', () => {
  const registry =
    (domain: string, words: readonly string[] = []) =>
    () =>
      judge({ kind: 'registry', domain }, words)
  test.each(['', 'docker.io', 'quay.io', 'ghcr.io:443', 'library', '8.8.8.8:5000', '[2606:4700::1111]:5000'])(
    '%s passes',
    (domain) => {
      expect(registry(domain)).not.toThrow()
    },
  )

  test.each([
    'localhost',
    'LOCALHOST:5000',
    'localhost.:5000',
    'a.localhost',
    '127.0.0.1:5000',
    '127.1:5000',
    '2130706433:5000',
    '0x7f000001:80',
    '0177.0.0.1',
    '10.0.0.5:5000',
    '192.168.1.1',
    '172.16.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '0.0.0.0:80',
    '[::1]:5000',
    '[::ffff:127.0.0.1]:5000',
    '[::ffff:a00:5]',
    '[::127.0.0.1]',
    '[64:ff9b::a00:1]',
    '[fe80::1]',
    '[fd00::1]:5000',
    '[fec0::1]',
    'metadata.google.internal',
    'registry:5000',
    'nas.local',
    'user@10.0.0.1:80',
    'a.b/c',
  ])('%s is refused', (domain) => {
    expect(registry(domain)).toThrow('Registry')
  })

  test('granted', () => {
    expect(registry('10.0.0.5:5000', ['Registry:10.0.0.5:5000'])).not.toThrow()
    expect(registry('10.0.0.5:5000', ['Registry:10.0.0.5'])).not.toThrow()
    expect(registry('10.0.0.5:5001', ['Registry:10.0.0.5:5000'])).toThrow()
  })
})
