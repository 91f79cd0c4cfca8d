import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'
import { streamOf } from '../../facades/zun/src/testing/fake-data.ts'
import { runClient } from '../fixtures/client-forks.ts'
import { type StaticKeystone, staticKeystone } from './static-keystone.ts'

/** Debian's python3-zunclient, unmodified, against the façade; what it changes is a fake. */
describe('the openstack client', () => {
  let cloud: FakeCloud
  let keystone: StaticKeystone
  let folder: string
  beforeAll(async () => {
    cloud = await fakeCloud()
    keystone = await staticKeystone(`${cloud.origin}/container/v1`)
    folder = await mkdtemp(join(tmpdir(), 'zun-client-'))
  })
  afterAll(async () => {
    await cloud[Symbol.asyncDispose]()
    await keystone[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  const openstack = async (line: string, user = 'demo'): Promise<string> => {
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      OS_AUTH_URL: keystone.url,
      OS_IDENTITY_API_VERSION: '3',
      OS_USERNAME: user,
      OS_PASSWORD: 'any',
      OS_PROJECT_NAME: user,
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
    }
    // Most failures are told on the standard output, with exit code 0.
    const { stdout, stderr } = await runClient('openstack', line.split(' '), { env, cwd: folder })
    return `${stdout}${stderr}`
  }
  const appcontainer = (line: string, user?: string) => openstack(`appcontainer ${line}`, user)
  const lastCall = () => cloud.control.calls.at(-1)

  test('runs a container, and one at an old version', async () => {
    expect(await appcontainer('run --name test busybox:latest ping -c 4 127.0.0.1')).toMatch(/status +\| Creating/)
    const created = cloud.control.calls.find(({ name }) => name === 'containers.create')
    expect(created?.args[0]).toMatchObject({
      name: 'test',
      run: true,
      spec: { image: 'busybox:latest', command: ['ping', '-c', '4', '127.0.0.1'] },
    })
    const old = await openstack('--os-container-api-version 1.12 appcontainer create --name older busybox sleep 5')
    expect(old).toMatch(/command +\| \['sleep', '5'\]/)
    const options = '--cpu 0.5 --memory 64 --expose-port 80 --healthcheck cmd=ls,interval=5,retries=2,timeout=3'
    await appcontainer(`create --name full ${options} --restart on-failure:2 --label a=b --environment A=B busybox`)
    expect(cloud.control.calls.findLast(({ name }) => name === 'containers.create')?.args[0]).toMatchObject({
      spec: {
        cpu: 0.5,
        memory: 64,
        exposedPorts: ['80/tcp'],
        healthcheck: { command: 'ls', intervalSeconds: 5, retries: 2, timeoutSeconds: 3 },
        restartPolicy: { name: 'on-failure', maxRetries: 2 },
        labels: { a: 'b' },
        environment: { A: 'B' },
      },
    })
  })

  test('lists in pages and shows', async () => {
    const names = (text: string) => text.match(/\| (test|older|full) +\|/g)?.length
    expect(names(await appcontainer('list'))).toBe(3)
    expect(names(await appcontainer('list --limit 2 --sort-key name'))).toBe(2)
    expect(await appcontainer('show test')).toMatch(/memory +\| 512/)
    expect(await appcontainer('show nothing')).toContain('Container nothing could not be found. (HTTP 404)')
  })

  test('stops, starts, restarts, pauses, kills', async () => {
    for (const [line, call] of [
      ['stop test --timeout 3', { name: 'containers.stop', args: ['test', { graceSeconds: 3 }] }],
      ['start test', { name: 'containers.start' }],
      ['restart test', { name: 'containers.reboot', args: ['test', { graceSeconds: 10 }] }],
      ['pause test', { name: 'containers.pause' }],
      ['unpause test', { name: 'containers.unpause' }],
      ['kill test --signal SIGTERM', { name: 'containers.kill', args: ['test', 'SIGTERM'] }],
      ['start test', { name: 'containers.start' }],
      ['kill test', { name: 'containers.kill', args: ['test', 'SIGKILL'] }],
      ['start test', { name: 'containers.start' }],
    ] as const) {
      expect(await appcontainer(line)).toMatch(/has been accepted/)
      expect(lastCall()).toMatchObject(call)
    }
  })

  test('reads logs, executes, counts, changes', async () => {
    expect(await appcontainer('logs test')).toContain('hello\n')
    expect(await appcontainer('exec test ls -a')).toContain('out\n')
    expect(lastCall()?.args[1]).toMatchObject({ command: ['ls', '-a'] })
    expect(await appcontainer('exec --interactive test sh')).toContain('403 Forbidden')
    expect(await appcontainer('attach test')).toContain('(HTTP 400)')
    expect(await appcontainer('stats test')).toMatch(/CPU % +\| 12.35/)
    expect(await appcontainer('set test --cpu 0.5 --memory 256')).toMatch(/memory +\| 256/)
    expect(await appcontainer('network list test')).toContain('10.0.0.2')
    expect(await appcontainer('commit test repo:v1')).toContain('has been accepted')
    const actions = await appcontainer('action list test')
    const request = /req-[0-9a-f-]{36}/.exec(actions)?.[0]
    expect(await appcontainer(`action show test ${request}`)).toMatch(/action +\| commit/)
  })

  test('plugs into networks, takes groups and mounts, searches images', async () => {
    expect(await appcontainer('network attach test --network backend --fixed-ip 10.0.0.44')).toMatch(/accepted/)
    expect(lastCall()?.args[1]).toEqual({ network: 'backend', addresses: ['10.0.0.44'] })
    expect(await appcontainer('network detach test --network backend')).toMatch(/accepted/)
    await writeFile(join(folder, 'motd'), 'welcome\n')
    const nets = '--net network=backend,v4-fixed-ip=10.0.0.45 --net port=port-mine --security-group web'
    const mounts = '--mount source=volume-mine,destination=/v --mount size=2,destination=/n'
    const file = '--mount type=bind,source=motd,destination=/etc/motd'
    await appcontainer(`create --name wired ${nets} ${mounts} ${file} busybox`)
    expect(cloud.control.calls.findLast(({ name }) => name === 'containers.create')?.args[0]).toMatchObject({
      nets: [{ network: 'backend', addresses: ['10.0.0.45'] }, { port: 'port-mine' }],
      groups: ['group-web'],
      mounts: [
        { kind: 'volume', source: 'volume-mine', destination: '/v' },
        { kind: 'new', size: 2, destination: '/n' },
        { kind: 'file', content: Buffer.from('welcome\n').toString('base64'), destination: '/etc/motd' },
      ],
    })
    expect(await appcontainer('image search busybox')).toContain('busybox')
  })

  test('creates, lists, shows and deletes a capsule', async () => {
    const spec = { containers: [{ image: 'busybox', command: ['sleep', '60'] }] }
    await writeFile(join(folder, 'pair.json'), JSON.stringify({ kind: 'capsule', metadata: { name: 'pair' }, spec }))
    expect(await openstack('capsule create --file pair.json')).toMatch(/status +\| Creating/)
    expect(await openstack('capsule list')).toMatch(/pair.*Running.*10\.0\.0\./)
    expect(await openstack('capsule show pair')).toMatch(/name +\| pair/)
    expect(await openstack('capsule delete pair')).toMatch(/accepted/)
    expect(await openstack('capsule show pair')).toContain('(HTTP 404)')
  })

  test('copies in and out', async () => {
    await writeFile(join(folder, 'in.txt'), 'content of the file')
    await appcontainer('cp in.txt test:/tmp')
    // What was sent is a tar; given back, the client unpacks it.
    const tar = cloud.control.next.uploaded
    expect(tar.toString('latin1')).toContain('content of the file')
    cloud.control.next.archive = () => streamOf(tar)
    await rm(join(folder, 'in.txt'))
    await appcontainer('cp test:/tmp/in.txt .')
    expect(await readFile(join(folder, 'in.txt'), 'utf8')).toBe('content of the file')
  })

  test('looks at quotas, zones and hosts', async () => {
    expect(await appcontainer('quota get project-demo')).toMatch(/containers +\| 40/)
    expect(await appcontainer('availability zone list')).toContain('nova')
    expect(await appcontainer('host list')).toContain('(HTTP 403)')
    expect(await appcontainer('host list', 'admin')).toContain('compute2')
    expect(await appcontainer('service list', 'admin')).toContain('zun-compute')
  })

  test('deletes', async () => {
    expect(await appcontainer('delete --stop test')).toContain('has been accepted')
    expect(lastCall()?.args[1]).toEqual({ force: false, stop: true, allProjects: false })
    expect(await appcontainer('show test')).toContain('(HTTP 404)')
  })
})
