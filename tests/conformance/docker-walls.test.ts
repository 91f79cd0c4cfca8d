import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'
import { askDocker, type Said } from './docker-ask.ts'
import {
  buildDangers,
  createDangers,
  execDangers,
  networkDangers,
  updateDangers,
  volumeDangers,
} from './docker-dangers.ts'

/** What a tenant of the Docker API can reach: nothing of the host, even when asking for it in every way there is. */
let gantry: Gantry
let demo: Session
let policy = ''
let folder = ''
/** A running container of demo's. */
let mine = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-walls-'))
  policy = join(folder, 'policy.yaml')
  await writeFile(policy, '- projects: [granted]\n  grant: ["CapAdd:NET_ADMIN", "Binds:/srv:ro", Privileged]\n')
  gantry = await startGantry({ serverArgs: ['--docker-policy', policy] })
  demo = await gantry.logIn('demo')
  const run = await gantry.docker(['run', '-d', '--name', 'mine', 'busybox', 'sleep', '600'])
  expect(run).toMatchObject({ code: 0 })
  mine = run.stdout.trim()
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

interface Inspected {
  readonly Id?: string
  readonly Mounts?: readonly { readonly Source: string }[]
}

const versions = ['/v1.24', '/v1.41', '/v1.44', '']

const ask = (session: Session, method: string, path: string, body?: unknown): Promise<Said> =>
  askDocker(gantry.dockerUrl, session, method, path, body)

/** In every version: 403 and the field by name. */
async function expectRefused(path: string, field: string, body: unknown): Promise<void> {
  for (const version of versions) {
    const { status, message } = await ask(demo, 'POST', `${version}${path}`, body)
    expect({ path: `${version}${path}`, status, message }).toMatchObject({
      status: 403,
      message: expect.stringMatching(new RegExp(`"message":"${field}.* is not allowed by this service: `)),
    })
  }
}

describe('what is dangerous is refused by name', () => {
  test.each(createDangers.map(({ field, body }): [string, unknown] => [field, body]))('create: %s %j', (field, body) =>
    expectRefused('/containers/create?name=bad', field, body),
  )
  test.each(updateDangers.map(({ field, body }): [string, unknown] => [field, body]))('update: %s %j', (field, body) =>
    expectRefused('/containers/mine/update', field, body),
  )
  test.each(execDangers.map(({ field, body }): [string, unknown] => [field, body]))('exec: %s %j', (field, body) =>
    expectRefused('/containers/mine/exec', field, body),
  )
  test.each(networkDangers.map(({ field, body }): [string, unknown] => [field, body]))(
    'network: %s %j',
    (field, body) => expectRefused('/networks/create', field, body),
  )
  test.each(volumeDangers.map(({ field, body }): [string, unknown] => [field, body]))('volume: %s %j', (field, body) =>
    expectRefused('/volumes/create', field, body),
  )
  test.each(Object.entries(buildDangers))('build: %s by %s', (field, query) =>
    expectRefused(`/build?${encodeURI(query)}`, field, {}),
  )
  test.each([
    '127.0.0.1:5000/x',
    'localhost:5000/x',
    '169.254.169.254/x',
    '10.0.0.1:5000/x',
    '2130706433:80/x',
    '0x7f.1:80/x',
    'registry:5000/x',
    'metadata.google.internal/x',
  ])('pull: %s', (image) =>
    expectRefused(`/images/create?fromImage=${encodeURIComponent(image)}&tag=latest`, 'Registry', {}),
  )

  test('one field under two spellings is a mistake', async () => {
    for (const HostConfig of [
      { Privileged: false, privileged: true },
      { Binds: [], binds: ['/:/h'] },
    ]) {
      expect(await ask(demo, 'POST', '/containers/create', { Image: 'busybox', HostConfig })).toMatchObject({
        status: 400,
      })
    }
    const both = { Image: 'busybox', HostConfig: {}, hostConfig: { Privileged: true } }
    expect(await ask(demo, 'POST', '/containers/create', both)).toMatchObject({ status: 400 })
  })

  test.each([
    ['POST', '/swarm/init'],
    ['GET', '/services'],
    ['GET', '/nodes'],
    ['GET', '/secrets'],
    ['POST', '/configs/create'],
    ['POST', '/plugins/pull?remote=x'],
    ['POST', '/plugins/x/enable'],
    ['POST', '/session'],
    ['POST', '/grpc'],
    ['POST', '/containers/mine/checkpoints'],
    ['GET', '/debug/vars'],
    ['GET', '/metrics'],
    ['POST', '/images/create?fromSrc=http://169.254.169.254/'],
    ['POST', '/images/create?fromImage=[::1]:5000/x&tag=1'],
    ['POST', '/images/127.0.0.1:5000%2fx/push?tag=1'],
    ['GET', '/distribution/127.0.0.1:5000%2fx/json'],
    ['GET', '/containers/%2e%2e/json'],
    ['GET', '/containers/..%2f..%2finfo/json'],
  ])('no way in: %s %s', async (method, path) => {
    for (const version of versions) {
      const { status } = await ask(demo, method, `${version}${path}`, method === 'POST' ? {} : undefined)
      expect([400, 403, 404, 405, 501, 503]).toContain(status)
    }
  })

  test('and nothing was made by any of it', async () => {
    const { message } = await ask(demo, 'GET', '/containers/json?all=1')
    expect((JSON.parse(message) as { Id: string }[]).map(({ Id }) => Id)).toEqual([mine])
    expect((await gantry.engine.docker('ps', '-aq')).split('\n')).toHaveLength(1)
    expect(await gantry.engine.docker('volume', 'ls', '-q')).toBe('')
    const state = await gantry.engine.docker(
      'inspect',
      '-f',
      '{{.HostConfig.CpusetCpus}}{{.HostConfig.Privileged}}',
      await gantry.engine.docker('ps', '-q'),
    )
    expect(state).toBe('false')
  })
})

async function inside(script: string, ...options: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.docker(['run', '--rm', ...options, 'busybox', 'sh', '-c', script])
  expect({ code, stderr, script }).toMatchObject({ code: 0 })
  return stdout.trim()
}

describe('builds and registries', () => {
  /** Something of the host's own network, which must not be asked for anything. */
  let asked = 0
  const inner = createServer((_request, response) => {
    asked++
    response.end('secret of the host')
  })
  beforeAll(async () => {
    inner.listen(0, '127.0.0.1')
    await once(inner, 'listening')
  })
  afterAll(() => void inner.close())
  const port = () => (inner.address() as AddressInfo).port
  const build = (dockerfile: string) => gantry.docker(['build', '-q', '-'], { input: dockerfile })

  test('no log-in, push or look goes to a registry of the inside', async () => {
    for (const at of [`127.0.0.1:${port()}`, `http://localhost:${port()}/v2/`, '169.254.169.254', 'registry:5000']) {
      const login = { serveraddress: at, username: 'a', password: 'b' }
      expect(await ask(demo, 'POST', '/auth', login)).toMatchObject({
        status: 403,
        message: expect.stringContaining('Registry'),
      })
    }
    const image = `127.0.0.1:${port()}/x`
    expect((await gantry.docker(['tag', 'busybox', image])).code).toBe(0)
    for (const [method, path] of [
      ['POST', `/images/${image}/push?tag=latest`],
      ['GET', `/distribution/${image}/json`],
    ] as const) {
      expect(await ask(demo, method, path)).toMatchObject({ status: 403, message: expect.stringContaining('Registry') })
    }
    expect((await gantry.docker(['rmi', image])).code).toBe(0)
    expect(asked).toBe(0)
  })

  test('a Dockerfile fetches nothing of the inside', async () => {
    for (const dockerfile of [
      `FROM 127.0.0.1:${port()}/x`,
      `FROM localhost:${port()}/x`,
      `FROM busybox\nCOPY --from=127.0.0.1:${port()}/x /a /b`,
      `FROM busybox\nADD http://127.0.0.1:${port()}/x /x`,
      `FROM busybox\nADD http://localhost:${port()}/x /x`,
      `FROM busybox\nADD http://0x7f000001:${port()}/x /x`,
      `FROM busybox\nRUN wget -T 3 -O - http://127.0.0.1:${port()}/`,
    ]) {
      expect({ dockerfile, ...(await build(dockerfile)) }).not.toMatchObject({ code: 0 })
      expect({ dockerfile, asked }).toEqual({ dockerfile, asked: 0 })
    }
  })

  test('its steps are confined as a container is', async () => {
    const limit = 'cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max'
    const steps = [
      'grep -E "CapEff|CapBnd|NoNewPrivs|Seccomp:" /proc/self/status',
      limit,
      'readlink /proc/self/ns/net',
      'find / -xdev -name "*.sock"',
    ]
    const built = await build(`FROM busybox\nRUN (${steps.join('; ')}) > /seen 2>&1`)
    expect(built).toMatchObject({ code: 0 })
    const { stdout } = await gantry.docker(['run', '--rm', built.stdout.trim(), 'cat', '/seen'])
    expect(stdout).toMatch(
      /CapEff:\s+00000000a80405fb\nCapBnd:\s+00000000a80405fb\nNoNewPrivs:\s+1\nSeccomp:\s+2\n\d+\nnet:\[\d+\]\n$/,
    )
    expect(stdout).not.toContain(await readlink('/proc/self/ns/net'))
  })
})

describe('answers', () => {
  test('tell nothing of the host', async () => {
    const { Id: engineId, Mounts } =
      (JSON.parse(await gantry.engine.docker('inspect', await gantry.engine.docker('ps', '-q'))) as Inspected[])[0] ??
      {}
    const until = Math.floor(Date.now() / 1000) + 1
    for (const path of [
      '/containers/mine/json?size=1',
      '/containers/json?all=1&size=1',
      '/containers/mine/changes',
      '/info',
      '/version',
      '/system/df',
      '/volumes',
      '/networks',
      '/images/json',
      `/events?since=1&until=${until}`,
    ]) {
      const { message } = await ask(demo, 'GET', path)
      for (const secret of [
        engineId,
        dirname(gantry.engine.socket),
        gantry.home,
        ...(Mounts ?? []).map(({ Source }) => Source),
      ]) {
        expect({ path, told: message.includes(String(secret)) }).toEqual({ path, told: false })
      }
    }
  })

  test('can be sent back: programs make containers anew from what inspect says', async () => {
    const { HostConfig, Config } = JSON.parse((await ask(demo, 'GET', '/containers/mine/json')).message)
    const made = await ask(demo, 'POST', '/containers/create?name=again', { ...Config, HostConfig })
    expect(made).toMatchObject({ status: 201 })
    expect(await ask(demo, 'DELETE', '/containers/again')).toMatchObject({ status: 204 })
  })
})

describe('inside a container that was made properly', () => {
  test('only the usual capabilities, no new ones, and seccomp', async () => {
    const status = Object.fromEntries(
      (await inside('cat /proc/self/status')).split('\n').map((line) => line.split(/:\s*/) as [string, string]),
    )
    // CHOWN … SETFCAP as engines give them (a80425fb), without NET_RAW (bit 13).
    for (const set of ['CapEff', 'CapPrm', 'CapBnd']) expect(status[set]).toBe('00000000a80405fb')
    expect(status).toMatchObject({ NoNewPrivs: '1', Seccomp: '2' })
  })

  test('commands run in it are no stronger', async () => {
    const { stdout } = await gantry.docker([
      'exec',
      'mine',
      'sh',
      '-c',
      'grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status',
    ])
    expect(stdout.split(/\s+/).filter(Boolean)).toEqual([
      'CapEff:',
      '00000000a80405fb',
      'CapBnd:',
      '00000000a80405fb',
      'NoNewPrivs:',
      '1',
    ])
    const refused = await gantry.docker(['exec', '--privileged', 'mine', 'id'])
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('Privileged is not allowed by this service')
  })

  test('namespaces of its own', async () => {
    const kinds = ['pid', 'ipc', 'uts', 'mnt', 'net', 'cgroup']
    const found = (
      await inside(`for k in ${kinds.join(' ')}; do readlink /proc/self/ns/$k; done; ls -d /proc/[0-9]* | wc -l`)
    ).split('\n')
    for (const [at, kind] of kinds.entries()) {
      expect(found[at]).toMatch(`${kind}:[`)
      expect(found[at]).not.toBe(await readlink(`/proc/self/ns/${kind}`))
    }
    expect(found.at(-1)).toMatch(/^[1-9]$/)
  })

  test('no devices of the host, no engine, masked files of the kernel', async () => {
    const devices = (await inside('find /dev ! -type d ! -type l | sort')).split('\n')
    const usual = /^\/dev\/(console|full|null|ptmx|random|tty|urandom|zero|pts\/(ptmx|\d+))$/
    expect(devices.filter((path) => !usual.test(path))).toEqual([])
    // Even one that was made inside cannot be opened.
    expect(await inside('mknod /x b 8 0 && dd if=/x of=/dev/null count=1 2>&1 || true')).toMatch(/not permitted/)
    expect(await inside('find / -xdev -name "docker*.sock" -o -xdev -name "containerd*.sock" | wc -l')).toBe('0')
    const masked = '/proc/kcore /proc/timer_list /proc/keys /proc/sched_debug'
    expect(await inside(`cat ${masked} 2>/dev/null | head -c 1 | wc -c; ls /sys/firmware 2>/dev/null | wc -l`)).toBe(
      '0\n0',
    )
    expect(await inside('(echo x > /proc/sys/kernel/core_pattern) 2>&1; true')).toMatch(/[Rr]ead-only/)
    expect(await inside('(echo b > /proc/sysrq-trigger) 2>&1; true')).toMatch(/[Rr]ead-only|nonexistent/)
    expect(await inside('mount -t tmpfs t /mnt 2>&1; true')).toMatch(/permission denied/)
    expect(await inside('ping -c1 -W1 127.0.0.1 2>&1; true')).toMatch(
      /permission denied|not permitted|1 packets received/,
    )
  })

  test('limits on memory and processes, and a fork bomb that ends at them', async () => {
    const limit = (file: string, old: string) => `cat /sys/fs/cgroup/${file} 2>/dev/null || cat /sys/fs/cgroup/${old}`
    expect(await inside(limit('pids.max', 'pids/pids.max'))).toBe('4096')
    expect(await inside(limit('pids.max', 'pids/pids.max'), '--pids-limit', '-1')).toBe('4096')
    expect(await inside(limit('pids.max', 'pids/pids.max'), '--pids-limit', '77')).toBe('77')
    expect(await inside(limit('memory.max', 'memory/memory.limit_in_bytes'), '-m', '32m')).toBe(String(32 << 20))
    const bomb = await gantry.docker([
      'run',
      '-d',
      '--name',
      'bomb',
      '--pids-limit',
      '40',
      'busybox',
      'sh',
      '-c',
      'b() { b | b & }; while :; do b; sleep 1; done',
    ])
    expect(bomb.code).toBe(0)
    await new Promise((resolve) => setTimeout(resolve, 3000))
    const { stdout } = await gantry.docker(['stats', '--no-stream', '--format', '{{.PIDs}}', 'bomb'])
    expect(Number(stdout)).toBeLessThanOrEqual(40)
    expect((await gantry.docker(['exec', 'mine', 'echo', 'alive'])).stdout).toBe('alive\n')
    expect((await gantry.docker(['rm', '-f', 'bomb'])).code).toBe(0)
  })
})

describe('a project to which the operator granted something', () => {
  test('has that, and no more', async () => {
    const granted = await gantry.newTenant('granted')
    const run = (...args: string[]) => gantry.docker(['run', '--rm', ...args], { session: granted })
    const net = await run(
      '--cap-add',
      'NET_ADMIN',
      'busybox',
      'sh',
      '-c',
      'ip link set lo mtu 1400 && grep CapEff /proc/self/status',
    )
    expect(net).toMatchObject({ code: 0, stdout: expect.stringContaining('00000000a80415fb') })
    const bound = await run('-v', '/srv:/s:ro', 'busybox', 'sh', '-c', 'touch /s/x 2>&1; grep " /s " /proc/mounts')
    expect(bound.stdout).toMatch(/Read-only[\s\S]* \/s /)
    for (const args of [
      ['--cap-add', 'SYS_ADMIN'],
      ['-v', '/srv:/s'],
      ['-v', '/srv/x:/s:ro'],
      ['-v', '/:/h:ro'],
    ]) {
      const refused = await run(...args, 'busybox', 'true')
      expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining('is not allowed by this service') })
    }
    // The host has a word in this, too.
    const privileged = await run('--privileged', 'busybox', 'true')
    expect(privileged).toMatchObject({ code: 125, stderr: expect.stringContaining('not allowed on this host') })
    const others = await gantry.docker(['run', '--rm', '--cap-add', 'NET_ADMIN', 'busybox', 'true'])
    expect(others.stderr).toContain('CapAdd NET_ADMIN is not allowed by this service')

    await writeFile(policy, '[]')
    process.kill(gantry.server.pid ?? 0, 'SIGHUP')
    const body = { Image: 'none-such', HostConfig: { CapAdd: ['NET_ADMIN'] } }
    await vi.waitFor(async () => {
      expect(await ask(granted, 'POST', '/containers/create', body)).toMatchObject({ status: 403 })
    }, 5000)
  })
})
